"""Files whose containers hide the edges of their pictures, as cameras and mkvmerge write them and no ffmpeg 5 can."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

from storage.model.plan import Crop
from tests.support.boxes_of_mp4 import with_box
from tests.support.ebml import element, extent

_TRACKS, _ENTRY, _VIDEO = b"\x16\x54\xae\x6b", b"\xae", b"\xe0"
_EDGES = {b"\x54\xcc": "left", b"\x54\xdd": "right", b"\x54\xbb": "top", b"\x54\xaa": "bottom"}
_SHOWN = (b"\x54\xb0", b"\x54\xba")
WITHOUT_INDEX = "-f matroska -live 1 -write_crc32 0"  # so that nothing says where pictures lie


def hidden_in_matroska(source: Path, target: Path, crop: Crop, shown: tuple[int, int] | None = None) -> Path:
    """Write a Matroska file without an index with the crop, and the size to be shown, on its first track."""
    data = source.read_bytes()
    numbers = {name: getattr(crop, edge) for name, edge in _EDGES.items()}
    if shown:
        numbers |= dict(zip(_SHOWN, shown, strict=True))
    added = b"".join(element(name, number.to_bytes(2, "big")) for name, number in numbers.items())
    start = data.index(_TRACKS, data.index(_TRACKS) + 1)  # the first stands in the list of what lies where
    payload, end = extent(data, start + len(_TRACKS))
    target.write_bytes(data[:start] + element(_TRACKS, _grown(data[payload:end], (_ENTRY, _VIDEO), added)) + data[end:])
    return target


def hidden_in_mp4(
    source: Path, target: Path, shown: tuple[Fraction, Fraction], offset: tuple[Fraction, Fraction]
) -> Path:
    """Write an MP4 of H.264, its index last, with a clean aperture: its size, and where its centre is."""
    numbers = [part for number in (*shown, *offset) for part in (number.numerator, number.denominator)]
    box = struct.pack(">I4s8i", 40, b"clap", *numbers)
    return with_box(source, target, box, b"avc1")


def _grown(data: bytes, path: tuple[bytes, ...], added: bytes) -> bytes:
    """Return a master's contents with the added elements at the end of the first element at a path."""
    if not path:
        # Of numbers that are there twice the last one counts for some readers, the first one for others.
        return b"".join(element(name, part) for name, part in _elements(data) if name not in _SHOWN) + added
    elements = _elements(data)
    place = [name for name, _ in elements].index(path[0])
    elements[place] = (path[0], _grown(elements[place][1], path[1:], added))
    return b"".join(element(name, part) for name, part in elements)


def _elements(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = list[tuple[bytes, bytes]](), 0
    while at < len(data):
        name = data[at : at + 9 - data[at].bit_length()]
        payload, end = extent(data, at + len(name))
        found.append((name, data[payload:end]))
        at = end
    return found
