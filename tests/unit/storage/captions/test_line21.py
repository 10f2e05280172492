"""EIA-608 as a receiver shows it: pages, rows that roll, letters that are painted; and whatever else may be sent."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.captions.a53 import Pair
from storage.captions.cues import Cue
from storage.captions.line21 import SILENT_MILLISECONDS, captions_channel, line21_cues
from storage.captions.line21_signs import EXTENDED, SPECIAL
from tests.support.line21 import ERASE, LOAD, PAINT, RETURN, ROLL, SHOW, command, letters, page, row, sent, shown_at

PICTURE = 40  # milliseconds


def cues(parts: Sequence[tuple[int, list[bytes]]], channel: int = 1, pictures: int = 200) -> list[Cue]:
    """Return the cues of a channel of a field of so many pictures."""
    pairs = [(number * PICTURE, ((channel - 1) // 2, *pair)) for number, pair in enumerate(sent(pictures, parts))]
    return list(line21_cues(pairs, channel))


def at(picture: int, to: int, text: str, *, top: bool = False) -> Cue:
    """Return a cue from picture to picture."""
    return Cue(picture * PICTURE, to * PICTURE, text, top)


@pytest.mark.parametrize("channel", [1, 2, 3, 4])
def test_a_page_is_shown_when_it_is_whole(channel: int) -> None:
    """Until it is erased, or the next one comes; others of the field are not for who listens to this one."""
    one = page(row(14, "Hello there", channel), row(15, "World & <b>", channel), channel=channel)
    other = page(row(1, "Above", channel), channel=channel)
    parts = [*shown_at(30, one, channel), *shown_at(60, other, channel), (80, command(ERASE, channel))]
    assert cues(parts, channel) == [
        at(30, 60, "Hello there\nWorld &amp; &lt;b&gt;"),
        at(60, 80, "Above", top=True),
    ]
    assert cues(parts, channel + 1 if channel % 2 else channel - 1) == []


def test_rows_roll_up() -> None:
    """Each from its first letter on, with the one before it; a pause inside a row is one of the words as well."""
    begun = [*command(ROLL), *command(RETURN)]
    parts = [
        (0, begun + row(15, "One")),
        (20, begun + row(15, "Two")),
        (40, begun + row(15, "Thr")),
        (70, letters("ee")),
        (90, command(ERASE)),
    ]
    first = len(begun) + 2
    assert cues(parts) == [
        at(first, 20 + first, "One"),
        at(20 + first, 40 + first, "One\nTwo"),
        at(40 + first, 70, "Two\nThr"),
        at(70, 90, "Two\nThree"),
    ]


def test_letters_are_painted() -> None:
    """What comes without a pause is one cue; another row begins the next one."""
    parts = [(0, command(PAINT) + row(14, "Long ago") + row(15, "far away")), (50, command(ERASE))]
    assert cues(parts) == [at(4, 10, "Long ago"), at(10, 50, "Long ago\nfar away")]


def test_what_is_sent_twice_counts_once() -> None:
    """Letters are sent once; a command that comes again later is another one."""
    parts = [(0, page(row(15, "aabb"))), (20, command(SHOW)), (40, command(SHOW)), (60, command(SHOW))]
    assert cues(parts, pictures=80) == [at(20, 40, "aabb"), at(60, 79 + SILENT_MILLISECONDS // PICTURE, "aabb")]


def test_styles_and_signs() -> None:
    """Italics and underlined stay, colours go; signs beyond ASCII are pairs, some in the place of one before them."""
    slanted, plain, tab = [b"\x11\x2e"] * 2, [b"\x11\x20"] * 2, [b"\x17\x22"] * 2
    special = [*[b"\x11\x37"] * 2, *letters("A"), *[b"\x12\x20"] * 2, *letters("O"), *[b"\x13\x32"] * 2, b"*\\"]
    rows = [*row(14, "He"), *slanted, *letters("said"), *plain, *letters("so"), *tab, *letters("!")]
    assert [cue.text for cue in cues(shown_at(50, page(rows, row(15, "") + special)))] == [
        "He <i>said</i> so  !\n\u266a\u00c1\u00d6\u00e1\u00e9"
    ]


def test_edits_of_a_page() -> None:
    """A step back takes a letter away, and all behind it can be erased."""
    page_of = page([*row(14, "abcd"), *command(0x21), *letters("e"), *row(15, "wxyz12"), b"\x14\x72", *command(0x24)])
    assert [cue.text for cue in cues(shown_at(50, page_of))] == ["abce\nwxyz"]
    gone = page([*row(15, "wxyz"), *row(15, ""), *command(0x24)], row(14, "left"))
    assert [cue.text for cue in cues(shown_at(50, gone))] == ["left"]


def test_what_is_none_of_the_captions() -> None:
    """Pages of text and programme guides, until captions go on."""
    guide = [b"\x01\x03", *letters("Title"), b"\x0f\x1d"]
    text = [*command(0x2A), *row(15, "text"), *command(RETURN)]
    parts = [(0, text + guide), *shown_at(60, page(row(15, "said")))]
    assert [cue.text for cue in cues(parts)] == ["said"]
    assert cues([(0, text + guide)]) == []


def test_a_silent_field_is_erased() -> None:
    """By a receiver, after sixteen seconds."""
    pairs = [(number * PICTURE, (0, *pair)) for number, pair in enumerate(sent(40, shown_at(20, page(row(15, "x")))))]
    later = [(60_000 + number * PICTURE, (0, *pair)) for number, pair in enumerate(command(ERASE))]
    assert list(line21_cues([*pairs, *later], 1)) == [Cue(20 * PICTURE, 39 * PICTURE + SILENT_MILLISECONDS, "x")]


def test_which_pairs_tell_of_a_channel() -> None:
    """Commands of captions and places; neither letters nor pages of text."""
    told = [(0, 0x14, LOAD), (0, 0x1C, SHOW), (1, 0x15, ROLL), (1, 0x1F, 0x70), (0, 0x41, 0x42), (0, 0x14, 0x2A)]
    assert list(map(captions_channel, told)) == [1, 2, 3, 4, None, None]


def test_no_sign_is_missing() -> None:
    """Sixteen special ones and two alphabets."""
    assert [len(SPECIAL), *map(len, EXTENDED.values())] == [16, 32, 32]


CODES = st.one_of(st.integers(0, 127), st.sampled_from([0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x17, 0x1C, 0x20, 0x2F]))


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 1), CODES, CODES), max_size=300), st.integers(1, 4))
def test_whatever_is_sent_gives_cues_one_after_another(told: list[tuple[int, int, int, int]], channel: int) -> None:
    """None before the one ahead of it has ended."""
    timed: list[tuple[int, Pair]] = []
    now = 0
    for later, *pair in told:
        now += later
        timed.append((now, (pair[0], pair[1], pair[2])))
    found = list(line21_cues(timed, channel))
    assert all(cue.start <= cue.end for cue in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


FLOODS = {
    "pages": [*command(SHOW), b"\x14\x20", b"ab"],
    "returns": [*command(PAINT)[:1], *letters("ab"), *command(ROLL)[:1], b"ab", b"\x14\x2d", b"\x14\x60"],
    "places": [b"\x14\x29", b"ab", b"\x14\x40", b"cd", b"\x14\x60"],
    "letters": [b"\x14\x29", *letters("a" * 64)],
    "erased": [b"\x14\x24", b"\x14\x21"],
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_a_flood_takes_a_bounded_time(flood: list[bytes]) -> None:
    """What takes longer than a letter yields a cue: a hundred thousand of them are all that anybody asks for."""
    count = 100_000
    timed = ((number, (0, *flood[number % len(flood)])) for number in range(count))
    begun, found = time.process_time(), 0
    for _ in line21_cues(timed, 1):
        found += 1
    assert time.process_time() - begun < 2.0 + found * 0.001
