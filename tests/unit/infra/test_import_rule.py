"""The import rules of pyproject.toml, proved on the real tree, and that a breach of each of them would be found."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("web", "workers", "storage", "infra")
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

# By contract: a module, and what it must not import.
BREACHES = [
    ("apart", "web/context.py", "workers"),
    ("apart", "workers/app.py", "web.context"),
    ("storage-alone", "storage/logs.py", "web"),
    ("storage-alone", "storage/model/plan.py", "infra"),
    ("infra-starts", "web/app.py", "infra.cli"),
    ("storage-layers", "storage/model/plan.py", "storage.scheduling.density"),
    ("storage-layers", "storage/public/progress.py", "storage.objects.keys"),
    ("workers-layers", "workers/planning/ladder.py", "workers.ffmpeg.mp4_boxes"),
    ("workers-layers", "workers/damage/detection.py", "workers.ffmpeg.mp4_boxes"),
    ("web-layers", "web/read/metrics.py", "web.context"),
    ("web-layers", "web/words/texts.py", "web.schemas.queue"),
    ("routes", "web/routes/jobs.py", "web.routes.uploads"),
    ("routes", "web/routes/pages.py", "web.routes.events"),
    ("web-layers", "web/client/texts.py", "web.http.retry_after"),
    ("client-alone", "web/client/remembered.py", "storage.settings"),
    ("client-alone", "web/client/tus.py", "flask"),
    ("pure", "web/admission/decision.py", "time"),
    ("pure", "storage/scheduling/density.py", "random"),
    ("pure", "storage/model/plan.py", "redis"),
    ("pure", "workers/ffmpeg/filters.py", "workers.planning.probe"),  # which reaches subprocess through the sandbox
    ("processes", "workers/stages/plan.py", "subprocess"),
    ("processes", "web/server.py", "subprocess"),
]


def lint(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the tree in the folder."""
    command = [str(LINT_IMPORTS), "--no-cache", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the product's modules, to be broken."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for room in ROOMS:
        for module in (ROOT / room).rglob("*.py"):
            copy = tmp_path / module.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(module, copy)
    return tmp_path


def test_the_rules_are_kept() -> None:
    """No module imports one that it must not know."""
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout


def test_every_rule_is_seen_broken_below() -> None:
    """A contract that nothing can break would prove nothing."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert {contract["id"] for contract in config["tool"]["importlinter"]["contracts"]} == {
        rule for rule, *_ in BREACHES
    }


@pytest.mark.parametrize(("rule", "module", "breach"), BREACHES)
def test_a_breach_is_found(rule: str, module: str, breach: str, tree: Path) -> None:
    """One forbidden import in one module breaks the rule, and without it the rule is kept."""
    assert lint(tree, "--contract", rule).returncode == 0
    with (tree / module).open("a") as file:
        file.write(f"import {breach}\n")
    result = lint(tree, "--contract", rule)
    assert result.returncode == 1, result.stdout
    assert "BROKEN" in result.stdout


@pytest.mark.parametrize("place", ["storage", "workers", "web", "web/routes"])
def test_a_new_package_must_be_given_a_place(place: str, tree: Path) -> None:
    """What no layer names is refused, so that nothing new stands outside of the order."""
    (tree / place / "novelty").mkdir()
    (tree / place / "novelty" / "__init__.py").touch()
    result = lint(tree)
    assert result.returncode == 1, result.stdout
    assert "novelty" in result.stdout
