"""The descriptions of tracks in MP4, MOV and HEIF (ISO/IEC 14496-12, 23001-7, 23003-5), from anybody's file.

ffprobe names an encrypted track by what it would be without the encryption (`frma`).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from storage.model.plan import Crop
from workers.planning.headers.avc import description_of
from workers.planning.headers.byte_ranges import Ranges
from workers.planning.headers.tracks import AUDIO, VIDEO, Description, Headers, Track

MOST_BOXES = 4096  # walked in one folder of boxes; real ones have dozens, recordings in fragments thousands
MOST_TRACKS = 100  # as many as workers.planning.probe takes
MOST_ENTRY_BYTES = 64 * 1024  # one description of samples: a few hundred bytes, more with a colour profile
_KINDS = {b"vide": VIDEO, b"pict": VIDEO, b"soun": AUDIO}
# encv, enca, enct ... of common encryption, ISMA and OMA; drmi, drms ... of FairPlay.
_PROTECTED = (b"enc", b"drm")
_PLAIN_PCM = {b"ipcm": "s", b"fpcm": "f"}
_PCM_BYTES = 6
_SIZE_AT = 24  # of width and height in a description of pictures
_APERTURE_BYTES = 32
_HEADER_BYTES = 8
_TOP = frozenset(
    {b"ftyp", b"styp", b"moov", b"mdat", b"meta", b"free", b"skip", b"wide", b"moof", b"uuid", b"pdin", b"pnot"}
)
_UNREAD = frozenset({b"mdat", b"free", b"skip", b"wide"})


@dataclass(frozen=True, slots=True)
class Box:
    """One box; where it and its contents begin, and where both end, in bytes."""

    kind: bytes
    start: int
    payload: int
    end: int


def read_mp4(file: Ranges) -> Headers | None:
    """Return what the boxes say, None for what does not begin with one."""
    if file.read(4, 4) not in _TOP:
        return None
    picture = False
    for box in _boxes(file, 0, file.size):
        if box.kind == b"moov":
            children = list(_boxes(file, box.payload, box.end))
            traks = [child for child in children if child.kind == b"trak"][:MOST_TRACKS]
            # A movie of QuickTime's that has no tracks, but says where movies are for this or that speed of line.
            refers = not traks and any(child.kind == b"rmra" for child in children)
            return Headers("mov", by_id=dict(_track(file, trak) for trak in traks), refers=refers)
        picture = picture or (box.kind == b"meta" and _handler(file, box.payload + 4, box.end) == b"pict")
    return Headers("mov", still=picture)


def codec_places(file: Ranges, stream: int) -> tuple[tuple[int, int], ...]:
    """Return where the codec of a stream, by its place among the tracks, is named and described; in bytes."""
    movie = next((box for box in _boxes(file, 0, file.size) if box.kind == b"moov"), None)
    traks = [] if movie is None else [box for box in _boxes(file, movie.payload, movie.end) if box.kind == b"trak"]
    if file.read(4, 4) not in _TOP or stream >= min(len(traks), MOST_TRACKS):
        return ()
    table = _inside(file, traks[stream], b"mdia", b"minf", b"stbl", b"stsd")
    entries = [] if table is None else islice(_boxes(file, table.payload + 8, table.end), MOST_TRACKS)
    return tuple((box.start + 4, box.end) for box in entries)  # all but their sizes, as codecs are named inside as well


def top_boxes(file: Ranges, most: int) -> Iterator[Box]:
    """Yield the first `most` boxes of the file itself."""
    return islice(_boxes(file, 0, file.size), most)


def is_whole_movie(file: Ranges, has: Callable[[int, int], bool]) -> bool:
    """Tell whether all of a file but media is there, of which `has` tells the bytes that are: so much tools read first.

    An index in pieces is not there before they are.
    """
    index = None
    for box in top_boxes(file, MOST_BOXES):
        if box.kind not in _TOP or not has(box.start, box.payload if box.kind in _UNREAD else box.end):
            return False
        index = index or (box if box.kind == b"moov" else None)
    return index is not None and all(child.kind != b"mvex" for child in _boxes(file, index.payload, index.end))


def _boxes(file: Ranges, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes of a folder as far as they make sense; the last one may be cut off."""
    for _ in range(MOST_BOXES):
        header = file.read(start, _HEADER_BYTES + 8)
        if start + _HEADER_BYTES > end or len(header) < _HEADER_BYTES:
            return
        size, kind = struct.unpack_from(">I4s", header)
        payload = start + _HEADER_BYTES
        if size == 1 and len(header) == _HEADER_BYTES + 8:
            size, payload = struct.unpack_from(">Q", header, _HEADER_BYTES)[0], payload + 8
        elif size == 0:
            size = end - start
        if size < payload - start:
            return
        yield Box(kind, start, payload, min(end, start + size))
        start += size


def _inside(file: Ranges, box: Box | None, *kinds: bytes) -> Box | None:
    """Return the first box at a path of kinds."""
    for kind in kinds:
        if box is None:
            return None
        box = next((child for child in _boxes(file, box.payload, box.end) if child.kind == kind), None)
    return box


