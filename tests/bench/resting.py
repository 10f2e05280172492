"""What the parts of an installation take of the processor, told to the nanosecond: at rest they take little."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from tests.bench.installation import Installation
from tests.support.processes import arguments_of, descendants

# The arguments behind the program's name, by what the part is called in the table.
_MODULES = {
    "web": ["-m", "web"],
    "control": ["-m", "workers", "control"],
    "janitor": ["-m", "workers", "janitor"],
}
REDIS = "Redis"
PARTS = (*_MODULES, REDIS)


def resting(installations: Sequence[Installation], seconds: float) -> list[dict[str, float]]:
    """Return the CPU seconds a second of each part over so many seconds; all installations rest at the same time."""
    began, before = time.monotonic(), [cpu_of_parts(each.pid) for each in installations]
    time.sleep(seconds)
    passed, after = time.monotonic() - began, [cpu_of_parts(each.pid) for each in installations]
    return [
        {part: (end[part] - begin[part]) / passed for part in PARTS} for begin, end in zip(before, after, strict=True)
    ]


def cpu_of_parts(pid: int) -> dict[str, float]:
    """Return the CPU seconds that each part's living processes have taken; the parts are below this process."""
    spent = dict.fromkeys(PARTS, 0.0)
    for child in descendants(pid):
        part = part_of(arguments_of(child))
        if part is not None:
            spent[part] += _cpu_seconds(child)
    return spent


def part_of(arguments: Sequence[str]) -> str | None:
    """Return which part a command line is of; forks keep that of their part.

    Redis writes its address behind its name.
    """
    if arguments and arguments[0].startswith("redis-server"):
        return REDIS
    return next((part for part, own in _MODULES.items() if list(arguments[1:]) == own), None)


def _cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of the process and all its threads, 0 for one that has ended.

    /proc/<pid>/stat counts hundredths, of which a part at rest takes a handful in half a minute.
    """
    with suppress(OSError):
        return time.clock_gettime((~pid << 3) | 2)  # the clock's id, as clock_getcpuclockid(3) makes it
    return 0.0
