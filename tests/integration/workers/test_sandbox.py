"""A program in a tool's place tries to leave its sandbox: each attempt fails, and succeeds where there is none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from storage.errors import ToolError, UnforeseenError
from storage.model.layers import Layer
from tests.escape.attempts import ATTEMPTS, Bare
from tests.escape.driver import LIMITS, PYTHON
from tests.escape.program import SUCCEEDED
from tests.support.missing import require
from workers.sandbox.launching import Fences, fence_in, fences
from workers.sandbox.layers import kernel, missing
from workers.sandbox.reach import Reach
from workers.sandbox.run import run_tool

ROOT = Path(__file__).parents[3]
NOBODY = 65534
USERS = ("own", "nobody")
SYSTEM_PYTHON = "/usr/bin/python3"  # of which nobody may read the library, wherever ours lies
CAP_SYS_ADMIN = 1 << 21
OPEN_WITHOUT_PORTS = {"talk_to_another_port"}  # what a kernel before 6.7 leaves to a tool of an original in S3


@pytest.fixture(scope="module", autouse=True)
def _layers() -> None:
    if {Layer.FILES, Layer.CALLS} & set(missing(kernel())):
        require("landlock", "a kernel with Landlock (5.13) and seccomp, and an engine that lets their calls through")


@pytest.fixture(scope="module")
def staged() -> Iterator[Path]:
    """Give a folder with the attempts and the sandbox, which everybody may read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copytree(ROOT / "tests" / "escape", folder / "escape")
        shutil.copytree(ROOT / "workers" / "sandbox", folder / "workers" / "sandbox")
        shutil.copytree(ROOT / "storage", folder / "storage")
        yield folder


@cache
def came_to(folder: Path, user: str, mode: str) -> dict[str, str]:
    """Return what each attempt of a user came to, by its name."""
    python, number = (sys.executable, None) if user == "own" else (SYSTEM_PYTHON, NOBODY)
    done = subprocess.run(
        [python, "-m", "escape.driver", mode],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        timeout=120,
        check=False,
        user=number,
        group=number,
        extra_groups=None if number is None else [],
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return dict(json.loads(done.stdout))


def needs(user: str) -> None:
    """Skip the test where this process cannot become the user."""
    if user == "nobody" and os.getuid() != 0:
        pytest.skip("only root becomes nobody; this user is unprivileged itself")


def status_of_this_process() -> dict[str, str]:
    """Return what the kernel says of the tests' own process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def succeeds_bare(name: str, user: str) -> bool:
    """Tell whether the attempt must succeed without a sandbox on this machine."""
    status = status_of_this_process()
    if status["Seccomp"] != "0":
        return False  # an engine's own filter stands before us
    is_root = user == "own" and bool(int(status["CapEff"], 16) & CAP_SYS_ADMIN)
    return ATTEMPTS[name].bare is Bare.ANYONE or (ATTEMPTS[name].bare is Bare.ROOT and is_root)


@pytest.mark.parametrize("name", ATTEMPTS)
@pytest.mark.parametrize("user", USERS)
def test_no_attempt_leaves_the_sandbox(name: str, user: str, staged: Path) -> None:
    """As the user that runs the tests, which may be root, and as one without any right."""
    needs(user)
    if name in OPEN_WITHOUT_PORTS and Layer.PORTS in missing(kernel()):
        pytest.skip("this kernel has no rule for ports")
    assert came_to(staged, user, "on")[name] != SUCCEEDED


@pytest.mark.parametrize("name", ATTEMPTS)
@pytest.mark.parametrize("user", USERS)
def test_each_attempt_is_one(name: str, user: str, staged: Path) -> None:
    """Started carelessly, the same program succeeds, wherever the machine itself lets it."""
    needs(user)
    assert came_to(staged, user, "bare")[name] == SUCCEEDED or not succeeds_bare(name, user)


def test_an_older_kernel_leaves_ports_open_and_nothing_else(staged: Path) -> None:
    """Debian 12's kernel has Landlock 2: the filter refuses what its rules lack, but for the number of a port."""
    found = came_to(staged, "own", "older")
    assert {name for name, how in found.items() if how == SUCCEEDED} == OPEN_WITHOUT_PORTS


def test_an_original_on_disk_needs_no_network() -> None:
    """Then a tool has no sockets at all."""
    script = "import socket; socket.socket()"
    with pytest.raises(ToolError) as refused:
        run_tool([PYTHON, "-I", "-S", "-c", script], LIMITS, reach=Reach(read=(Path(sys.base_prefix, "lib"),)))
    assert "Function not implemented" in refused.value.detail


def test_a_tool_in_an_unusual_place_runs_where_its_folder_is_named(tmp_path: Path) -> None:
    """Its program, its libraries, and what it starts in its own place."""
    tool = tmp_path / "tool"
    tool.write_text('#!/bin/sh\nexec cat "$@"\n')
    tool.chmod(0o755)
    with pytest.raises(UnforeseenError, match="could not be started"):
        run_tool([str(tool), "/dev/null"], LIMITS)
    before = fences()
    fence_in(Fences(tool_folders=(tmp_path, Path("/bin/sh"), Path("/bin/cat"))))
    try:
        assert run_tool([str(tool), str(tool)], LIMITS).startswith(b"#!/bin/sh")
    finally:
        fence_in(before)


def test_no_right_is_left_to_a_tool() -> None:
    """No capability in any set, none to be gained, and the filter in force."""
    said = run_tool(["cat", "/proc/self/status"], LIMITS, reach=Reach(read=(Path("/proc/self"),))).decode()
    status = {name: value.strip() for name, _, value in (line.partition(":") for line in said.splitlines())}
    sets = {name: int(value, 16) for name, value in status.items() if name.startswith("Cap")}
    bounding = sets.pop("CapBnd")
    assert not any(sets.values())
    assert bounding == 0 or os.getuid() != 0
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