def _handler(file: Ranges, start: int, end: int) -> bytes:
    found = next((box for box in _boxes(file, start, end) if box.kind == b"hdlr"), None)
    return b"" if found is None else file.read(found.payload + 8, 4)


def _track(file: Ranges, trak: Box) -> tuple[int, Track]:
    """Return the track's id and what is known of it."""
    head, media = _inside(file, trak, b"tkhd"), _inside(file, trak, b"mdia")
    kind = "" if media is None else _KINDS.get(_handler(file, media.payload, media.end), "")
    entries = tuple(_entries(file, _inside(file, media, b"minf", b"stbl", b"stsd")))
    pcm = next((found for name, data in entries if (found := _pcm(name, data))), "")
    crop = next((_clean_aperture(data) for _, data in entries), None) if kind == VIDEO else None
    encrypted = any(_is_encrypted(name, data) for name, data in entries)
    pictures = _samples(file, media) if kind == VIDEO else 0
    described = _description(entries) if kind == VIDEO else None
    track = Track(kind, encrypted=encrypted, pcm=pcm, crop=crop, pictures=pictures, description=described)
    return (0 if head is None else _track_id(file, head)), track


def _samples(file: Ranges, media: Box | None) -> int:
    """Return how many samples the track's table tells: a table of one size for all needs no byte for each."""
    tables = (_inside(file, media, b"minf", b"stbl", kind) for kind in (b"stsz", b"stz2"))
    return max((int.from_bytes(file.read(box.payload + 8, 4)) for box in tables if box is not None), default=0)


def _track_id(file: Ranges, head: Box) -> int:
    data = file.read(head.payload, 24)
    at = 20 if data[:1] == b"\x01" else 12
    return int.from_bytes(data[at : at + 4], "big")


def _entries(file: Ranges, table: Box | None) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and contents of each description of samples."""
    if table is None:
        return
    for box in islice(_boxes(file, table.payload + 8, table.end), MOST_TRACKS):
        yield box.kind, file.read(box.payload, min(box.end - box.payload, MOST_ENTRY_BYTES))


def _description(entries: Sequence[tuple[bytes, bytes]]) -> Description | None:
    """Return the one description of a track, None where there are more or pictures are to be decoded to know them."""
    if len(entries) != 1 or entries[0][0] != b"avc1":
        return None
    return description_of(_found(entries[0][1], b"avcC"))


def _is_encrypted(name: bytes, entry: bytes) -> bool:
    """Tell whether samples of this description are encrypted: by its name, or by its scheme's information."""
    if name.startswith(_PROTECTED):
        return True
    scheme = _found(entry, b"sinf")
    return b"schm" in scheme and b"schi" in scheme


def _pcm(name: bytes, entry: bytes) -> str:
    """Return ffmpeg's name of plain PCM, nothing for all else (ISO/IEC 23003-5: flags, order of bytes, bits)."""
    described = _found(entry, b"pcmC") if name in _PLAIN_PCM else b""
    if len(described) < _PCM_BYTES:
        return ""
    order, bits = described[4:_PCM_BYTES]
    return f"pcm_{_PLAIN_PCM[name]}{bits}{'le' if order & 1 else 'be'}"


def _clean_aperture(entry: bytes) -> Crop | None:
    """Return what a description of pictures hides of them (`clap`), None if it hides nothing or makes no sense.

    Its size and how far its centre lies from the picture's are fractions. As newer ffmpeg reckons it: pixels of which a
    part is hidden are shown.
    """
    described, size = _found(entry, b"clap"), entry[_SIZE_AT : _SIZE_AT + 4]
    if len(described) < _APERTURE_BYTES or len(size) < 4:  # noqa: PLR2004 - two numbers of 16 bits
        return None
    numbers = struct.unpack_from(">8i", described)
    if any(below <= 0 for below in numbers[1::2]):
        return None
    wide, high, right, down = (Fraction(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True))
    left, after = _edges(int.from_bytes(size[:2]), wide, right)
    top, under = _edges(int.from_bytes(size[2:]), high, down)
    edges = (left, after, top, under)
    return Crop(*edges) if min(edges) >= 0 and any(edges) else None


def _edges(length: int, shown: Fraction, offset: Fraction) -> tuple[int, int]:
    """Return how many pixels of a side are hidden before and behind those that are shown."""
    middle = Fraction(length - 1, 2) + offset
    first, last = middle - (shown - 1) / 2, middle + (shown - 1) / 2
    return math.floor(first), length - 1 - math.floor(last)


def _found(entry: bytes, kind: bytes) -> bytes:
    """Return the contents of a box in a description, wherever: QuickTime's versions have fields of several lengths."""
    start = entry.find(kind) - 4
    size = int.from_bytes(entry[max(0, start) : max(0, start) + 4], "big")
    return entry[start + _HEADER_BYTES : start + size] if start >= 0 else b""
