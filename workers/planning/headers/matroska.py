"""The tracks of Matroska and WebM and whether their contents are encrypted (RFC 9559, and WebM's encryption)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from storage.model.plan import Crop
from workers.planning.headers.byte_ranges import Ranges
from workers.planning.headers.tracks import AUDIO, VIDEO, Headers, Track

MOST_ELEMENTS = 4096  # walked in one master element
MOST_TRACKS = 100  # as many as workers.planning.probe takes
_MAGIC = b"\x1a\x45\xdf\xa3"
_SEGMENT, _SEEK_HEAD, _TRACKS, _CLUSTER = 0x18538067, 0x114D9B74, 0x1654AE6B, 0x1F43B675
_SEEK, _SEEK_ID, _SEEK_POSITION = 0x4DBB, 0x53AB, 0x53AC
_ENTRY, _TYPE, _CODEC = 0xAE, 0x83, 0x86
_ENCODINGS, _ENCODING, _ENCODING_TYPE, _ENCRYPTION, _ALGORITHM = 0x6D80, 0x6240, 0x5033, 0x5035, 0x47E1
_VIDEO, _WIDTH, _HEIGHT, _SHOWN_WIDTH, _SHOWN_HEIGHT, _UNIT, _STEREO = 0xE0, 0xB0, 0xBA, 0x54B0, 0x54BA, 0x54B2, 0x53B8
_NUMBER, _PRIVATE, _AUDIO = 0xD7, 0x63A2, 0xE1
# Codecs whose packets say all that a decoder must know; those of all others need what their track says.
_FLAC = b"A_FLAC"
_SELF_TOLD = (b"V_VP8", b"V_VP9", b"V_AV1", b"A_MPEG", b"A_AC3", b"A_EAC3", b"A_DTS", b"A_OPUS")
MOST_PRIVATE_BYTES = 64 * 1024  # of what a decoder is told: Vorbis has some kB of tables
_LEFT, _RIGHT, _TOP, _BOTTOM = 0x54CC, 0x54DD, 0x54BB, 0x54AA  # edges that are hidden
_UNITS = 4  # of the shown size, that say its shape; others are unknown
_KINDS = {1: VIDEO, 2: AUDIO, 0x11: "subtitle", 0x21: "data"}  # others are no stream of ffmpeg's


@dataclass(frozen=True, slots=True)
class _Element:
    name: int
    payload: int
    end: int
    endless: bool


def read_matroska(file: Ranges) -> Headers | None:
    """Return the tracks in the order of ffprobe's streams, None for another container."""
    if file.read(0, 4) != _MAGIC:
        return None
    segment = _first(file, _SEGMENT, 0, file.size)
    tracks = None if segment is None else _tracks(file, segment)
    if tracks is None:
        return Headers("matroska")
    entries = [element for element in _elements(file, tracks.payload, tracks.end) if element.name == _ENTRY]
    found = [_track(file, entry) for entry in entries[:MOST_TRACKS]]
    return Headers("matroska", by_place=dict(enumerate(track for track in found if track is not None)))


def codec_places(file: Ranges, stream: int) -> tuple[tuple[int, int], ...]:
    """Return where the codec of a stream, by its place among ffprobe's, is named; in bytes.

    All but the letter that tells its kind: ffprobe takes a track without any name of a codec for none.
    """
    segment = _first(file, _SEGMENT, 0, file.size) if file.read(0, 4) == _MAGIC else None
    tracks = None if segment is None else _tracks(file, segment)
    entries = [] if tracks is None else islice(_elements(file, tracks.payload, tracks.end), MOST_ELEMENTS)
    streams = [one for one in entries if one.name == _ENTRY and _track(file, one) is not None][:MOST_TRACKS]
    codecs = (_first(file, _CODEC, one.payload, one.end) for one in streams[stream : stream + 1])
    return tuple((codec.payload + 1, codec.end) for codec in codecs if codec and codec.payload + 1 < codec.end)


def first_cluster(file: Ranges, start: int) -> int | None:
    """Return where the packets begin of the recording whose header stands at `start`, None where it has none."""
    segment = _first(file, _SEGMENT, start, file.size)
    if segment is None:
        return None
    place = segment.payload
    for element in _elements(file, segment.payload, segment.end):
        if element.name == _CLUSTER:
            return place
        place = element.end
    return None


def codings(file: Ranges, start: int) -> tuple[tuple[bytes, ...], ...]:
    """Return how each track is coded of the recording whose header stands at `start`: what its packets do not say."""
    segment = _first(file, _SEGMENT, start, file.size)
    tracks = None if segment is None else _tracks(file, segment)
    if tracks is None:
        return ()
    entries = (element for element in _elements(file, tracks.payload, tracks.end) if element.name == _ENTRY)
    return tuple(_coding(file, entry) for entry in islice(entries, MOST_TRACKS))


