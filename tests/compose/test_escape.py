"""In an encoder's container, without capabilities and behind the engine's own filter, a tool stays in its sandbox."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from pathlib import Path

import pytest

from storage.model.layers import Layer
from tests.escape.attempts import ATTEMPTS
from tests.escape.program import SUCCEEDED
from tests.integration.workers.test_sandbox import OPEN_WITHOUT_PORTS
from tests.support.compose import ROOT, Stack
from workers.sandbox.layers import kernel, missing

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1500)]

FOLDER = "/tmp/escape"  # noqa: S108 - the container's own
UNPACK = (
    "import base64,io,sys,tarfile; tarfile.open(fileobj=io.BytesIO(base64.b64decode(sys.argv[1]))).extractall({!r})"
)
# What a tool without a sandbox does there, so that the attempts are seen to be some.
SOME = {"read_another_original", "write_another_jobs_file", "talk_to_another_port", "fork", "become_a_shell", "listen"}


def packed(folder: Path) -> str:
    """Return a folder of Python as an argument that a command takes."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as file:
        for path in sorted(folder.glob("*.py")):
            file.add(path, f"escape/{path.name}")
    return base64.b64encode(held.getvalue()).decode()


def came_to(stack: Stack, mode: str) -> dict[str, str]:
    """Return what each attempt came to in a container, by its name."""
    inside = ("exec", "-T", "-e", f"PYTHONPATH={FOLDER}", "encoder", "python")
    stack.compose(*inside, "-c", UNPACK.format(FOLDER), packed(ROOT / "tests" / "escape"))
    return dict(json.loads(stack.compose(*inside, "-m", "escape.driver", mode, seconds=180)))


def test_no_attempt_leaves_the_sandbox_of_a_container(stack: Stack) -> None:
    """The same attempts as on a bare machine."""
    found = came_to(stack, "on")
    assert set(found) >= set(ATTEMPTS)
    open_here = OPEN_WITHOUT_PORTS if Layer.PORTS in missing(kernel()) else set()
    assert {name for name, how in found.items() if how == SUCCEEDED} == open_here


def test_they_are_attempts_there_too(stack: Stack) -> None:
    """Without a sandbox they succeed."""
    found = came_to(stack, "bare")
    assert {name for name, how in found.items() if how == SUCCEEDED} >= SOME


def test_the_doctor_finds_all_layers_in_the_container(stack: Stack) -> None:
    """The engine lets Landlock's calls through, and the tools of the image run."""
    said = stack.compose("exec", "-T", "encoder", "python", "-m", "infra.cli", "doctor")
    assert "MISSING" not in said
