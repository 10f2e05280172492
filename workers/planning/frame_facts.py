"""Frames as ffprobe prints them, pictures and sound alike: a line each, of numbers that nobody vouches for. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator

from workers.planning.facts import Probe
from workers.planning.packet_columns import MAX_POSITION_DIGITS

_MAX_DIGITS = 9


def spread(probe: Probe, seconds: float, count: int, length: str) -> str:
    """Return so many places all over a file of so many seconds as ffprobe's intervals, each of this length."""
    return ",".join(f"{probe.start_time + seconds * n / count:.3f}%{length}" for n in range(count))


def frame_lines(text: str, most: int) -> Iterator[dict[str, str]]:
    """Yield what the first `most` lines of `name=value|...` say; a line of anything else has none of the names."""
    for line in text.splitlines()[:most]:
        yield dict(part.partition("=")[::2] for part in line.split("|"))


def count_of(text: str) -> int:
    """Return a whole number of sane length, 0 for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS else 0


def position_of(text: str) -> int | None:
    """Return a place in a file, in bytes; None for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MAX_POSITION_DIGITS else None


def seconds_of(text: str) -> float | None:
    """Return a finite number of seconds, None for anything else."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
