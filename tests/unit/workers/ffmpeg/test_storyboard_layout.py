"""The storyboard's cues and sheet: they tile the timeline, stay within bounds, and players can read them."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.plan import Rung
from storage.public.hls import Fragment
from tests.support.storyboards import read_storyboard
from workers.ffmpeg.storyboard_layout import LONG_SIDE, MAX_PICTURES, SHEET, Sheet, cues_of, cues_text, sheet_of

LARGEST_SIDE = 4096  # pixels of a texture that every phone has
HALF_MILLISECOND = Fraction(1, 2000)
FILM = Rung("480p", 854, 480, 22, 1_800_000, 3_600_000)


def fragments(frames: int, rate: Fraction, *, first: int = 24, length: int = 96) -> tuple[Fragment, ...]:
    """Return the fragments of so many frames: a short first one, then equal ones, what is left at the end."""
    borders = [0, *range(min(first, frames), frames, length), frames]
    spans = pairwise(sorted(set(borders)))
    return tuple(Fragment("00000.m4s", 0, 1000, begin / rate, end / rate) for begin, end in spans)


@given(st.integers(1, 300_000), st.sampled_from([Fraction(24), Fraction(30_000, 1001), Fraction(60), Fraction(1)]))
def test_cues_tile_the_timeline_and_hold_their_pictures(frames: int, rate: Fraction) -> None:
    """From the first frame to the last, without gap or overlap, each with a picture that a fragment begins with."""
    parts = fragments(frames, rate)
    cues = cues_of(parts)
    assert (cues[0].start, cues[-1].end) == (Fraction(0), frames / rate)
    assert all(one.end == after.start for one, after in pairwise(cues))
    assert all(cue.start <= cue.picture < cue.end for cue in cues)
    assert {cue.picture for cue in cues} <= {part.start for part in parts}
    assert len(cues) <= MAX_PICTURES


@given(st.integers(1, 300_000), st.integers(2, 4000), st.integers(2, 4000))
def test_players_find_every_picture_on_the_sheet(frames: int, width: int, height: int) -> None:
    """What is written reads back: times to the millisecond without a gap, places side by side within the sheet."""
    cues = cues_of(fragments(frames, Fraction(24)))
    sheet = sheet_of(Rung("x", width // 2 * 2, height // 2 * 2, 22, 1, 1), len(cues))
    previews = read_storyboard(cues_text(cues, sheet))
    for cue, preview in zip(cues, previews, strict=True):
        assert abs(preview.start - cue.start) <= HALF_MILLISECOND
        assert abs(preview.end - cue.end) <= HALF_MILLISECOND
        assert (preview.name, preview.width, preview.height) == (SHEET, sheet.width, sheet.height)
        assert 0 <= preview.x <= (sheet.columns - 1) * sheet.width
        assert 0 <= preview.y <= (sheet.rows - 1) * sheet.height
    assert all(one.end == after.start for one, after in pairwise(previews))
    assert len({(preview.x, preview.y) for preview in previews}) == len(cues)
    assert max(sheet.columns * sheet.width, sheet.rows * sheet.height) <= LARGEST_SIDE


def test_short_videos_have_a_picture_for_each_fragment() -> None:
    """Each moment shows the keyframe nearest to it."""
    cues = cues_of(fragments(24 * 10, Fraction(24)))
    assert [(float(cue.start), float(cue.picture), float(cue.end)) for cue in cues] == [
        (0, 0, 0.5),
        (0.5, 1, 3),
        (3, 5, 7),
        (7, 9, 10),
    ]


def test_films_have_pictures_further_apart() -> None:
    """Two hours of fragments of four seconds: one picture for eight of them, half of a minute apart."""
    cues = cues_of(fragments(24 * 7200, Fraction(24)))
    assert len(cues) == 226
    assert {after.picture - one.picture for one, after in pairwise(cues[1:])} == {32}


@pytest.mark.parametrize(
    ("width", "height", "count", "expected"),
    [
        (854, 480, 15, Sheet(10, 2, 160, 90)),
        (480, 854, 240, Sheet(10, 24, 90, 160)),
        (854, 356, 10, Sheet(10, 1, 160, 66)),
        (480, 480, 3, Sheet(3, 1, 160, 160)),
        (160, 120, 1, Sheet(1, 1, 160, 120)),
        (64, 48, 11, Sheet(10, 2, 64, 48)),
        (1920, 16, 2, Sheet(2, 1, 160, 2)),
    ],
)
def test_pictures_keep_their_shape_and_never_grow(width: int, height: int, count: int, expected: Sheet) -> None:
    """The longer side becomes 160 pixels, upright or wide; what is smaller stays as it is."""
    assert sheet_of(Rung("x", width, height, 22, 1, 1), count) == expected
    assert max(expected.width, expected.height) <= LONG_SIDE


def test_the_written_text() -> None:
    """The form that JW Player, video.js, Shaka and Vidstack read, with hours from the beginning on."""
    cues = cues_of(fragments(24 * 3700, Fraction(24), first=24 * 1850, length=24 * 1850))
    assert cues_text(cues, sheet_of(FILM, len(cues))) == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:15:25.000\nstoryboard.jpg#xywh=0,0,160,90\n\n"
        "00:15:25.000 --> 01:01:40.000\nstoryboard.jpg#xywh=160,0,160,90\n"
    )
