"""`make chaos` in its short form: whatever is killed, frozen or cut, every accepted job is ready, exact, and alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.missing import require
from tests.support.servers import find_minio

ROOT = Path(__file__).parents[2]
MINUTES = 1.25  # of faults; with start, settling and the look at every job this is about two and a half
DEADLINE_SECONDS = 330.0


@pytest.mark.timeout(DEADLINE_SECONDS + 30)
def test_no_promise_is_broken_under_attack() -> None:
    """A minute of faults against real processes; the seed is another one each time, and printed by a run that fails."""
    if find_minio() is None:
        require("minio", "`make test` builds it with Go; or set RUNGS_MINIO to the binary")
    run = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--minutes", str(MINUTES)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stdout
