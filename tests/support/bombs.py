"""Uploads whose headers tell of far more than they hold: what a planner must not believe. Sizes are arguments."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

_MATRIX = struct.pack(">9I", 65536, 0, 0, 0, 65536, 0, 0, 0, 0x40000000)
_TICKS = 1_000_000  # a second
_SIDE = 64  # of the pictures that headers tell of
_HEADER = "1a45dfa3"
_VIDEO_TRACK = ("d7", "73c5", "83", "86", "e0")


def many_samples(target: Path, count: int) -> None:
    """Write an MP4 of one byte a sample, whose tables tell them in 8 bytes."""
    _movie(target, b"avc1", (b"\0" * count,), count=count)


def many_in_fragments(target: Path, count: int) -> None:
    """Write an MP4 of one fragment that tells so many samples in 20 bytes, and holds none."""
    header = _full(b"tfhd", struct.pack(">IIII", 1, 40_000, 1, 0), flags=0x020038)
    run = _full(b"trun", struct.pack(">I", count))
    fragment = _box(b"moof", _full(b"mfhd", struct.pack(">I", 1)), _box(b"traf", header, run))
    _movie(target, b"avc1", (), count=0, extends=True)
    with target.open("ab") as file:
        file.write(fragment + _box(b"mdat", bytes(64)))


def many_edits(target: Path, count: int) -> None:
    """Write an MP4 whose list of edits goes back and forth so many times over a second of samples."""
    _movie(target, b"avc1", (b"\0" * 25,), count=25, ticks=40_000, edits=count)


def lying_size(target: Path, side: int) -> None:
    """Write a MOV of pictures that are 64 x 64 by its header, and this many pixels a side by themselves."""
    picture = _png(side)
    _movie(target, b"png ", (picture, picture), count=2, ticks=40_000)


def huge_tags(target: Path, size: int) -> None:
    """Write a Matroska of one tag with a value of so many bytes."""
    value = _element("67c8", _element("45a3", b"TITLE"), _element("4487", b"x" * size))
    _matroska(target, _element("1254c367", _element("7373", _element("63c0"), value)), tracks=1)


def many_streams(target: Path, count: int) -> None:
    """Write a Matroska of so many tracks of pictures."""
    _matroska(target, b"", tracks=count)


def many_chapters(target: Path, count: int) -> None:
    """Write a Matroska of so many chapters."""
    atoms = b"".join(_chapter(number) for number in range(1, count + 1))
    _matroska(target, _element("1043a770", _element("45b9", atoms)), tracks=1)


# What the arguments of `make` are: those of `make test`, and as large as an upload of a few megabytes may tell.
KINDS: Mapping[str, tuple[Callable[[Path, int], None], int, int]] = {
    "samples of one byte": (many_samples, 1_000_000, 40_000_000),
    "samples of a fragment": (many_in_fragments, 1_000_000, 100_000_000),
    "edits": (many_edits, 2_000, 1_000_000),
    "tags": (huge_tags, 20_000_000, 240_000_000),
    "streams": (many_streams, 2_000, 50_000),
    "chapters": (many_chapters, 20_000, 1_000_000),
    "pictures of 144 megapixels": (lying_size, 12_000, 16_000),
}


def _box(kind: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I4s", len(data) + 8, kind) + data


def _full(kind: bytes, *parts: bytes, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", flags), *parts)


def _movie(
    target: Path,
    codec: bytes,
    samples: tuple[bytes, ...],
    *,
    count: int,
    ticks: int = 1,
    edits: int = 0,
    extends: bool = False,
) -> None:
    """Write a movie of one track: `count` samples of one byte each if there is one piece of them, else the pieces."""
    type_ = _box(b"ftyp", b"isom\0\0\2\0isomiso2mp41")
    sizes = [len(sample) for sample in samples] if len(samples) > 1 else []
    told = struct.pack(">II", 0 if sizes else 1, count) + b"".join(struct.pack(">I", size) for size in sizes)

    def movie(place: int) -> bytes:
        table = _box(
            b"stbl",
            _full(b"stsd", struct.pack(">I", 1), _description(codec)),
            _full(b"stts", struct.pack(">III", 1, count, ticks)),
            _full(b"stsc", struct.pack(">IIII", 1, 1, max(1, count), 1)),
            _full(b"stsz", told),
            _full(b"stco", struct.pack(">II", 1, place)),
        )
        handler = _full(b"hdlr", bytes(4), b"vide", bytes(14))
        data = _box(b"dinf", _full(b"dref", struct.pack(">I", 1), _full(b"url ", flags=1)))
        media = _box(b"minf", _full(b"vmhd", bytes(8), flags=1), data, table)
        header = _full(b"mdhd", struct.pack(">IIIIHH", 0, 0, _TICKS, count * ticks, 0x55C4, 0))
        listed = b"".join(struct.pack(">IiI", 1, n % 1000, 65536) for n in range(edits))
        edit = _box(b"edts", _full(b"elst", struct.pack(">I", edits), listed)) if edits else b""
        track = _box(b"trak", _track_header(), edit, _box(b"mdia", header, handler, media))
        more = _box(b"mvex", _full(b"trex", struct.pack(">IIIII", 1, 1, 40_000, 1, 0))) if extends else b""
        return _box(b"moov", _movie_header(), track, more)

    data = b"".join(samples)
    place = len(type_) + len(movie(0)) + 8
    target.write_bytes(type_ + movie(place) + _box(b"mdat", data))


def _movie_header() -> bytes:
    times = struct.pack(">IIIIIHHII", 0, 0, 1000, 1000, 65536, 256, 0, 0, 0)
    return _full(b"mvhd", times, _MATRIX, bytes(24), struct.pack(">I", 2))


def _track_header() -> bytes:
    size = struct.pack(">II", _SIDE << 16, _SIDE << 16)
    return _full(b"tkhd", struct.pack(">IIIII", 0, 0, 1, 0, 1000), bytes(16), _MATRIX, size, flags=3)


def _description(codec: bytes) -> bytes:
    size = struct.pack(">HHIIIH", _SIDE, _SIDE, 0x480000, 0x480000, 0, 1)
    return _box(codec, bytes(6), struct.pack(">H", 1), bytes(16), size, bytes(32), struct.pack(">Hh", 24, -1))


def _png(side: int) -> bytes:
    """Return a black square of one bit a pixel."""
    row = bytes(1 + -(-side // 8))
    packing = zlib.compressobj(9)
    rows = b"".join(packing.compress(row) for _ in range(side)) + packing.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def _element(identity: str, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return bytes.fromhex(identity) + (len(data) | 1 << 56).to_bytes(8) + data


def _chapter(number: int) -> bytes:
    return _element("b6", _element("73c4", number.to_bytes(4)), _element("91", (number * 1000).to_bytes(6)))


def _matroska(target: Path, more: bytes, *, tracks: int) -> None:
    """Write a Matroska of MPEG-4 in so many tracks, with one packet."""
    entries = b"".join(_entry(number) for number in range(1, tracks + 1))
    info = _element("1549a966", _element("2ad7b1", (1_000_000).to_bytes(3)))
    cluster = _element("1f43b675", _element("e7", b"\0"), _element("a3", b"\x81\0\0\x80" + bytes(32)))
    segment = _element("18538067", info, _element("1654ae6b", entries), more, cluster)
    target.write_bytes(_element(_HEADER, _element("4282", b"matroska")) + segment)


def _entry(number: int) -> bytes:
    size = _element("e0", _element("b0", b"\x40"), _element("ba", b"\x40"))
    told = (number.to_bytes(3), number.to_bytes(3), b"\x01", b"V_MPEG4/ISO/ASP")
    return _element("ae", *(_element(name, value) for name, value in zip(_VIDEO_TRACK, told, strict=False)), size)
