"""`web -> storage <- workers`, proved on the real tree, and that a breach would be found."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("web", "workers", "storage", "infra")
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the tree in the folder."""
    return subprocess.run([LINT_IMPORTS, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


def test_the_rule_is_kept() -> None:
    """No room imports one it must not know."""
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("room", "breach"), [("web", "workers"), ("workers", "web"), ("storage", "web"), ("storage", "infra")]
)
def test_a_breach_is_found(room: str, breach: str, tmp_path: Path) -> None:
    """One forbidden import anywhere in a room fails the check."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in ROOMS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / room / "anywhere.py").write_text(f"import {breach}\n")
    result = lint(tmp_path)
    assert result.returncode == 1, result.stdout
    assert "BROKEN" in result.stdout
