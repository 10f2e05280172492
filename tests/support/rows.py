"""Where a bright bar stands in the rows of pictures: straight, or combed by fields of different moments."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.looking import look

ROWS = 24  # neighbouring rows in the middle that are looked at
_DARK = 40
_DEADLINE_SECONDS = 60


def bar_in_rows(video: Path) -> list[list[float]]:
    """Return for each picture where the bar's middle is in each of ROWS rows, pixels from the left."""
    width, height = look(video).size
    output = ["-vsync", "passthrough", "-pix_fmt", "gray", "-f", "rawvideo", "-"]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(video), *output]
    raw = subprocess.run(command, check=True, timeout=_DEADLINE_SECONDS, capture_output=True).stdout
    first = height // 2 - ROWS // 2
    pictures = range(0, len(raw), width * height)
    return [[_middle(raw[start + row * width :][:width]) for row in range(first, first + ROWS)] for start in pictures]


def _middle(row: bytes) -> float:
    light = [max(0, value - _DARK) for value in row]
    return sum(place * value for place, value in enumerate(light)) / sum(light)
