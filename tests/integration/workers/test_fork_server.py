"""The process that forks tools: it may be killed, its worker may fork, and threads share it."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage.errors import ToolError, UnforeseenError
from tests.support.unfenced import shell
from tests.support.waiting import wait_until
from workers.sandbox.fork_server import end_server
from workers.sandbox.run import ToolLimits, Watch, run_tool

pytestmark = pytest.mark.usefixtures("unfenced_tools")
PATIENT = ToolLimits(deadline=30.0, stall=30.0)
THREADS, TOOLS = 8, 64


def server() -> int:
    """Return the process id of this process's fork server."""
    return int(run_tool(shell("ps -o ppid= -p $$"), PATIENT))


def test_one_server_starts_all_tools() -> None:
    """It is started once; a tool that fails to start does not end it."""
    before = server()
    with pytest.raises(ToolError):
        run_tool(shell("exit 1"), PATIENT)
    assert server() == before != os.getpid()
    end_server()
    assert server() != before


def test_threads_share_the_server() -> None:
    """Each gets its own tool's output and end, however they overlap."""

    def said(number: int) -> tuple[str, int]:
        script = f"sleep 0.0{number % 7}; echo {number}; echo failed >&2; exit {number % 3}"
        try:
            return run_tool(shell(script), PATIENT).decode().strip(), 0
        except ToolError as error:
            return str(number), int(error.detail.splitlines()[0].split()[-1].strip("."))

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(said, range(TOOLS))) == [(str(number), number % 3) for number in range(TOOLS)]


def test_another_server_takes_the_place_of_one_that_is_gone() -> None:
    """Nobody but the machine's own trouble ends it; then the next tool waits for a new one."""
    before = server()
    os.kill(before, signal.SIGKILL)
    assert server() != before


def test_tools_end_with_their_server() -> None:
    """What runs then was killed, which says nothing about the media: the attempt is made again."""
    watch = Watch(on_message=lambda _: os.kill(before, signal.SIGKILL))
    before = server()
    with pytest.raises(ToolError, match="killed by signal SIGKILL") as failure:
        run_tool(shell("echo begun >&2; sleep 300"), PATIENT, watch=watch)
    assert failure.value.killed


def test_a_signal_for_the_worker_ends_no_tool() -> None:
    """Whoever stops a whole service sends SIGTERM to all its processes: the worker drains, and its tool goes on."""
    before = server()
    watch = Watch(on_message=lambda _: os.kill(before, signal.SIGTERM))
    assert run_tool(shell("echo begun >&2; sleep 0.2; echo done"), PATIENT, watch=watch) == b"done\n"
    assert server() == before


def test_signals_end_a_tool_as_they_always_do() -> None:
    """The server ignores some, tools do not."""
    for number in (signal.SIGTERM, signal.SIGINT):
        with pytest.raises(ToolError, match=f"killed by signal {number.name}"):
            run_tool([sys.executable, "-c", f"import os, signal; os.kill(os.getpid(), {number})"], PATIENT)


def test_a_forked_process_has_a_server_of_its_own(tmp_path: Path) -> None:
    """Two processes on one socket would take each other's answers; the pool of a worker is forked."""
    before, note = server(), tmp_path / "note"
    child = os.fork()
    if child == 0:
        try:
            note.write_text(f"{server()} {run_tool(shell('echo mine'), PATIENT).decode()}")
            end_server()
        finally:
            os._exit(0)
    assert server() == before
    os.waitpid(child, 0)
    others, said = note.read_text().split()
    assert (said, server()) == ("mine", before)
    assert int(others) not in {before, os.getpid()}


def test_the_server_ends_with_its_worker(tmp_path: Path) -> None:
    """Also when the worker leaves without a word, as pools end their children."""
    note = tmp_path / "note"
    child = os.fork()
    if child == 0:
        note.write_text(str(server()))
        os._exit(0)
    os.waitpid(child, 0)
    wait_until(lambda: not Path(f"/proc/{note.read_text()}").exists(), seconds=5, what="the end of the server")


def test_what_is_too_long_for_a_command_is_told() -> None:
    """It does not end the server."""
    before = server()
    with pytest.raises(UnforeseenError, match="could not be started"):
        run_tool(shell("#" * 200_000), PATIENT)
    with pytest.raises(UnforeseenError, match="could not be started"):
        run_tool(shell("#" * 140_000), PATIENT)  # more than the kernel takes as one argument
    assert server() == before
