"""The locks: exact, hashed, without addresses, and agreeing with each other."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LOCKS = ROOT / "infra" / "requirements"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    """Return package and version of each pin of a lock."""
    return dict(_PIN.findall((LOCKS / name).read_text()))


@pytest.mark.parametrize("name", ["run.txt", "dev.txt", "node.txt"])
def test_a_lock_has_hashes_and_no_addresses(name: str) -> None:
    """Every package is pinned by hash, and no line names a host or an index."""
    text = (LOCKS / name).read_text()
    assert not re.search(r"://|--(extra-)?index-url|--find-links", text)
    entries = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_development_lock_holds_the_run_time_lock() -> None:
    """Tests run against the very versions that people run."""
    assert pins("run.txt").items() <= pins("dev.txt").items()


def test_every_named_dependency_is_locked_at_its_version() -> None:
    """The pins of pyproject.toml and those of the locks are the same."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for lock, wanted in (
        ("run.txt", project["project"]["dependencies"]),
        ("dev.txt", project["dependency-groups"]["dev"]),
        ("node.txt", project["dependency-groups"]["node"]),
    ):
        named = {re.sub(r"\[.*\]", "", name): version for name, version in (entry.split("==") for entry in wanted)}
        assert named.items() <= pins(lock).items()


def test_the_pages_libraries_are_locked_by_hash_and_name_no_address() -> None:
    """At the versions that package.json names, with what they need, from wherever this machine gets its packages."""
    named = json.loads((ROOT / "package.json").read_text())["dependencies"]
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert packages.pop("")["dependencies"] == named
    assert (
        named.items() <= {name.removeprefix("node_modules/"): one["version"] for name, one in packages.items()}.items()
    )
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert "://" not in (ROOT / "package-lock.json").read_text()
