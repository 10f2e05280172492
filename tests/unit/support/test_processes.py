"""Ending a worker whole, whatever its children are at that moment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.processes import arguments_of, descendants, is_running, kill_whole
from tests.support.waiting import wait_until

# A parent with one child that has ended and was never asked for, and one that lives on.
_FAMILY = """
import os, time
for seconds in (0, 600):
    if not os.fork():
        time.sleep(seconds)
        os._exit(0)
time.sleep(600)
"""


@pytest.fixture
def family() -> Iterator[int]:
    """Give the id of a parent with a living child and one that waits to be buried."""
    with subprocess.Popen([sys.executable, "-c", _FAMILY]) as parent:
        wait_until(lambda: sorted(bool(arguments_of(child)) for child in descendants(parent.pid)) == [False, True])
        yield parent.pid
        parent.kill()


def test_a_child_that_has_ended_keeps_nobody_alive(family: int) -> None:
    """It has no command line any more; parent and living child end all the same."""
    (living,) = [child for child in descendants(family) if arguments_of(child)]
    kill_whole(family)
    wait_until(lambda: not (is_running(family) or is_running(living)), what="the end of all")
