"""The one function that runs tools, against real processes that hang, flood, fork and survive their parent.

They do what the sandbox refuses, so they run without its layers, as on a kernel that lacks them.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from storage.errors import LeaseLostError, ToolError, ToolTimeoutError, UnforeseenError
from tests.support.processes import is_running, parent_of
from tests.support.unfenced import shell
from tests.support.waiting import wait_until
from workers.sandbox import run
from workers.sandbox.launching import MEMORY_BYTES, OPEN_FILES, OUTPUT_FILE_BYTES
from workers.sandbox.reach import Reach
from workers.sandbox.run import STDERR_LINE_BYTES, STDERR_LINES, ToolLimits, Watch, lines_of, run_tool

pytestmark = pytest.mark.usefixtures("unfenced_tools")
PATIENT = ToolLimits(deadline=30.0, stall=30.0)
FAMILY = 'sleep 300 & echo $! >"$1"; echo $$ >>"$1"; wait'  # a shell with a child, both noted in a file
FLOOD_BYTES = 64 * 1024**2
MEMORY_GROWTH_BYTES = 24 * 1024**2  # less than half of a flood


def python(script: str, *arguments: str | Path) -> list[str]:
    """Return the command that runs a Python script."""
    return [sys.executable, "-c", script, *map(str, arguments)]


def noted_pids(note: Path) -> list[int]:
    """Return the process ids in the file, once both are there."""
    wait_until(lambda: note.exists() and len(note.read_text().split()) == 2, what="two processes")
    return [int(pid) for pid in note.read_text().split()]


def assert_gone(pids: list[int]) -> None:
    """Fail unless none of the processes runs any more."""
    wait_until(lambda: not any(map(is_running, pids)), seconds=5, what=f"the end of {pids}")


def test_a_tool_is_as_nice_as_it_was_asked_to_be() -> None:
    """In the worker's own session, as the kernel would weigh sessions against each other and not processes."""
    own = os.nice(0)
    script = "nice; ps -o sid= -p $$"
    for niceness in (0, 10):
        said = run_tool(shell(script), PATIENT, niceness=niceness).split()
        assert [int(number) for number in said] == [own + niceness, os.getsid(0)]


def test_output_is_returned() -> None:
    """Standard output comes back whole."""
    assert run_tool(shell("printf 'a\\nb'"), PATIENT) == b"a\nb"


def test_a_failure_carries_the_last_lines() -> None:
    """The detail says tool and code, then the end of what it said, and the input's name is not in it."""
    script = 'i=0; while [ $i -lt 100 ]; do echo "line $i of $1" >&2; i=$((i+1)); done; exit 3'
    with pytest.raises(ToolError, match="sh ended with code 3") as failure:
        run_tool(shell(script, "/secret/path"), PATIENT, watch=Watch(conceal="/secret/path"))
    ending, *lines = failure.value.detail.splitlines()
    assert ending == "sh ended with code 3."
    assert lines == [f"line {number} of original" for number in range(100 - STDERR_LINES, 100)]
    assert not failure.value.killed


def test_a_kill_is_told_apart_from_a_failure() -> None:
    """A signal says nothing about the media."""
    with pytest.raises(ToolError, match="killed by signal SIGKILL") as failure:
        run_tool(shell("kill -9 $$"), PATIENT)
    assert failure.value.killed


def test_a_tool_that_is_not_there_is_an_error_of_ours() -> None:
    """A missing ffmpeg is said, not mistaken for a broken video."""
    with pytest.raises(UnforeseenError, match="could not be started") as failure:
        run_tool(["rungs-has-no-such-tool"], PATIENT)
    assert "rungs-has-no-such-tool" in failure.value.detail


def test_the_deadline_ends_the_whole_family(tmp_path: Path) -> None:
    """A tool that moves but never arrives is ended with its children."""
    with pytest.raises(ToolTimeoutError, match="longer than 1 s"):
        run_tool(shell(FAMILY, tmp_path / "pids"), ToolLimits(deadline=1.0, stall=30.0))
    assert_gone(noted_pids(tmp_path / "pids"))


def test_a_stall_ends_the_whole_family(tmp_path: Path) -> None:
    """A tool that prints the same position for ever makes no progress."""
    script = 'sleep 300 & echo $! >"$1"; echo $$ >>"$1"; while :; do echo frame=7; echo fps=1; sleep 0.05; done'
    seen: list[tuple[str, str]] = []
    watch = Watch(on_progress=lambda key, value: seen.append((key, value)))
    with pytest.raises(ToolTimeoutError, match="no progress for 1 s"):
        run_tool(shell(script, tmp_path / "pids"), ToolLimits(deadline=30.0, stall=1.0), watch=watch)
    assert ("frame", "7") in seen
    assert_gone(noted_pids(tmp_path / "pids"))


