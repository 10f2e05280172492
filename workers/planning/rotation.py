"""How a picture is turned and mirrored before it is shown: by the matrix that containers keep. Pure.

Read here as ffmpeg's own automatic turning reads it, so that every version turns alike: newer ones also obey messages
in the stream, of which ffprobe tells nothing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

# A row as ffprobe prints it: its number, and three 16.16 fixed-point numbers.
_ROW = re.compile(r"^[0-9a-f]{8}:\s+(-?\d+)\s+(-?\d+)\s+(-?\d+)\s*$", re.MULTILINE)
_ROWS = 3
SLIGHTEST = 1  # degrees; no more than this is a rounding of writers, not a turn


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a coded picture becomes upright: mirrored left to right if `mirrored`, then turned by `rotation`.

    `rotation` is in degrees against the clock, 0 to 359, as ffprobe counts it.
    """

    rotation: int = 0
    mirrored: bool = False


def turn_told(side_data: list[dict[str, Any]]) -> Orientation:
    """Return the turn that ffprobe's side data of a stream tell; none where they tell none or nonsense."""
    for data in side_data:
        rows = _ROW.findall(str(data.get("displaymatrix", "")))
        if len(rows) == _ROWS:
            return turn_of(tuple(int(number) for row in rows for number in row))
    return Orientation()


def turn_of(matrix: tuple[int, ...]) -> Orientation:
    """Return the turn of a display matrix of nine numbers, row by row. One that has no angle turns nothing."""
    a, b, _, c, d = matrix[:5]
    wide, high = math.hypot(a, c), math.hypot(b, d)
    if not wide or not high:
        return Orientation()
    clockwise = _nearest(math.degrees(math.atan2(b / high, a / wide))) % 360
    match clockwise:
        case 90:
            return Orientation(90, mirrored=True) if c > 0 else Orientation(270)
        case 270:
            return Orientation(270, mirrored=True) if c < 0 else Orientation(90)
        case 180:
            return Orientation(180) if d < 0 else Orientation(0, mirrored=True)
        case 0:
            return Orientation(180, mirrored=True) if d < 0 else Orientation()
    return Orientation() if clockwise <= SLIGHTEST else Orientation(360 - clockwise)


def _nearest(degrees: float) -> int:
    """Return the nearest whole number, halves away from 0: as C rounds."""
    return int(math.copysign(math.floor(abs(degrees) + 0.5), degrees))
