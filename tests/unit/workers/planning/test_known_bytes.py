"""What of a file is there, and whether that is enough to plan it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.planning.headers.byte_ranges import Ranges
from workers.planning.headers.mp4 import is_whole_movie
from workers.planning.known_bytes import KnownBytes

PLACES = st.integers(0, 20)


@given(PLACES, PLACES, PLACES, PLACES, PLACES)
def test_what_is_there(arrived: int, begin: int, end: int, start: int, stop: int) -> None:
    """Every byte of what is there has come, or is in the index."""
    known = KnownBytes(arrived, begin, end)
    assert known.has(start, stop) == all(at < arrived or begin <= at < end for at in range(start, stop))


def box(kind: bytes, *contents: bytes) -> bytes:
    """Return a box of MP4."""
    payload = b"".join(contents)
    return (8 + len(payload)).to_bytes(4, "big") + kind + payload


HEAD, MEDIA = box(b"ftyp", bytes(12)), box(b"mdat", bytes(1000))
INDEX = box(b"moov", box(b"mvhd", bytes(40)), box(b"trak", bytes(100)))
PIECES = box(b"moov", box(b"mvhd", bytes(40)), box(b"mvex", bytes(20)))
TAIL = box(b"uuid", bytes(20))
FIRST, LAST = HEAD + INDEX + MEDIA, HEAD + MEDIA + INDEX


@pytest.mark.parametrize(
    ("data", "known", "expected"),
    [
        (FIRST, KnownBytes(len(HEAD + INDEX) + 8), True),
        (FIRST, KnownBytes(len(HEAD + INDEX)), False),
        (FIRST + TAIL, KnownBytes(len(HEAD + INDEX) + 8), False),
        (FIRST + TAIL, KnownBytes(len(HEAD + INDEX) + 8, len(FIRST), len(FIRST + TAIL)), True),
        (FIRST, KnownBytes(0), False),
        (LAST, KnownBytes(len(HEAD) + 16, len(HEAD + MEDIA), len(LAST)), True),
        (LAST, KnownBytes(len(HEAD) + 7, len(HEAD + MEDIA), len(LAST)), False),
        (LAST, KnownBytes(len(HEAD) + 16, len(HEAD + MEDIA) + 1, len(LAST)), False),
        (LAST, KnownBytes(len(HEAD) + 16, len(HEAD + MEDIA), len(LAST) - 1), False),
        (LAST, KnownBytes(len(HEAD + MEDIA)), False),
        (LAST, KnownBytes(len(LAST)), True),
        (HEAD + PIECES + box(b"moof") + MEDIA, KnownBytes(4000), False),
        (HEAD + MEDIA, KnownBytes(4000), False),
        (b"\x1aE\xdf\xa3" + LAST, KnownBytes(4000), False),
        (b"", KnownBytes(0), False),
    ],
)
def test_when_an_index_is_there(data: bytes, known: KnownBytes, *, expected: bool) -> None:
    """What has not come is zeros; they are not taken for boxes."""
    seen = bytes(byte * known.has(at, at + 1) for at, byte in enumerate(data))
    file = Ranges(lambda start, length: seen[start : start + length], len(seen))
    assert is_whole_movie(file, known.has) is expected
