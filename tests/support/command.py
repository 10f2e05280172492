"""The command `rungs` as its users run it: a process of its own that may be killed, or its `main` in this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from infra.cli import main

ROOT = Path(__file__).parents[2]
SECONDS = 60  # that a command may take

Events = list[dict[str, Any]]


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> Events:
        """What each line of the output says; with `--json` every line is JSON."""
        return [json.loads(line) for line in self.out.splitlines()]


Rungs = Callable[..., Ended]


@pytest.fixture
def rungs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Rungs:
    """Give the command in this process: `rungs("jobs", "--json", port=server.port)`."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def run(*arguments: str, port: int = 9) -> Ended:
        monkeypatch.setenv("RUNGS_SERVER", f"http://127.0.0.1:{port}")
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
        printed = capsys.readouterr()
        return Ended(code, printed.out, printed.err)

    return run


@contextmanager
def started(port: int, state: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command against the server on this port of loopback; unfinished uploads are remembered below `state`."""
    own = {"RUNGS_SERVER": f"http://127.0.0.1:{port}", "XDG_STATE_HOME": str(state), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        # Who runs the tests in the background may have Ctrl-C ignored, and then all that they start has, too.
        ["env", "--default-signal=INT", sys.executable, "-m", "infra.cli", *arguments],
        env=os.environ | own,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str]) -> Ended:
    """Return how a command ended that was started."""
    out, err = process.communicate(timeout=SECONDS)
    return Ended(process.returncode, out, err)
