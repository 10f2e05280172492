"""Clips whose pictures change on their way, and what came out of them: number, shape and fields of every picture.

A picture holds its number in the top sixth (twelve cells, a white one where the bit is set), a round white disc in the
middle, and a white bar in the bottom sixth that moves from field to field.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

RATE, BITS = 25, 12
DISC = 0.55  # diameter, of the shorter side as it is shown
BAR_STEP = 0.01  # of the width, in the time of a field
GREY, WHITE = 70, 235  # bars beside a picture are black
EDGE, LIGHT = 30, 150  # what is brighter is no bar, what is brighter still is white
_DEADLINE_SECONDS = 120
_DARK_OR_LIGHT = bytes(int(value > LIGHT) for value in range(256))
_INSIDE = bytes(int(value > EDGE) for value in range(256))


@dataclass(frozen=True)
class Part:
    """Pictures of one kind: how many, their size as coded, the shape of their pixels, and whether they are fields."""

    frames: int
    width: int
    height: int
    aspect: Fraction = Fraction(1)
    fields: bool = False
    options: str = ""
    pixels: str = "yuv420p"

    @property
    def shown(self) -> tuple[int, int]:
        """The size in square pixels, a side stretched up."""
        if self.aspect > 1:
            return round(self.width * self.aspect), self.height
        return self.width, round(self.height / self.aspect)


@dataclass(frozen=True)
class Found:
    """A picture of the result: its number, its place (left, top, width, height), the disc's size, and its combs.

    `combs` is how far the edge of the moving bar differs between lines, in pixels.
    """

    number: int
    place: tuple[int, int, int, int]
    disc: tuple[float, float]
    combs: int

    @property
    def roundness(self) -> float:
        """How much wider than high the disc is."""
        return self.disc[0] / self.disc[1]


ENCODERS = {
    "h264": "-c:v libx264 -preset veryfast -crf 12 -g 12",
    "mpeg2": "-c:v mpeg2video -q:v 3 -g 12",
    "hevc": "-c:v libx265 -preset ultrafast -x265-params log-level=error:crf=14:keyint=12",
    "mpeg4": "-c:v mpeg4 -q:v 3 -g 12",
    "vp8": "-c:v libvpx -b:v 4M -crf 8 -g 12 -deadline realtime -cpu-used 8",
    "vp9": "-c:v libvpx-vp9 -b:v 0 -crf 20 -g 12 -deadline realtime -cpu-used 8",
}
_FIELDS = {"h264": "-flags +ilme+ildct -x264opts tff=1", "mpeg2": "-flags +ilme+ildct", "hevc": ""}


def make_appended(target: Path, parts: Sequence[Part], codec: str) -> Path:
    """Write a stream of the parts, each a recording of its own whose clock begins anew."""
    first, data = 0, b""
    for number, part in enumerate(parts):
        piece = _encoded(target.parent / f"{target.stem}.{number}.ts", part, codec, first, begin=1.0)
        data += piece.read_bytes()
        first += part.frames
    target.write_bytes(data)
    return target


def make_changing(target: Path, parts: Sequence[Part], codec: str, *, sound: bool = False) -> Path:
    """Write one clip of the parts, one after the other; the suffix decides about the container."""
    first, pieces = 0, list[Path]()
    for number, part in enumerate(parts):
        piece = target.parent / f"{target.stem}.{number}.{'webm' if codec.startswith('vp') else 'ts'}"
        pieces.append(_encoded(piece, part, codec, first, begin=1 + first / RATE))
        first += part.frames
    joined = _joined(target, pieces)
    whole = ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={first / RATE}"] if sound else []
    copied = target.with_stem(f"{target.stem}_copied")  # anew: where streams are joined, their packets are not in order
    _run(
        [
            "ffmpeg",
            "-v",
            "error",
            "-y",
            *_input(joined),
            *whole,
            *("-map", "0:v"),
            *(["-map", "1:a"] if sound else []),
            *("-c:v", "copy", "-c:a", "libopus" if target.suffix == ".webm" else "aac"),
            str(copied),
        ]
    )
    return copied


def look_at(video: Path, width: int, height: int) -> list[Found]:
    """Return what each picture of a finished video shows."""
    raw = _run(
        [
            "ffmpeg",
            "-v",
            "error",
            "-i",
            str(video),
            *("-map", "0:v:0", "-vsync", "passthrough"),
            *("-pix_fmt", "gray", "-f", "rawvideo", "-"),
        ]
    )
    size = width * height
    return [_found(raw[at : at + size], width, height) for at in range(0, len(raw), size)]


def _encoded(target: Path, part: Part, codec: str, first: int, *, begin: float) -> Path:
    pictures = b"".join(_picture(part, first + n) for n in range(part.frames))
    fields = _FIELDS[codec] if part.fields else ""
    marked = f"setsar={part.aspect.numerator}/{part.aspect.denominator}" + (",setfield=tff" if part.fields else "")
    _run(
        [
            *("ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{part.width}x{part.height}"),
            *("-r", str(RATE), "-i", "-", "-vf", f"format={part.pixels},{marked}"),
            *ENCODERS[codec].split(),
            *fields.split(),
            *part.options.split(),
            *("-muxdelay", "0", "-muxpreload", "0"),
            *([] if target.suffix == ".webm" else ["-output_ts_offset", str(begin)]),
            str(target),
        ],
        pictures,
    )
    return target


def _joined(target: Path, pieces: Sequence[Path]) -> Path:
    if pieces[0].suffix == ".ts":
        joined = target.with_suffix(".ts")
        joined.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
        return joined
    listed = target.with_suffix(".txt")
    listed.write_text("".join(f"file '{piece}'\n" for piece in pieces))
    return listed


def _input(joined: Path) -> list[str]:
    return ["-f", "concat", "-safe", "0", "-i", str(joined)] if joined.suffix == ".txt" else ["-i", str(joined)]


def _picture(part: Part, number: int) -> bytes:
    """Return a picture's brightness."""
    width, height = part.width, part.height
    bar = [_row(width, *_bar(width, 2 * number + field)) for field in (0, int(part.fields))]
    cells = b"".join(
        bytes([WHITE if number >> bit & 1 else GREY]) * ((bit + 1) * width // BITS - bit * width // BITS)
        for bit in range(BITS)
    )
    rows = [_disc_row(part, y) for y in range(height // 6, height - height // 6)]
    return cells * (height // 6) + b"".join(rows) + b"".join(bar[y % 2] for y in range(height - height // 6, height))


def _row(width: int, left: int, right: int) -> bytes:
    return bytes([GREY]) * left + bytes([WHITE]) * (right - left) + bytes([GREY]) * (width - right)


def _bar(width: int, moment: int) -> tuple[int, int]:
    left = round(width * (0.05 + (moment * BAR_STEP) % 0.8))
    return left, left + width // 16


def _disc_row(part: Part, y: int) -> bytes:
    shown_width, shown_height = part.shown
    radius = DISC * min(shown_width, shown_height) / 2
    off = (y + 0.5) * shown_height / part.height - shown_height / 2
    if abs(off) >= radius:
        return bytes([GREY]) * part.width
    half = (radius**2 - off**2) ** 0.5 * part.width / shown_width
    return _row(part.width, round(part.width / 2 - half), round(part.width / 2 + half))


def _found(picture: bytes, width: int, height: int) -> Found:
    inside = picture.translate(_INSIDE)
    middle_row, middle_column = inside[height // 2 * width :][:width], inside[width // 2 :: width]
    left, right = middle_row.find(1), middle_row.rfind(1) + 1
    top, bottom = middle_column.find(1), middle_column.rfind(1) + 1
    light = picture.translate(_DARK_OR_LIGHT)
    lines = [light[y * width + left : y * width + right] for y in range(top, bottom)]
    across, down = right - left, bottom - top
    column = picture[width // 2 :: width][top + down // 6 + 3 : bottom - down // 6 - 3]
    edges = [line.find(1) for line in lines[-(down // 6) + 4 : -4]]
    return Found(
        number=sum(lines[down // 12][(2 * bit + 1) * across // (2 * BITS)] << bit for bit in range(BITS)),
        place=(left, top, across, down),
        disc=(_length(picture[height // 2 * width + left :][:across]), _length(column)),
        combs=max(edges) - min(edges),
    )


def _length(line: bytes) -> float:
    """Return how long the white part of a line is, its grey edges counted as what they are."""
    return sum(min(max(value - GREY, 0), WHITE - GREY) for value in line) / (WHITE - GREY)


def _run(command: list[str], data: bytes | None = None) -> bytes:
    done = subprocess.run(command, check=True, timeout=_DEADLINE_SECONDS, input=data, stdout=subprocess.PIPE)
    return done.stdout
