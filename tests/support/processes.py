"""Looking at real processes by /proc, and ending those that a test started."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from workers.sandbox import launcher


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


def slot_of(tool: int) -> int:
    """Return the process of a worker's pool that runs the tool; between them is its fork server."""
    return parent_of(parent_of(tool))


def slots_of(worker: int) -> list[int]:
    """Return the processes of a worker's pool."""
    return [child for child in _children(worker) if not _is_fork_server(arguments_of(child))]


def descendants(pid: int) -> Iterator[int]:
    """Yield the process's children, theirs and so on, whatever session they are in."""
    for child in _children(pid):
        yield child
        yield from descendants(child)


def kill_whole(pid: int) -> None:
    """End a worker and its pool at once; its fork servers and tools have to end by themselves."""
    below = [(child, arguments_of(child)) for child in descendants(pid)]
    pool = [child for child, arguments in below if _is_python(arguments) and not _is_fork_server(arguments)]
    for process in (pid, *pool):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _is_python(arguments: list[str]) -> bool:
    # What has ended and is not buried yet has no command line.
    return bool(arguments) and Path(arguments[0]).name.startswith("python")


def _is_fork_server(arguments: list[str]) -> bool:
    return arguments[-1:] == [launcher.__file__]


def _children(pid: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