def test_who_moves_is_not_stalled() -> None:
    """Twice the stall time passes while the position changes."""
    script = "i=0; while [ $i -lt 20 ]; do echo frame=$i; i=$((i+1)); sleep 0.1; done"
    frames: list[str] = []
    run_tool(
        shell(script),
        ToolLimits(deadline=30.0, stall=1.0),
        watch=Watch(on_progress=lambda _, value: frames.append(value)),
    )
    assert frames == [str(number) for number in range(20)]


def test_cancelling_ends_the_whole_family(tmp_path: Path) -> None:
    """Within a second of being cancelled, tool and children are gone."""
    watch = Watch()

    def cancel() -> None:
        if noted_pids(tmp_path / "pids"):
            watch.cancelled.set()

    threading.Thread(target=cancel, daemon=True).start()
    began = time.monotonic()
    with pytest.raises(LeaseLostError):
        run_tool(shell(FAMILY, tmp_path / "pids"), PATIENT, watch=watch)
    assert time.monotonic() - began < PATIENT.deadline / 2
    assert_gone(noted_pids(tmp_path / "pids"))


def test_a_child_that_is_left_behind_is_ended(tmp_path: Path) -> None:
    """A tool that ends well but leaves a child with the pipes open neither blocks us nor leaves the child."""
    began = time.monotonic()
    run_tool(shell('sleep 300 & echo $! >"$1"; echo $$ >>"$1"', tmp_path / "pids"), PATIENT)
    assert time.monotonic() - began < PATIENT.deadline / 2
    assert_gone(noted_pids(tmp_path / "pids"))


def resident_bytes() -> int:
    """Return the most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def flood(stream: str, line: str) -> list[str]:
    """Return the command that writes FLOOD_BYTES to the stream and fails."""
    script = f"""
import sys
for _ in range({FLOOD_BYTES >> 16}):
    sys.{stream}.buffer.write({line!r}.encode() * 1024)
sys.exit(1)
"""
    return python(script)


@pytest.mark.parametrize("line", ["x" * 63 + "\n", "x" * 64], ids=["lines", "one endless line"])
def test_a_flood_of_errors_neither_blocks_nor_fills_memory(line: str) -> None:
    """64 MiB on standard error are drained, and the last lines kept short."""
    before = resident_bytes()
    with pytest.raises(ToolError) as failure:
        run_tool(flood("stderr", line), PATIENT)
    assert len(failure.value.detail) <= STDERR_LINES * (STDERR_LINE_BYTES + 1)
    assert resident_bytes() - before < MEMORY_GROWTH_BYTES


@pytest.mark.parametrize("line", ["frame=1234567890" * 4 + "\n", "x" * 64], ids=["lines", "one endless line"])
def test_a_flood_of_progress_neither_blocks_nor_fills_memory(line: str) -> None:
    """64 MiB of progress are read and forgotten, with line ends or without."""
    before = resident_bytes()
    with pytest.raises(ToolError, match="code 1"):
        run_tool(flood("stdout", line), PATIENT, watch=Watch(on_progress=lambda _key, _value: None))
    assert resident_bytes() - before < MEMORY_GROWTH_BYTES


def test_output_is_taken_while_the_tool_works() -> None:
    """Piece by piece and in order; nothing is kept to be returned."""
    pieces: list[bytes] = []
    told: list[float] = []

    def take(piece: bytes) -> None:
        pieces.append(piece)
        told.append(time.monotonic())

    script = "import time; print('x' * 70000, flush=True); time.sleep(1); print('end')"
    assert run_tool(python(script), PATIENT, take=take) == b""
    assert b"".join(pieces) == b"x" * 70000 + b"\nend\n"
    assert told[0] < time.monotonic() - 0.9


def test_who_cannot_take_the_output_stops_the_tool() -> None:
    """Its error is raised at once, and the tool is gone."""

    def take(_piece: bytes) -> None:
        raise ValueError("Nobody knows what to do with it.")

    began = time.monotonic()
    with pytest.raises(ValueError, match="Nobody knows"):
        run_tool(shell("while :; do echo 0123456789; done"), PATIENT, take=take)
    with pytest.raises(ValueError, match="Nobody knows"):
        run_tool(shell("echo 0123456789"), PATIENT, take=take)
    assert time.monotonic() - began < PATIENT.deadline / 2


def test_a_flood_that_is_taken_is_stopped_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes it keeps something of it."""
    monkeypatch.setattr(run, "MAX_CAPTURE_BYTES", 1024**2)
    taken: list[int] = []
    with pytest.raises(ToolError, match="printed more"):
        run_tool(shell("while :; do echo 0123456789; done"), PATIENT, take=lambda piece: taken.append(len(piece)))
    assert sum(taken) <= run.MAX_CAPTURE_BYTES


def test_the_end_of_a_tool_is_noticed_at_once() -> None:
    """Not at the next poll: playback waits for several tools, one after another."""
    times = []
    for _ in range(10):
        began = time.monotonic()
        run_tool(shell("sleep 0.068"), PATIENT)
        times.append(time.monotonic() - began)
    assert min(times) < 0.095  # the poll would notice it after 0.1


