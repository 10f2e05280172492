"""AVI: a recording appended to another is read through, on the clock and with the formats of the first header.

RIFF and AVI 1.0 are Microsoft's, RIFFs behind the first (`AVIX`) OpenDML's. Numbers are little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice

from workers.planning.headers.byte_ranges import Ranges

MOST_RIFFS = 1000  # of a gigabyte each, as OpenDML writers make them
HEADER_BYTES = 64 * 1024  # descriptions of some streams take a few kB, further indexes come behind them
_RIFF_BYTES, _CHUNK_BYTES = 12, 8
_HEADER_OF_STREAM, _FORMAT_OF_SOUND = struct.Struct("<4s16xII16xI"), struct.Struct("<HHI4xHH")
_CODEC_AT = 16  # in the format of pictures

Format = tuple[object, ...]


def coded_otherwise(file: Ranges) -> int | None:
    """Return where a further recording begins whose streams are of other formats than the first one's; or None."""
    first = formats(file, 0)
    riffs = ((at, form) for at, form in _riffs(file) if form == b"AVI " and at)
    return next((at for at, _ in riffs if formats(file, at) not in {first, ()}), None)


def formats(file: Ranges, start: int) -> tuple[Format, ...]:
    """Return what decides how the streams of a recording are timed and decoded; nothing where it has no header.

    The size of pictures is not among it: those that can be in an AVI tell it themselves.
    """
    data = file.read(start + _RIFF_BYTES, HEADER_BYTES)
    header = next((content for kind, content in _chunks(data) if kind == b"LIST" and content[:4] == b"hdrl"), b"")
    streams = (content for kind, content in _chunks(header[4:]) if kind == b"LIST" and content[:4] == b"strl")
    return tuple(_format(dict(_chunks(stream[4:]))) for stream in streams)


def codec_places(file: Ranges, stream: int) -> tuple[tuple[int, int], ...]:
    """Return where the stream's format, which names its codec, is called a format; in bytes.

    Not where the name is: pictures without one are taken for uncompressed, and a kind of stream that is unknown for
    that of the stream before.
    """
    data = file.read(0, HEADER_BYTES)
    if data[:4] != b"RIFF" or data[8:_RIFF_BYTES] != b"AVI ":
        return ()
    header = next(_lists(data, b"hdrl", _RIFF_BYTES, len(data)), (0, 0))
    places = islice(_lists(data, b"strl", *header), stream, stream + 1)
    formats = (at for place in places for kind, at, _ in _spans(data, *place) if kind == b"strf")
    return tuple((at - _CHUNK_BYTES, at - _CHUNK_BYTES + 4) for at in formats)


def _riffs(file: Ranges) -> Iterator[tuple[int, bytes]]:
    """Yield where the RIFFs of the file begin, and of what form they are."""
    at = 0
    for _ in range(MOST_RIFFS):
        head = file.read(at, _RIFF_BYTES)
        if len(head) < _RIFF_BYTES or not head.startswith(b"RIFF"):
            return
        yield at, head[8:]
        at += _CHUNK_BYTES + _even(int.from_bytes(head[4:8], "little"))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and the content of each chunk, of the last one as much as there is."""
    return ((kind, data[start:end]) for kind, start, end in _spans(data, 0, len(data)))


def _lists(data: bytes, name: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where the contents of the lists of this name begin and end."""
    for kind, begins, ends in _spans(data, start, end):
        if kind == b"LIST" and data[begins : begins + 4] == name:
            yield begins + 4, ends


def _spans(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each chunk, and where its content begins and ends."""
    at = start
    while at + _CHUNK_BYTES <= end:
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        at += _CHUNK_BYTES
        yield kind, at, min(end, at + length)
        at += _even(length)


def _format(stream: dict[bytes, bytes]) -> Format:
    header, form = stream.get(b"strh", b""), stream.get(b"strf", b"")
    if len(header) < _HEADER_OF_STREAM.size:
        return ()
    kind, scale, rate, sample_bytes = _HEADER_OF_STREAM.unpack_from(header)
    clock = Fraction(rate, scale) if scale else None
    if kind == b"auds" and len(form) >= _FORMAT_OF_SOUND.size:
        return kind, clock, sample_bytes, _FORMAT_OF_SOUND.unpack_from(form)
    return kind, clock, form[_CODEC_AT : _CODEC_AT + 4]


def _even(length: int) -> int:
    return length + length % 2