def _coding(file: Ranges, entry: _Element) -> tuple[bytes, ...]:
    found = {
        element.name: file.read(element.payload, min(element.end - element.payload, MOST_PRIVATE_BYTES))
        for element in _elements(file, entry.payload, entry.end)
        if element.name in {_NUMBER, _CODEC, _PRIVATE, _AUDIO}
    }
    codec = found.get(_CODEC, b"")
    if codec.startswith(_SELF_TOLD):
        told = b""
    elif codec == _FLAC:  # its header tells of the recording as well: how long it is, and a checksum of its samples
        told = found.get(_AUDIO, b"")
    else:
        told = found.get(_PRIVATE, found.get(_AUDIO, b""))
    return found.get(_NUMBER, b""), codec, told


def _elements(file: Ranges, start: int, end: int) -> Iterator[_Element]:
    """Yield the elements of a master as far as they make sense; the last may be cut off or have no end of its own."""
    for _ in range(MOST_ELEMENTS):
        head = file.read(start, 12)
        name_bytes = _length(head[:1], most=4)
        size_bytes = _length(head[name_bytes : name_bytes + 1], most=8) if name_bytes else 0
        if start >= end or not size_bytes:
            return
        raw = int.from_bytes(head[name_bytes : name_bytes + size_bytes], "big")
        size = raw & ((1 << 7 * size_bytes) - 1)
        endless = size == (1 << 7 * size_bytes) - 1
        payload = start + name_bytes + size_bytes
        stop = end if endless else min(end, payload + size)
        yield _Element(int.from_bytes(head[:name_bytes], "big"), payload, stop, endless)
        start = payload + size
        if endless:
            return


def _length(first: bytes, *, most: int) -> int:
    """Return how many bytes a number has, told by its first; 0 for what is none."""
    length = 9 - first[0].bit_length() if first else 0
    return length if length <= most else 0


def _first(file: Ranges, name: int, start: int, end: int) -> _Element | None:
    return next((element for element in _elements(file, start, end) if element.name == name), None)


def _tracks(file: Ranges, segment: _Element) -> _Element | None:
    """Return the list of tracks: before the first cluster, or where the segment's own list says."""
    places: list[int] = []
    for element in _elements(file, segment.payload, segment.end):
        if element.name == _TRACKS:
            return element
        if element.name == _SEEK_HEAD:
            places += _places(file, element)
        if element.name == _CLUSTER:
            break
    at = (next(_elements(file, segment.payload + place, segment.end), None) for place in places)
    return next((element for element in at if element is not None and element.name == _TRACKS), None)


def _places(file: Ranges, head: _Element) -> Iterator[int]:
    for seek in islice(_elements(file, head.payload, head.end), MOST_TRACKS):
        if seek.name == _SEEK and _number(file, seek, _SEEK_ID, 0) == _TRACKS:
            yield _number(file, seek, _SEEK_POSITION, 0)


def _number(file: Ranges, master: _Element, name: int, default: int) -> int:
    found = _first(file, name, master.payload, master.end)
    return default if found is None else int.from_bytes(file.read(found.payload, min(8, found.end - found.payload)))


def _track(file: Ranges, entry: _Element) -> Track | None:
    """Return what is known of a track, None where ffmpeg makes no stream of it."""
    kind = _KINDS.get(_number(file, entry, _TYPE, 0))
    if kind is None or _first(file, _CODEC, entry.payload, entry.end) is None:
        return None
    encodings = _first(file, _ENCODINGS, entry.payload, entry.end)
    steps = [] if encodings is None else islice(_elements(file, encodings.payload, encodings.end), MOST_TRACKS)
    encrypted = any(_encrypts(file, step) for step in steps if step.name == _ENCODING)
    picture = _first(file, _VIDEO, entry.payload, entry.end)
    crop, aspect = (None, None) if picture is None else _cropped(file, picture)
    return Track(kind, encrypted=encrypted, crop=crop, aspect=aspect)


def _cropped(file: Ranges, picture: _Element) -> tuple[Crop | None, Fraction | None]:
    """Return what is hidden of the picture, and the shape that the size to be shown gives to pixels of the rest."""
    edges = [_number(file, picture, edge, 0) for edge in (_LEFT, _RIGHT, _TOP, _BOTTOM)]
    if not any(edges):
        return None, None
    crop = Crop(*edges)
    width = _number(file, picture, _WIDTH, 0) - crop.left - crop.right
    height = _number(file, picture, _HEIGHT, 0) - crop.top - crop.bottom
    shown_width = _number(file, picture, _SHOWN_WIDTH, max(0, width))
    shown_height = _number(file, picture, _SHOWN_HEIGHT, max(0, height))
    plain = _number(file, picture, _UNIT, 0) < _UNITS and not _number(file, picture, _STEREO, 0)
    if not plain or min(width, height, shown_width, shown_height) <= 0:
        return crop, None
    return crop, Fraction(height * shown_width, width * shown_height)


def _encrypts(file: Ranges, step: _Element) -> bool:
    """Tell whether this step of writing encrypted the contents; algorithm 0 has only signed them."""
    if _number(file, step, _ENCODING_TYPE, 0) != 1:
        return False
    encryption = _first(file, _ENCRYPTION, step.payload, step.end)
    return encryption is None or _number(file, encryption, _ALGORITHM, 1) != 0