def test_a_tool_that_closes_its_output_is_waited_for(tmp_path: Path) -> None:
    """It is at its end only when it has ended; a child that keeps the output open does not keep us."""
    run_tool(shell('exec >&- 2>&-; sleep 0.3; echo done >"$1"', tmp_path / "note"), PATIENT)
    assert (tmp_path / "note").read_text() == "done\n"
    with pytest.raises(ToolTimeoutError):
        run_tool(shell("exec >&- 2>&-; sleep 30"), ToolLimits(deadline=1.0, stall=30.0))


def test_a_flood_of_output_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than any real file's packet list is not collected to the end."""
    monkeypatch.setattr(run, "MAX_CAPTURE_BYTES", 1024**2)
    with pytest.raises(ToolError, match="printed more"):
        run_tool(shell("while :; do echo 0123456789; done"), PATIENT)


PARENT = """
import os, sys
from pathlib import Path
from workers.sandbox.launching import Fences, fence_in
from workers.sandbox.reach import Reach
from workers.sandbox.run import ToolLimits, run_tool
fence_in(Fences(off=sys.argv[2] == "off"))
note = Path(sys.argv[1])
script = f"import os; open({str(note)!r}, 'w').write(f'{{os.getpid()}} {{os.getppid()}}')\\nwhile True: pass"
tool = [os.path.realpath(sys.executable), "-I", "-S", "-c", script]
run_tool(tool, ToolLimits(300, 300), reach=Reach(read=(Path(sys.base_prefix, "lib"),), write=note.parent))
"""


@pytest.mark.parametrize("mode", ["on", "off"])
def test_a_killed_parent_takes_its_tool_along(tmp_path: Path, mode: str) -> None:
    """A worker that is killed with -9 leaves no ffmpeg that nobody waits for."""
    command, here = python(PARENT, tmp_path / "pids", mode), os.environ | {"PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(command, env=here) as parent:
        try:
            pids = noted_pids(tmp_path / "pids")
            assert parent_of(pids[1]) == parent.pid  # between them is the fork server, which ends as well
        finally:
            parent.kill()
    assert_gone(pids)


def test_memory_is_bounded() -> None:
    """A tool cannot take more address space than its limit."""
    with pytest.raises(ToolError) as failure:
        run_tool(python(f"bytearray({MEMORY_BYTES})"), PATIENT)
    assert "MemoryError" in failure.value.detail


def test_the_limits_of_the_tool_are_set() -> None:
    """Files, their size, core dumps and the time of processors are bounded as the constants say."""
    kinds = "r.RLIMIT_NOFILE, r.RLIMIT_FSIZE, r.RLIMIT_CORE, r.RLIMIT_CPU"
    script = f"import resource as r; print([r.getrlimit(k) for k in ({kinds})])"
    seconds = 30 * (os.cpu_count() or 1)
    expected = [(most, most) for most in (OPEN_FILES, OUTPUT_FILE_BYTES, 0, seconds)]
    assert run_tool(python(script), PATIENT).decode().strip() == str(expected)


def test_our_environment_and_input_stay_with_us(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keys in the environment are not the tool's to see, it has nothing to read, and it works in its own folder."""
    monkeypatch.setenv("OBJECT_STORE_SECRET_KEY", "not for ffmpeg")
    shown = run_tool(shell("env; cat; pwd"), PATIENT, reach=Reach(write=tmp_path)).decode()
    names = {line.partition("=")[0] for line in shown.splitlines()}
    assert names - {"PWD", "SHLVL", "_"} == {"LC_ALL", str(tmp_path)}
    assert run_tool(shell("pwd"), PATIENT) == b"/\n"


def test_a_stranger_who_keeps_the_pipes_open_holds_nobody_up(tmp_path: Path) -> None:
    """A child in a session of its own is not in the group that is killed; whether it writes or sleeps, we go on."""
    for work in ("sleep 300", "yes"):
        note = tmp_path / "pids"
        note.unlink(missing_ok=True)
        began = time.monotonic()
        script = f'setsid sh -c \'echo $$ >"$1"; exec {work}\' sh "$1" & while [ ! -s "$1" ]; do :; done; echo said'
        try:
            assert run_tool(shell(script, note), PATIENT).startswith(b"said" if work != "yes" else b"")
            assert time.monotonic() - began < 5
        finally:
            os.kill(int(note.read_text()), signal.SIGKILL)


def test_a_line_is_bounded_and_whole_across_pieces() -> None:
    """Whatever the pieces are in which it comes."""
    assert list(lines_of([b"a", b"b\nc\n\nd", b"e"], 10)) == [b"ab", b"c", b"", b"de"]
    assert list(lines_of([b"0123456789abc\n", b"0" * 25], 10)) == [
        b"0123456789",
        b"abc",
        b"0" * 10,
        b"0" * 10,
        b"0" * 5,
    ]


def test_a_tool_gains_no_rights() -> None:
    """A set-user-id program inside the tool runs with the rights it was started with."""
    assert "NoNewPrivs:\t1" in run_tool(shell("cat /proc/self/status"), PATIENT).decode()
