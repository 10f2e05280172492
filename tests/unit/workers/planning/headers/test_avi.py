"""Formats in the headers of AVIs, and RIFFs behind each other."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.workers.planning.headers.test_appended import in_memory
from workers.planning.headers.avi import MOST_RIFFS, coded_otherwise, formats


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk, filled up to an even length."""
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def sound(rate: int = 48_000, channels: int = 2) -> bytes:
    """Return the description of a stream of MP3."""
    header = struct.pack("<4s4x8xI", b"auds", 0) + struct.pack("<II16xI", 1152, rate, 0)
    return chunk(
        b"LIST", b"strl" + chunk(b"strh", header) + chunk(b"strf", struct.pack("<HHIIHH", 85, channels, rate, 1, 1, 0))
    )


def recording(*streams: bytes, form: bytes = b"AVI ", size: int = 101) -> bytes:
    """Return an AVI of these streams with so much of contents."""
    header = chunk(b"LIST", b"hdrl" + chunk(b"avih", bytes(56)) + b"".join(streams))
    return chunk(b"RIFF", form + header + chunk(b"LIST", b"movi" + bytes(size)))


ONE = recording(sound())


@pytest.mark.parametrize(
    ("behind", "begins"),
    [
        (ONE, None),
        (recording(form=b"AVIX"), None),
        (recording(sound(44_100)), 0),
        (recording(sound(channels=1)), 0),
        (recording(sound(), sound()), 0),
        (recording(form=b"AVIX") + recording(sound(44_100)), len(recording(form=b"AVIX"))),
        (b"junk" + recording(sound(44_100)), None),
        (recording()[:40], None),
    ],
    ids=["alike", "further data", "rate", "channels", "streams", "behind further data", "junk", "cut off"],
)
def test_the_first_recording_of_other_formats_is_found(behind: bytes, begins: int | None) -> None:
    """Only such recordings: those alike are read through, and RIFFs of further data are none."""
    assert coded_otherwise(in_memory(ONE + behind)) == (None if begins is None else len(ONE) + begins)


def test_so_many_are_looked_at_and_no_more() -> None:
    """A file of nothing but tiny RIFFs costs no more than a large recording."""
    tiny = chunk(b"RIFF", b"AVIX")
    assert coded_otherwise(in_memory(ONE + tiny * MOST_RIFFS + recording(sound(44_100)))) is None


@given(st.binary(max_size=300))
def test_no_bytes_break_it(data: bytes) -> None:
    """Whatever is uploaded."""
    formats(in_memory(data), 0)
    coded_otherwise(in_memory(ONE + data))
    coded_otherwise(in_memory(data[:12] + ONE + data))
