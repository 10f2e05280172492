"""The header of ASF (WMV, WMA, DVR-MS) and its protection: Windows Media DRM and PlayReady, as Microsoft specifies."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from uuid import UUID

from workers.planning.headers.byte_ranges import Ranges
from workers.planning.headers.tracks import AUDIO, VIDEO, Headers, Track

MOST_OBJECTS = 512
MOST_TRACKS = 127  # the format's own numbers end here


def _id(text: str) -> bytes:
    return UUID(text).bytes_le


_HEADER = _id("75b22630-668e-11cf-a6d9-00aa0062ce6c")
_STREAM = _id("b7dc0791-a9b7-11cf-8ee6-00c00c205365")
_EXTENSION = _id("5fbf03b5-a92e-11cf-8ee3-00c00c205365")
_EXTENDED_STREAM = _id("14e6a5cb-c672-4332-8399-a96952065b5a")
_PROTECTION = frozenset(
    {
        _id("2211b3fb-bd23-11d2-b4b7-00a0c955fc6e"),  # Content Encryption
        _id("298ae614-2622-4c17-b935-dae07ee9289c"),  # Extended Content Encryption: PlayReady
        _id("43058533-6981-49e6-9b74-ad12cb86d58c"),  # Advanced Content Encryption
    }
)
_KINDS = {
    _id("bc19efc0-5b4d-11cf-a8fd-00805f5c442b"): VIDEO,
    _id("f8699e40-5b4d-11cf-a8fd-00805f5c442b"): AUDIO,
}
_HEAD_BYTES = 24  # of an object: its id and its size
_ENCRYPTED_FLAG = 0x8000
_SPECIFIC_AT, _NAME_OF_SOUND_BYTES = 54, 2  # of a stream's description: its own part, which begins with the codec

_Object = tuple[bytes, int, int]  # id, beginning and end of the contents


def read_asf(file: Ranges) -> Headers | None:
    """Return the streams in their order, None for another container.

    Protection is of the whole file, or of the streams that carry the flag where any does.
    """
    if file.read(0, 16) != _HEADER:
        return None
    end = int.from_bytes(file.read(16, 8), "little")
    objects = tuple(_header_objects(file, _HEAD_BYTES + 6, end))
    streams = [file.read(start, 54) for name, start, _ in objects if name == _STREAM][:MOST_TRACKS]
    flagged = [bool(int.from_bytes(stream[48:50], "little") & _ENCRYPTED_FLAG) for stream in streams]
    if any(name in _PROTECTION for name, _, _ in objects) and not any(flagged):
        flagged = [True] * len(streams)
    tracks = [Track(_KINDS.get(stream[:16], ""), flag) for stream, flag in zip(streams, flagged, strict=True)]
    return Headers("asf", by_place=dict(enumerate(tracks)))


def codec_places(file: Ranges, stream: int) -> tuple[tuple[int, int], ...]:
    """Return where the codec of a stream of sound is named, in bytes; nothing for pictures, of which 0 is a codec."""
    if file.read(0, 16) != _HEADER:
        return ()
    objects = _header_objects(file, _HEAD_BYTES + 6, int.from_bytes(file.read(16, 8), "little"))
    starts = [start for name, start, _ in objects if name == _STREAM][:MOST_TRACKS][stream : stream + 1]
    named = [start + _SPECIFIC_AT for start in starts if _KINDS.get(file.read(start, 16)) == AUDIO]
    return tuple((at, at + _NAME_OF_SOUND_BYTES) for at in named)


def _header_objects(file: Ranges, start: int, end: int) -> Iterator[_Object]:
    """Yield the header's objects, and those of its extension in their place."""
    for found in _objects(file, start, end):
        yield found
        name, begin, stop = found
        if name == _EXTENSION:
            for inner in _objects(file, begin + 22, stop):
                yield inner
                if inner[0] == _EXTENDED_STREAM:
                    yield from _embedded(file, inner)


def _objects(file: Ranges, start: int, end: int) -> Iterator[_Object]:
    for _ in range(MOST_OBJECTS):
        head = file.read(start, _HEAD_BYTES)
        size = int.from_bytes(head[16:], "little")
        if len(head) < _HEAD_BYTES or start + _HEAD_BYTES > end or size < _HEAD_BYTES:
            return
        yield head[:16], start + _HEAD_BYTES, min(end, start + size)
        start += size


def _embedded(file: Ranges, extended: _Object) -> Iterator[_Object]:
    """Yield the description of a stream that an extended one holds: behind its names and the systems of its payload."""
    _, start, end = extended
    at = start + 64
    names, systems = (int.from_bytes(file.read(start + place, 2), "little") for place in (60, 62))
    for _ in range(min(names, MOST_TRACKS)):
        at += 4 + int.from_bytes(file.read(at + 2, 2), "little")
    for _ in range(min(systems, MOST_TRACKS)):
        at += 22 + int.from_bytes(file.read(at + 18, 4), "little")
    yield from (found for found in islice(_objects(file, at, end), 1) if found[0] == _STREAM)
