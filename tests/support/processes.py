"""Looking at real processes by /proc, and ending those that a test started."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def is_running(pid: int) -> bool:
    """Tell whether the process is there and not merely waiting to be buried."""
    try:
        return _stat(pid)[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def parent_of(pid: int) -> int:
    """Return the id of the process's parent."""
    return int(_stat(pid)[1])


def arguments_of(pid: int) -> list[str]:
    """Return the process's command line, empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants(pid: int) -> Iterator[int]:
    """Yield the process's children, theirs and so on, whatever session they are in."""
    for child in _children(pid):
        yield child
        yield from descendants(child)


def kill_whole(pid: int) -> None:
    """End a worker and its pool at once, as a machine that dies does; its tools have to end by themselves."""
    pool = [child for child in descendants(pid) if _is_python(arguments_of(child))]
    for process in (pid, *pool):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _is_python(arguments: list[str]) -> bool:
    # What has ended and is not buried yet has no command line.
    return bool(arguments) and Path(arguments[0]).name.startswith("python")


def _children(pid: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
