"""Movies that say less of themselves than decoding them takes: small pictures in the header, huge ones behind it."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

RATE = 25
LOOKS = 96  # as many as the planner has for a minute of such small pictures: all but those that it sees are huge
SMALL, HUGE = "64x64", "8192x4320"
_TIMESCALE = 1000


def swelling_movie(target: Path, *, seconds: int = 60, huge: str = HUGE) -> Path:
    """Write a QuickTime movie of 64 x 64 of JPEGs that are `huge` wherever nobody looks; each costs 8 bytes."""
    places = [seconds * RATE * number / LOOKS for number in range(LOOKS)]
    is_seen = [False] * (seconds * RATE)
    for place in places:
        for number in range(int(place), min(len(is_seen), int(place) + 2)):
            is_seen[number] = True
    return movie(target, _jpeg(SMALL), _jpeg(huge), is_seen, length=_TIMESCALE // RATE)


def movie(target: Path, small: bytes, huge: bytes, is_small: Sequence[bool], *, length: int) -> Path:
    """Write a movie that has each of the pictures once and points to one of them for every sample.

    `length` is that of a sample in milliseconds.
    """
    head = _box(b"ftyp", b"qt  " + struct.pack(">I", 0) + b"qt  ")
    data = _box(b"mdat", small + huge)
    first = len(head) + 8
    places = [first if one else first + len(small) for one in is_small]
    sizes = [len(small) if one else len(huge) for one in is_small]
    target.write_bytes(head + data + _moov(sizes, places, length))
    return target


def _moov(sizes: Sequence[int], places: Sequence[int], length: int) -> bytes:
    count, seconds = len(sizes), len(sizes) * length
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    entry = struct.pack(">6xH16xHHII4xH32sHh", 1, 64, 64, 0x480000, 0x480000, 1, b"\x04jpeg".ljust(32, b"\0"), 24, -1)
    tables = (
        _full(b"stsd", struct.pack(">I", 1) + _box(b"jpeg", entry))
        + _full(b"stts", struct.pack(">III", 1, count, length))
        + _full(b"stsc", struct.pack(">IIII", 1, 1, 1, 1))
        + _full(b"stsz", struct.pack(">II", 0, count) + struct.pack(f">{count}I", *sizes))
        + _full(b"stco", struct.pack(">I", count) + struct.pack(f">{count}I", *places))
    )
    media = (
        _full(b"mdhd", struct.pack(">4IHH", 0, 0, _TIMESCALE, seconds, 0, 0))
        + _full(b"hdlr", b"mhlrvide" + bytes(13))
        + _box(
            b"minf",
            _full(b"vmhd", bytes(8), flags=1)
            + _box(b"dinf", _full(b"dref", struct.pack(">I", 1) + _full(b"url ", b"", flags=1)))
            + _box(b"stbl", tables),
        )
    )
    track = _full(
        b"tkhd", struct.pack(">5I16x", 0, 0, 1, 0, seconds) + matrix + struct.pack(">II", 64 << 16, 64 << 16), flags=3
    )
    header = struct.pack(">4IIH10x", 0, 0, _TIMESCALE, seconds, 0x10000, 0x100) + matrix + bytes(24) + b"\0\0\0\2"
    return _box(b"moov", _full(b"mvhd", header) + _box(b"trak", track + _box(b"mdia", media)))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def _full(kind: bytes, content: bytes, *, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", flags) + content)


@cache
def _jpeg(size: str) -> bytes:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", f"color=gray:size={size}", "-frames:v", "1"]
    command += ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-threads", "1", "-f", "mjpeg", "pipe:1"]
    return subprocess.run(command, check=True, timeout=120, capture_output=True).stdout
