"""The eight display matrices that turn by quarters, as containers keep them and as ffprobe tells them."""

from __future__ import annotations

from typing import Any

Numbers = tuple[float, float, float, float]  # a, b, c, d

ONE = 1 << 16  # 16.16 fixed point; the last of a row has 30 bits behind the point
QUARTERS: dict[int, Numbers] = {  # by degrees clockwise
    0: (1, 0, 0, 1),
    90: (0, 1, -1, 0),
    180: (-1, 0, 0, -1),
    270: (0, -1, 1, 0),
}
MIRRORED: dict[int, Numbers] = {  # mirrored left to right, then turned clockwise
    0: (-1, 0, 0, 1),
    90: (0, -1, -1, 0),
    180: (1, 0, 0, -1),
    270: (0, 1, 1, 0),
}


def matrix(numbers: Numbers) -> tuple[int, ...]:
    """Return the nine numbers of the matrix, row by row."""
    a, b, c, d = (round(number * ONE) for number in numbers)
    return (a, b, 0, c, d, 0, 0, 0, 1 << 30)


def told(numbers: Numbers) -> dict[str, Any]:
    """Return the matrix as ffprobe prints it among a stream's side data, without the angle it reckons of it."""
    flat = matrix(numbers)
    rows = [f"{row:08d}:" + "".join(f"{number:13d}" for number in flat[3 * row : 3 * row + 3]) for row in range(3)]
    return {"side_data_type": "Display Matrix", "displaymatrix": "\n" + "\n".join(rows) + "\n"}
