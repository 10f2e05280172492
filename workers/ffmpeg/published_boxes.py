"""The boxes of what is published, an MP4 or its initialisation section: only those that our encoder writes.

Every byte of a published file is accounted for. A reference to another file, a box that nobody knows or that is larger
than it has reason to be, samples outside the file: such a file was not written by our encoder.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import IO

from storage.errors import OutputMismatchError
from workers.ffmpeg.mp4_boxes import BoxPlace, Fragmented, boxes

VIDEO, SOUND, CHAPTERS, SUBTITLES = b"vide", b"soun", b"text", b"sbtl"
TEXT_OVER_SECONDS = 0.1  # times of text are rounded
SOUND_OVER_SECONDS = 0.25  # sound is cut by its packets, and an encoder's last one may be long

# What may be in what; anything else is refused. What is in none of the keys is a leaf.
_CHILDREN = {
    b"moov": {b"mvhd", b"trak", b"mvex", b"udta"},
    b"trak": {b"tkhd", b"edts", b"tref", b"mdia", b"udta"},
    b"tref": {b"chap"},
    b"edts": {b"elst"},
    b"mdia": {b"mdhd", b"hdlr", b"minf"},
    b"minf": {b"vmhd", b"smhd", b"gmhd", b"nmhd", b"dinf", b"stbl"},
    b"gmhd": {b"gmin", b"text"},
    b"dinf": {b"dref"},
    b"stbl": {b"stsd", b"stts", b"stss", b"ctts", b"stsc", b"stsz", b"stco", b"co64", b"sgpd", b"sbgp"},
    b"mvex": {b"trex", b"mehd"},
}
_TABLES = frozenset({b"stts", b"stss", b"ctts", b"stsc", b"stsz", b"stco", b"co64", b"sbgp"})
_LEAF_BYTES = 4096  # headers and descriptions have hundreds
_MOOV_BYTES = 256 * 1024**2  # an index of 12 hours at 60 frames a second is about 30 MB
# One reference, and it says that the samples are in this very file.
_IN_THIS_FILE = struct.pack(">III4sI", 0, 1, 12, b"url ", 1)
_ENTRIES = {VIDEO: b"avc1", SOUND: b"mp4a", CHAPTERS: b"text", SUBTITLES: b"tx3g"}
_SPARE_FRAMES = 1  # by which the length of the last sample may be another


@dataclass(frozen=True, slots=True)
class Finished:
    """What a rung's MP4 has to hold: `frames` of `ticks` each, of a clock of `timescale`, and `sounds` tracks of sound.

    The `chapters` are samples of a track of text, `subtitles` tracks of their own.
    """

    frames: int
    ticks: int
    timescale: int
    sounds: int
    chapters: int = 0
    subtitles: int = 0

    @property
    def seconds(self) -> float:
        """How long the pictures last."""
        return self.frames * self.ticks / self.timescale


@dataclass(slots=True)
class _Track:
    """What the boxes of one track say."""

    handler: bytes = b""
    entry: bytes = b""
    timescale: int = 0
    duration: int = 0  # of its samples together, in ticks
    sizes: tuple[int, int] = (0, 0)  # how many samples, and their bytes
    offsets: tuple[int, int] = (0, 0)  # of the first chunk and of the last


def check_init(init: bytes, handler: bytes) -> None:
    """Raise OutputMismatchError unless this is `ftyp` and `moov` of one track of this kind, without any samples."""
    with _well_formed():
        file = BytesIO(init)
        tracks = _tracks(file, _top(file, len(init), b"ftyp", b"moov")[-1])
        if [(track.handler, track.sizes) for track in tracks] != [(handler, (0, 0))]:
            raise OutputMismatchError(
                detail="The encoder's initialisation section describes other tracks than planned."
            )


def check_pieces(found: Fragmented, size: int) -> None:
    """Raise OutputMismatchError unless init section and pieces follow each other and fill the file of `size` bytes."""
    borders = [found.init_bytes, *(piece.end for piece in found.pieces)]
    if borders != [*(piece.start for piece in found.pieces), size]:
        raise OutputMismatchError(detail="The encoder's file holds something besides its fragments.")


def check_finished(file: IO[bytes], size: int, planned: Finished) -> None:
    """Raise OutputMismatchError unless the MP4 of `size` bytes holds what was planned, index first, and no more."""
    with _well_formed():
        _, index, *rest = _top(file, size, b"ftyp", b"moov", b"free", b"mdat")
        tracks = _tracks(file, index)
        wanted = Counter({VIDEO: 1, SOUND: planned.sounds, CHAPTERS: 1 if planned.chapters else 0})
        wanted[SUBTITLES] = planned.subtitles
        if Counter(track.handler for track in tracks) != wanted:
            raise OutputMismatchError(detail="The finished file has other tracks than planned.")
        _check_lengths(tracks, planned)
        _check_samples(tracks, rest[-1])


def _check_lengths(tracks: Sequence[_Track], planned: Finished) -> None:
    (pictures,) = (track for track in tracks if track.handler == VIDEO)
    off = abs(pictures.duration * planned.timescale - planned.frames * planned.ticks * pictures.timescale)
    if pictures.sizes[0] != planned.frames or off > _SPARE_FRAMES * planned.ticks * pictures.timescale:
        raise OutputMismatchError(detail="The finished file's pictures are not those that were planned.")
    for track in tracks:
        if track.handler == SOUND and track.duration > (planned.seconds + SOUND_OVER_SECONDS) * track.timescale:
            raise OutputMismatchError(detail="The finished file's sound is longer than its pictures.")
        if track.handler == SUBTITLES and track.duration > (planned.seconds + TEXT_OVER_SECONDS) * track.timescale:
            raise OutputMismatchError(detail="The finished file's subtitles last longer than its pictures.")
        if track.handler == CHAPTERS and track.sizes[0] != planned.chapters:
            raise OutputMismatchError(detail="The finished file has other chapters than planned.")


def _check_samples(tracks: Sequence[_Track], contents: BoxPlace) -> None:
    """Raise OutputMismatchError unless the samples of all tracks are the contents of the file, to the byte."""
    if contents.kind != b"mdat" or sum(track.sizes[1] for track in tracks) != contents.end - contents.payload:
        raise OutputMismatchError(detail="The finished file holds something besides its samples.")
    for first, last in (track.offsets for track in tracks):
        if first < contents.payload or last >= contents.end:
            raise OutputMismatchError(detail="The finished file's samples lie outside of it.")


@contextmanager
def _well_formed() -> Iterator[None]:
    try:
        yield
    except (struct.error, ValueError, IndexError, KeyError) as error:
        raise OutputMismatchError(detail="The encoder's file holds a box that is not well formed.") from error


def _top(file: IO[bytes], size: int, *kinds: bytes) -> list[BoxPlace]:
    """Return the boxes of the file, which are of these kinds, in this order; the padding `free` may be missing."""
    found = list(islice(boxes(file, 0, size), len(kinds) + 1))
    order = [box.kind for box in found]
    if order not in (list(kinds), [kind for kind in kinds if kind != b"free"]):
        raise OutputMismatchError(detail="The encoder's file has other boxes than planned.")
    for box in found:
        if box.kind in {b"ftyp", b"free"}:
            _check_leaf(box)
    return found


def _tracks(file: IO[bytes], index: BoxPlace) -> list[_Track]:
    if index.end - index.start > _MOOV_BYTES:
        raise OutputMismatchError(detail="The encoder's file has an index larger than any.")
    file.seek(index.payload)
    data = file.read(index.end - index.payload)
    return [_track(data, box) for box in _children(data, b"moov", 0, len(data)) if box.kind == b"trak"]


def _track(data: bytes, trak: BoxPlace) -> _Track:
    track = _Track()
    for box in _leaves(data, trak):
        if box.kind in _READ:
            _READ[box.kind](track, data[box.payload : box.end])
    if track.entry != _ENTRIES[track.handler]:
        raise OutputMismatchError(detail="The encoder's file has a track of another codec than planned.")
    return track


def _leaves(data: bytes, parent: BoxPlace) -> Iterator[BoxPlace]:
    for box in _children(data, parent.kind, parent.payload, parent.end):
        if box.kind in _CHILDREN:
            yield from _leaves(data, box)
        else:
            yield box


def _children(data: bytes, kind: bytes, start: int, end: int) -> Iterator[BoxPlace]:
    """Yield the boxes in one of this kind. Raises OutputMismatchError for one that nobody expects there."""
    for box in boxes(BytesIO(data), start, end):
        if box.kind not in _CHILDREN[kind]:
            raise OutputMismatchError(detail=f"The encoder's file holds a box {box.kind!r} in its {kind.decode()}.")
        if box.kind not in _CHILDREN and box.kind not in _TABLES:
            _check_leaf(box)
        yield box


def _check_leaf(box: BoxPlace) -> None:
    if box.end - box.start > _LEAF_BYTES:
        raise OutputMismatchError(
            detail=f"A box {box.kind!r} of the encoder's file is larger than any has reason to be."
        )


def _read_handler(track: _Track, payload: bytes) -> None:
    track.handler = payload[8:12]


def _read_timescale(track: _Track, payload: bytes) -> None:
    (track.timescale,) = struct.unpack_from(">I", payload, 20 if payload[0] else 12)


def _read_reference(_track: _Track, payload: bytes) -> None:
    if payload != _IN_THIS_FILE:
        raise OutputMismatchError(detail="The encoder's file refers to data in another one.")


def _read_description(track: _Track, payload: bytes) -> None:
    count, _, track.entry, _, reference = struct.unpack_from(">4xII4s6sH", payload)
    if (count, reference) != (1, 1):
        raise OutputMismatchError(detail="The encoder's file describes its samples in several ways.")


def _read_durations(track: _Track, payload: bytes) -> None:
    entries = _numbers(payload, 8, 2)
    track.duration = sum(count * ticks for count, ticks in zip(entries[::2], entries[1::2], strict=True))


def _read_sizes(track: _Track, payload: bytes) -> None:
    each, count = struct.unpack_from(">4xII", payload)
    track.sizes = (count, each * count if each else sum(_numbers(payload, 12, 1)[:count]))


def _read_offsets(track: _Track, payload: bytes) -> None:
    _note_offsets(track, _numbers(payload, 8, 1))


def _read_long_offsets(track: _Track, payload: bytes) -> None:
    _note_offsets(track, _numbers(payload, 8, 1, code="Q"))


def _note_offsets(track: _Track, offsets: array[int]) -> None:
    if offsets:
        track.offsets = (min(offsets), max(offsets))


_READ: Mapping[bytes, Callable[[_Track, bytes], None]] = {
    b"hdlr": _read_handler,
    b"mdhd": _read_timescale,
    b"dref": _read_reference,
    b"stsd": _read_description,
    b"stts": _read_durations,
    b"stsz": _read_sizes,
    b"stco": _read_offsets,
    b"co64": _read_long_offsets,
}


def _numbers(payload: bytes, at: int, each: int, *, code: str = "I") -> array[int]:
    """Return the numbers of a table whose entries, `each` of so many, begin at `at`, behind their count.

    Raises OutputMismatchError for a table that is not as long as it says.
    """
    (count,) = struct.unpack_from(">I", payload, at - 4)
    found = array(code)
    if len(payload) - at != count * each * found.itemsize:
        raise OutputMismatchError(detail="A table of the encoder's file is not as long as it says.")
    found.frombytes(payload[at:])
    if sys.byteorder == "little":
        found.byteswap()
    return found
