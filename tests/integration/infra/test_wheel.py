"""A built wheel holds all that runs: packages, Lua scripts, templates, scripts of the pages and translations."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.missing import require

ROOT = Path(__file__).parents[3]
PACKAGES = ("web", "workers", "storage", "infra")
BESIDE = ("pyproject.toml", "README.md", "LICENSE")
# What the repository has in these folders and no wheel needs: how it is set up here and in containers.
NOT_RUN = {".sh", ".txt", ".conf", ".po", ".pyc", ""}
DEADLINE = 120  # seconds
USES = """
import storage, web.app, workers.app
from storage.redis_client import load_script
from web.words.language import TRANSLATIONS
assert storage.__file__.startswith({folder!r}), storage.__file__
assert load_script("storage.job_store", "claim") and load_script("storage.broker", "add")
assert list(TRANSLATIONS.rglob("*.mo"))
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of what the wheel installs."""
    if importlib.util.find_spec("setuptools") is None:
        require("setuptools", "run make setup: it is in infra/requirements/dev.txt")
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in BESIDE:
        shutil.copy(ROOT / name, source)
    command = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), "."]
    subprocess.run([sys.executable, *command], cwd=source, check=True, timeout=DEADLINE)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_every_file_of_the_packages_is_in_it(unpacked: Path) -> None:
    """Listed by the folders themselves, so that a new one is not forgotten."""
    held = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*")}
    wanted = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in NOT_RUN and "docker" not in path.parts
    }
    assert wanted - held == set()


def test_it_runs_where_the_repository_is_not(unpacked: Path, tmp_path: Path) -> None:
    """The command prints its help, and the packages find what they read beside themselves."""
    environment = {"PYTHONPATH": str(unpacked), "PATH": "/usr/bin:/bin"}
    for arguments in (["-m", "infra.cli", "--help"], ["-c", USES.format(folder=str(unpacked))]):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, check=False, capture_output=True, text=True,
            timeout=DEADLINE,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
