"""Pictures as small planes: of the source through the pipeline's own filters, and of what came out of it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from storage.model.plan import Plan, Segment
from workers.ffmpeg.commands import segment_command
from workers.sandbox.ffmpeg_features import crops_by_itself

WIDTH, HEIGHT = 160, 90  # small enough to compare without a library, large enough to tell frames from each other
LUMA_BYTES = WIDTH * HEIGHT
PICTURE_BYTES = LUMA_BYTES * 3 // 2
_SMALL = ("-s", f"{WIDTH}x{HEIGHT}", "-pix_fmt", "yuv420p", "-f", "rawvideo")
_DEADLINE_SECONDS = 900


def filtered(plan: Plan, segment: Segment, source: Path, target: Path) -> Path:
    """Write the segment's pictures as the encoder of the smallest rung gets them, by the pipeline's own command."""
    smallest = replace(plan, rungs=plan.rungs[-1:])
    crops = crops_by_itself(plan.video)
    command = segment_command(smallest, segment, str(source), target.parent, crops=crops)
    before_encoding = command[: command.index("-map") + 2]
    # ffmpeg 7 takes the rate behind our filters for unknown, and would repeat and drop raw pictures until it is 25.
    every = ("-frames:v", str(segment.frames), "-fps_mode", "passthrough")
    _run([*before_encoding, *every, *_SMALL, str(target)])
    return target


def decoded(video: Path, target: Path) -> Path:
    """Write all pictures of a finished video."""
    return shrunk(["-i", str(video), "-map", "0:v:0"], target)


def shrunk(source: list[str], target: Path) -> Path:
    """Write all pictures of what ffmpeg's input options name."""
    _run(["ffmpeg", "-nostdin", "-v", "error", *source, "-fps_mode", "passthrough", *_SMALL, str(target)])
    return target


def picture(file: Path, number: int) -> bytes:
    """Return the brightness of one picture of such a file."""
    with file.open("rb") as pictures:
        pictures.seek(number * PICTURE_BYTES)
        return pictures.read(PICTURE_BYTES)[:LUMA_BYTES]


def hashes(file: Path) -> list[bytes]:
    """Return a hash of each picture of such a file."""
    return [sha256(data).digest() for data in _pictures(file)]


def difference(one: bytes, other: bytes) -> float:
    """Return the mean squared difference of two pictures' brightness, in squared steps of 1/255."""
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) / len(one)


def _pictures(file: Path) -> Iterator[bytes]:
    with file.open("rb") as pictures:
        while data := pictures.read(PICTURE_BYTES):
            yield data


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, timeout=_DEADLINE_SECONDS, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
