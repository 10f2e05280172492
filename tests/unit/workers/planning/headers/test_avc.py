"""Descriptions of H.264 in MP4: which say all pictures, and which keyframes contradict them."""

from __future__ import annotations

import struct
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.planning.headers.avc import description_of, goes_by
from workers.planning.headers.byte_ranges import Ranges
from workers.planning.headers.tracks import Description

# As x264 writes them, high profile, 320 x 180 at 30 pictures a second: frames alone, and with fields (MBAFF).
FRAMES = bytes.fromhex("6764000dacd941419f9f0110000003001000000303c0f1429960")
FIELDS = bytes.fromhex("67640015acd941433f260220000003002000000783e28532c0")
PICTURE_PARAMETERS = bytes.fromhex("68ebe3cb22c0")
NAME = b"\x06\x05\x04x264\x80"  # SEI: the encoder's name
TIMING = b"\x06\x01\x01\x32\x80"  # SEI: how a picture is shown
DELIMITER, SLICE = b"\x09\x10", b"\x65\x88\x84\x00"
KNOWN = Description(FRAMES, 4)


def avc_box(*parameters: bytes, length_bytes: int = 4) -> bytes:
    """Return the contents of `avcC`."""
    sets = b"".join(struct.pack(">H", len(one)) + one for one in parameters)
    head = bytes([1, *parameters[0][1:4], 0xFC | length_bytes - 1, 0xE0 | len(parameters)])
    return head + sets + b"\x01" + struct.pack(">H", len(PICTURE_PARAMETERS)) + PICTURE_PARAMETERS


def sample(*units: bytes, length_bytes: int = 4) -> bytes:
    """Return a picture as MP4 keeps it."""
    return b"".join(chain.from_iterable((len(unit).to_bytes(length_bytes), unit) for unit in units))


def file_of(data: bytes) -> Ranges:
    """Return bytes as a file."""
    return Ranges(lambda start, length: data[start : start + length], len(data))


@pytest.mark.parametrize("length_bytes", [1, 2, 4])
def test_parameters_without_fields_say_all_pictures(length_bytes: int) -> None:
    """They are kept, so that keyframes can be held against them."""
    described = avc_box(FRAMES, length_bytes=length_bytes)
    assert description_of(described) == Description(FRAMES, length_bytes)


def test_what_may_change_is_to_be_decoded() -> None:
    """Fields, several sets of parameters, and what is no description."""
    assert description_of(avc_box(FIELDS)) is None
    assert description_of(avc_box(FRAMES, FRAMES)) is None
    assert description_of(avc_box(FRAMES)[:12]) is None
    assert description_of(b"") is None


@pytest.mark.parametrize(
    "units",
    [
        (SLICE,),
        (NAME, SLICE),
        (DELIMITER, NAME, SLICE),
        (DELIMITER, FRAMES, PICTURE_PARAMETERS, SLICE),
    ],
)
def test_a_keyframe_that_repeats_what_is_described_goes_by_it(units: tuple[bytes, ...]) -> None:
    """Wherever it lies in the file."""
    assert goes_by(file_of(bytes(1000) + sample(*units)), 1000, KNOWN)
    short = sample(*units, length_bytes=2)
    assert goes_by(file_of(short), 0, Description(FRAMES, 2))


@pytest.mark.parametrize(
    "units",
    [
        (FIELDS, PICTURE_PARAMETERS, SLICE),
        (FRAMES[:-1], SLICE),
        (TIMING, SLICE),
        (PICTURE_PARAMETERS, FIELDS, SLICE),
        (FRAMES,),
        (b"", SLICE),
        (DELIMITER,) * 100,
    ],
)
def test_a_keyframe_that_says_otherwise_does_not(units: tuple[bytes, ...]) -> None:
    """Neither does one that cannot be read."""
    assert not goes_by(file_of(sample(*units)), 0, KNOWN)


@given(st.binary(max_size=80))
def test_garbage_is_no_description(data: bytes) -> None:
    """It raises nothing, and is read once."""
    for described in (data, avc_box(FRAMES)[:8] + data):
        found = description_of(described)
        assert found is None or found.length_bytes in range(1, 5)
    assert goes_by(file_of(data), 0, KNOWN) in {True, False}
