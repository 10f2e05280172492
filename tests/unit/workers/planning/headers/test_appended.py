"""Recordings behind the first: where their headers are found, and where nothing is."""

from __future__ import annotations

import io
import random
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.planning.headers.appended import (
    FLV_SKIPPED_BYTES,
    MOST_PARTS,
    NOTHING_APPENDED,
    Appended,
    appended,
    coded_otherwise,
)
from workers.planning.headers.byte_ranges import CHUNK_BYTES, Ranges
from workers.planning.packets import Listing

FLASH = b"FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00\x12"  # a header, and the kind of the first tag
SLOWEST_LOOK = 2.0  # seconds of CPU
MATROSKA = "matroska,webm"


def in_memory(data: bytes) -> Ranges:
    """Return the ranges of these bytes."""
    file = io.BytesIO(data)

    def fetch(start: int, length: int) -> bytes:
        file.seek(start)
        return file.read(length)

    return Ranges(fetch, len(data))


def listed(*positions: int) -> Listing:
    """Return the listing of packets that begin at these places of the file."""
    return Listing.of("".join(f"0|{n}.0|{n}.0|1.0|{position}|K__\n" for n, position in enumerate(positions)))


def box(kind: bytes, length: int = 100) -> bytes:
    """Return a box of so many bytes."""
    return struct.pack(">I4s", length, kind) + bytes(length - 8)


def found(data: bytes, container: str, *positions: int) -> Appended:
    """Return what is found behind packets at these places."""
    return appended(in_memory(data), container, listed(*positions))


@pytest.mark.parametrize("gap", [5000, 3 * CHUNK_BYTES - 5, 3 * CHUNK_BYTES - 13])
def test_headers_of_flash_video_are_found_behind_the_last_packet(gap: int) -> None:
    """Wherever they lie, also where pieces of the file that are read at once meet."""
    data = FLASH + bytes(gap - len(FLASH)) + FLASH + bytes(9000) + FLASH + bytes(50)
    assert found(data, "flv", 20, 500).without == ((gap, gap + 13), (gap + 9014, gap + 9027))


def test_headers_of_flash_video_are_found_where_packets_were_skipped() -> None:
    """Ffmpeg goes on 5 MB behind such a header; the packets before and after tell."""
    data = FLASH + bytes(986) + FLASH + bytes(FLV_SKIPPED_BYTES + 4000)
    assert found(data, "flv", 100, 800, len(data) - 2000, len(data) - 100).without == ((1000, 1013),)
    assert found(data, "flv", 100, 800, 1500, len(data) - 100) == NOTHING_APPENDED


def test_many_headers_are_left_out_but_not_any_number() -> None:
    """A plan that names millions of them would fill the record of a job."""
    assert len(found(FLASH * 3 * MOST_PARTS, "flv", 1).without) == MOST_PARTS


MOVIE = box(b"ftyp") + box(b"moov") + box(b"mdat", 1000)
MOVIE_AT_END = box(b"ftyp") + box(b"mdat", 1000) + box(b"moov")


@pytest.mark.parametrize(
    ("data", "read_to", "begins"),
    [
        (MOVIE + MOVIE, 1100, 1200),
        (MOVIE_AT_END + MOVIE_AT_END, 1000, 1200),
        (MOVIE + box(b"free") + MOVIE + MOVIE, 1100, 1300),
        (MOVIE_AT_END[100:] * 2, 900, 1100),  # QuickTime of old begins without `ftyp`
        (MOVIE * 2, 2300, None),  # what is read through is whole: fragments whose header is repeated
        (MOVIE + box(b"moof") + box(b"free"), 1100, None),
        (MOVIE_AT_END + box(b"ftyp"), 1000, None),
    ],
)
def test_a_second_movie_is_found(data: bytes, read_to: int, begins: int | None) -> None:
    """By a second index behind all packets; the first one's own, and boxes of other kinds, are none."""
    expected = NOTHING_APPENDED if begins is None else Appended(((begins, len(data)),), len(data) - begins, len(data))
    assert found(data, "mov,mp4,m4a,3gp,3g2,mj2", 200, read_to) == expected


def test_what_is_not_read_is_told() -> None:
    """In megabytes."""
    first = random.Random(1).randbytes(3_000_000)
    (told,) = found(first + b"OggS\x00\x02" + bytes(999_994), "ogg", 2_900_000).warnings
    assert told.values == {"unread": 1.0, "whole": 4.0}
    assert found(first, "ogg", 2_900_000).warnings == ()


HOSTILE = {
    "mxf": bytes.fromhex("060e2b34020501010d010201010204008300008800010003") + bytes(44) + b"\x01" + bytes(2**20),
    "mov,mp4": box(b"moov", 8) * 200_000,
    MATROSKA: bytes.fromhex("1a45dfa3") + (b"\x80matroska" + bytes.fromhex("1a45dfa3")) * 50_000,
    "flv": b"FLV\x01" * 500_000,
    "ogg": b"OggS\x00" * 500_000,
}


@pytest.mark.parametrize("container", HOSTILE)
def test_hostile_files_are_looked_at_for_a_moment(container: str) -> None:
    """Whatever they are full of."""
    began = time.process_time()
    found(HOSTILE[container], container, 5)
    coded_otherwise(in_memory(HOSTILE[container]), container)
    assert time.process_time() - began < SLOWEST_LOOK


def test_headers_within_headers_are_left_out_with_them() -> None:
    """Spans do not overlap, whatever a file makes of its headers."""
    inner = bytes.fromhex("1a45dfa384") + b"webm" + bytes.fromhex("18538067ff1f43b67580")
    outer = bytes.fromhex("1a45dfa384") + b"webm" + bytes.fromhex("18538067ffec") + bytes([0x80 + len(inner)]) + inner
    data = bytes(50) + outer + bytes.fromhex("1f43b67580") + bytes(30)
    assert found(data, MATROSKA, 10).without == ((50, 50 + len(outer)),)


@given(st.binary(max_size=3000), st.sampled_from([*HOSTILE, "asf", "gif", "avi"]), st.lists(st.integers(0, 3000)))
def test_no_bytes_make_the_look_fail(data: bytes, container: str, positions: list[int]) -> None:
    """Spans lie in the file, one behind the other."""
    edges = [edge for span in found(data, container, *positions).without for edge in span]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(data) for edge in edges)
    assert coded_otherwise(in_memory(data), MATROSKA) == NOTHING_APPENDED
