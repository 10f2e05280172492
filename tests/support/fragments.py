"""Reading the boxes of a fragmented MP4 by its path, as stages read what they have opened."""

from __future__ import annotations

from pathlib import Path

from workers.ffmpeg import mp4_boxes
from workers.ffmpeg.mp4_boxes import Fragmented


def read_fragmented(path: Path, *, growing: bool = False) -> Fragmented:
    """Return what `mp4_boxes.read_fragmented` does of the file at this path."""
    with path.open("rb") as file:
        return mp4_boxes.read_fragmented(file, path.stat().st_size, growing=growing)
