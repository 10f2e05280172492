"""Editing the boxes of small MP4s (index last) as phones write them, where ffmpeg 5 and 7 have no common option."""

from __future__ import annotations

import struct
from pathlib import Path

from tests.support.matrices import MIRRORED, QUARTERS, Numbers, matrix

_MATRIX_OFFSET = 44  # from a tkhd's type to its matrix, version 0
_ENTRY_HEADER = 86  # bytes of a sample entry of video before its boxes


def turned(source: Path, target: Path, degrees: int, *, mirrored: bool = False) -> Path:
    """Write the file with the first track to be shown turned clockwise, mirrored left to right before that."""
    return with_matrix(source, target, (MIRRORED if mirrored else QUARTERS)[degrees])


def with_matrix(source: Path, target: Path, numbers: Numbers) -> Path:
    """Write the file with this display matrix on its first track."""
    data = bytearray(source.read_bytes())
    place = data.index(b"tkhd") + _MATRIX_OFFSET
    written = struct.pack(">9i", *matrix(numbers))
    data[place : place + len(written)] = written
    target.write_bytes(data)
    return target


def dolby_vision(source: Path, target: Path, *, profile: int, compatible: int) -> Path:
    """Write the file with a Dolby Vision configuration record in the sample entry of its HEVC track."""
    # Version 1.0, level 1, with metadata and a base layer but no enhancement layer.
    record = bytes([1, 0, profile << 1, 1 << 3 | 0b101, compatible << 4]) + bytes(19)
    box = (8 + len(record)).to_bytes(4, "big") + (b"dvcC" if profile < 8 else b"dvvC") + record
    return with_box(source, target, box, b"hvc1")


def with_box(source: Path, target: Path, box: bytes, codec: bytes) -> Path:
    """Write the file with one more box in the sample entry of its first track, which is of this codec."""
    data = source.read_bytes()
    moov = data.index(b"moov") - 4
    assert data.find(b"mdat") < moov, "offsets of samples would be wrong"
    path = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", codec)
    target.write_bytes(data[:moov] + _grown(data[moov:], box, path))
    return target


def _grown(data: bytes, box: bytes, path: tuple[bytes, ...]) -> bytes:
    """Return the boxes with one more at the end of the last of the path, and all around it so much larger."""
    grown, end = bytearray(data), 0
    for kind in path:
        place = data.index(kind) - 4
        size = int.from_bytes(data[place : place + 4], "big")
        grown[place : place + 4] = (size + len(box)).to_bytes(4, "big")
        end = place + size
    return bytes(grown[:end]) + box + bytes(grown[end:])
