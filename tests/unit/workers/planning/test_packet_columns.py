"""Columns of packets: read piece by piece, whatever the pieces and whatever a tool may print between the lines."""

from __future__ import annotations

import math
from array import array
from dataclasses import fields
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.media_errors import TooComplexError
from workers.planning.packet_columns import (
    FREE_PACKETS,
    HIDDEN,
    KEY,
    MOST_PACKETS,
    UNKNOWN_POSITION,
    Columns,
    Reader,
    most_packets,
    read,
)

NUMBERS = st.one_of(
    st.floats(-1e9, 1e9).map(lambda number: f"{number:.6f}"),
    st.sampled_from(["N/A", "", "nan", "inf", "-inf", "1e999", "9" * 400, "1_0", "0x1f", "\udcff", "\x00", "K"]),
)
POSITIONS = st.one_of(st.integers(0, 10**20).map(str), st.sampled_from(["N/A", "", "-5", "K", "\u0661"]))
PACKETS = st.tuples(st.integers(0, 12).map(str), NUMBERS, NUMBERS, NUMBERS, POSITIONS, st.text("KDC_|", max_size=5))
LINES = st.one_of(
    PACKETS.map("|".join),
    st.sampled_from(
        ["", "|", "0|1.0", "0|1.0|1.0|0.04|5", "something|else", "-1|1.0|1.0|0.04|5|K_", "9" * 5000 + "||||"]
    ),
    st.text("0123456789|.K_NA/", max_size=40),
)
TEXTS = st.lists(LINES, max_size=30).map(lambda lines: "\n".join(lines).encode(errors="surrogateescape"))


def told(columns: dict[int, Columns]) -> dict[int, list[list[str]]]:
    """Return what columns say, in a form that can be compared: NaN is not equal to itself."""
    return {
        index: [list(map(repr, getattr(one, column.name))) for column in fields(Columns)]
        for index, one in columns.items()
    }


def read_in_pieces(text: bytes, borders: list[int]) -> dict[int, Columns]:
    """Return the columns of a text that comes in pieces which end at these places."""
    reader = Reader()
    for begin, end in pairwise(sorted([0, *(min(border, len(text)) for border in borders), len(text)])):
        reader.feed(text[begin:end])
    return reader.columns()


@given(TEXTS, st.lists(st.integers(0, 1000), max_size=20))
def test_where_the_pieces_end_does_not_matter(text: bytes, borders: list[int]) -> None:
    """A pipe gives what is there: half a line, or many; packets are numbered through all of them."""
    assert told(read_in_pieces(text, borders)) == told(read_in_pieces(text, []))


@given(TEXTS)
def test_whatever_is_printed_makes_columns_of_one_length(text: bytes) -> None:
    """A number that is none is one that is not told, and a line that is no packet is passed over."""
    found = read_in_pieces(text, []).values()
    places = sorted(place for columns in found for place in columns.places)
    assert places == list(range(len(places)))
    for columns in found:
        assert {len(getattr(columns, column.name)) for column in fields(Columns)} == {len(columns.places)}


@given(st.lists(st.one_of(PACKETS.map("|".join), LINES), max_size=6), st.sampled_from(["\n", "|\n", "|\n\n"]))
def test_lines_that_are_all_packets_are_read_like_others(lines: list[str], end: str) -> None:
    """There is a fast way for them; a line at the end that is no packet makes all of them go the other way."""
    text = "".join(line + end for line in lines).encode(errors="surrogateescape")
    assert told(read_in_pieces(text, [])) == told(read_in_pieces(text + b"none\n", []))


def test_a_line_says_one_packet() -> None:
    """Of each stream, with the bar that ffprobe leaves behind the flags of some."""
    columns = read("0|0.08|0.0|0.04|188|K_\n1|N/A|N/A|N/A|N/A|KD|\n\n0|0.04|0.04|N/A|564|__|side_data\n")
    assert set(columns) == {0, 1}
    assert columns[0].places == array("q", [0, 2])
    assert columns[0].times == array("d", [0.08, 0.04])
    assert columns[0].decoded == array("d", [0.0, 0.04])
    assert columns[0].lengths[0] == pytest.approx(0.04)
    assert math.isnan(columns[0].lengths[1])
    assert columns[0].positions == array("q", [188, 564])
    assert columns[1].positions == array("q", [UNKNOWN_POSITION])
    assert columns[0].marks == bytes([KEY, 0])
    assert columns[1].marks == bytes([KEY | HIDDEN])


def test_hidden_packets_are_left_out_wherever_they_are() -> None:
    """At the beginning, where encoders' run-ins are, and between others."""
    flags = ("KD", "_D", "K_", "_D", "__")
    (columns,) = read("".join(f"0|{n}.0|{n}.0|1.0|{n}|{flag}\n" for n, flag in enumerate(flags))).values()
    shown = columns.not_hidden()
    assert (list(shown.places), list(shown.times)) == ([2, 4], [2.0, 4.0])
    assert shown.marks == bytes([KEY, 0])


def test_a_line_that_does_not_end_is_joined_once() -> None:
    """Half a gigabyte in pieces of 64 KB would else be copied thousands of times: it takes a blink, not minutes."""
    reader = Reader()
    for _ in range(4096):
        reader.feed(b"7" * 16384)
    assert reader.columns() == {}


def test_more_packets_than_there_may_be_end_the_reading() -> None:
    """At once, whatever is still to be printed."""
    reader = Reader(most=2)
    reader.feed(b"0|0.0|0.0|0.04|0|K_\n0|0.04|0.04|0.04|9|__\n")
    with pytest.raises(TooComplexError):
        reader.feed(b"0|0.08|0.08|0.04|18|__\n0|0.1")


@pytest.mark.parametrize(
    ("size", "most"), [(0, FREE_PACKETS), (6_000_000, FREE_PACKETS + 1_500_000), (2**40, MOST_PACKETS)]
)
def test_a_file_may_have_as_many_packets_as_its_bytes_allow(size: int, most: int) -> None:
    """Never more than the longest video has."""
    assert most_packets(size) == most
