"""The times in the boxes of fragmented MP4: when a player shows each picture. ffmpeg's demuxer shows them too late."""

from __future__ import annotations

from collections.abc import Iterator

_HEADER = 8
_SIGNED = 1 << 31


def shown_times(data: bytes) -> list[float]:
    """Return when each sample of the first track is shown, seconds, in order of showing."""
    scale = 1
    times = list[float]()
    for kind, body in _walk(data):
        if kind == b"mdhd":
            scale = int.from_bytes(body[20:24] if body[0] else body[12:16], "big")
        elif kind == b"traf":
            times += [ticks / scale for ticks in _fragment(body)]
    return sorted(times)


def _walk(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the boxes that matter, wherever they lie."""
    place = 0
    while place + _HEADER <= len(data):
        size, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + _HEADER]
        if size < _HEADER:
            return
        body = data[place + _HEADER : place + size]
        if kind in {b"moov", b"trak", b"mdia", b"moof"}:
            yield from _walk(body)
        elif kind in {b"mdhd", b"traf", b"tfhd", b"tfdt", b"trun"}:
            yield kind, body
        place += size


def _fragment(traf: bytes) -> Iterator[int]:
    length, at = 0, 0
    for kind, body in _walk(traf):
        flags = int.from_bytes(body[1:4], "big")
        if kind == b"tfhd" and flags & 8:
            place = 8 + 8 * bool(flags & 1) + 4 * bool(flags & 2)
            length = int.from_bytes(body[place : place + 4], "big")
        elif kind == b"tfdt":
            at = int.from_bytes(body[4 : 12 if body[0] else 8], "big")
        elif kind == b"trun":
            for lasts, late in _run(body, flags, length):
                yield at + late
                at += lasts


def _run(body: bytes, flags: int, usual: int) -> Iterator[tuple[int, int]]:
    """Yield length and delay of showing of each sample, in ticks."""
    count = int.from_bytes(body[4:8], "big")
    place = 8 + 4 * bool(flags & 1) + 4 * bool(flags & 4)
    fields = [flag for flag in (0x100, 0x200, 0x400, 0x800) if flags & flag]
    for _ in range(count):
        told = {0x100: usual, 0x800: 0}
        for flag in fields:
            told[flag] = int.from_bytes(body[place : place + 4], "big")
            place += 4
        late = told[0x800]
        yield told[0x100], late - 2 * _SIGNED if late >= _SIGNED else late
