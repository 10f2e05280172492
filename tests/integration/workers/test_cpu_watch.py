"""Tools end when the processor time of their work is used up, and for nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from storage.media_errors import TooMuchWorkError
from tests.support.waiting import wait_until
from workers.sandbox.cpu_watch import CpuWatch, WorkBudget, cpu_seconds
from workers.sandbox.run import ToolLimits, Watch, run_tool

pytestmark = pytest.mark.usefixtures("unfenced_tools")  # a shell that may start nothing does not sleep
PATIENT = ToolLimits(deadline=60.0, stall=60.0)
BUSY = ["sh", "-c", "while :; do :; done"]
BRIEF = ["sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"]  # some 0.3 s


@pytest.fixture
def busy() -> Iterator[subprocess.Popen[bytes]]:
    """Give a process that does nothing but work."""
    with subprocess.Popen(BUSY) as process:
        yield process
        process.kill()


def test_a_tool_ends_with_its_budget() -> None:
    """With the error of its own, which is no reason to try again."""
    watch = Watch(work=WorkBudget(0.5))
    with pytest.raises(TooMuchWorkError):
        run_tool(BUSY, PATIENT, watch=watch)
    assert watch.work is not None
    assert 0.5 < watch.work.spent < 5.0


def test_tools_of_one_piece_of_work_share_its_budget() -> None:
    """Those beside each other, and those after them: what is used up stays used up."""
    work = WorkBudget(0.6)
    with ThreadPoolExecutor(2) as pool:
        for ended in [pool.submit(run_tool, BUSY, PATIENT, watch=Watch(work=work)) for _ in range(2)]:
            with pytest.raises(TooMuchWorkError):
                ended.result()
    with pytest.raises(TooMuchWorkError):
        run_tool(BRIEF, PATIENT, watch=Watch(work=work))


def test_what_short_tools_take_counts_to_the_end() -> None:
    """Though none of them is there when it is looked for twice."""
    work = WorkBudget(60.0)
    run_tool(BRIEF, PATIENT, watch=Watch(work=work))
    once = work.spent
    run_tool(BRIEF, PATIENT, watch=Watch(work=work))
    assert 0.02 < once < work.spent


def test_who_sleeps_takes_nothing() -> None:
    """However long it does."""
    work = WorkBudget(0.3)
    run_tool(["sh", "-c", "sleep 1"], PATIENT, watch=Watch(work=work))
    assert work.left > 0.2


def test_a_frozen_tool_is_not_charged(busy: subprocess.Popen[bytes]) -> None:
    """As a machine that is paused does no work."""
    work = WorkBudget(3600.0)
    watch = CpuWatch(busy.pid, work)

    def has_worked() -> bool:
        watch.look()
        return work.spent > 0.05

    wait_until(has_worked, what="some work")
    os.kill(busy.pid, signal.SIGSTOP)
    wait_until(lambda: _state(busy.pid) == "T", what="the pause")
    watch.look()
    spent = work.spent
    time.sleep(0.5)  # the time that must not count
    watch.look()
    assert work.spent == spent


def test_nothing_is_known_of_a_process_that_is_gone() -> None:
    """Which is no error: tools end while they are looked at."""
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    assert cpu_seconds(gone.pid) is None
    CpuWatch(gone.pid, WorkBudget(1.0)).look()


def _state(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - a file of the kernel
        return stat.read().rpartition(")")[2].split()[0]
