"""Cutting the timeline: whole, gapless, on the fragment grid, seekable, and sized by work."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.planning.frame_rate import STANDARD_RATES
from workers.planning.ladder import ladder
from workers.planning.segments import (
    FIRST_SECONDS,
    LAST_THREADS,
    LONGEST_WORK_SECONDS,
    PIXELS_PER_SECOND,
    SEEK_MARGIN_SECONDS,
    Timeline,
    cut,
    fragment_frames,
    standard_fragment_frames,
    whole_file,
    worth_cutting,
)

FULL_HD = ladder(1920, 1080, Fraction(24))


def timeline(seconds: float, *, slots: int = 2, every: float = 2.5, tail: int = 0, start: float = 0.0) -> Timeline:
    """Return a film's timeline at 24 frames a second with a source keyframe every so many seconds."""
    frames = max(1, round(seconds * 24)) + tail
    keyframes = [start + every * number for number in range(int(seconds / every) + 1)]
    return Timeline(frames, tail, Fraction(24), slots, FULL_HD, start, keyframes)


@given(
    frames=st.integers(1, 200_000),
    tail=st.integers(0, 5000),
    rate=st.sampled_from(STANDARD_RATES),
    slots=st.integers(1, 64),
    start=st.floats(-10, 100_000),
    gaps=st.lists(st.floats(0.02, 30), max_size=50),
)
def test_segments_tile_the_timeline_exactly(
    frames: int, tail: int, rate: Fraction, slots: int, start: float, gaps: list[float]
) -> None:
    """Every frame is in exactly one segment, in order, whatever the rate, start, slots and keyframes."""
    keyframes = [start]
    for gap in gaps:
        keyframes.append(keyframes[-1] + gap)
    line = Timeline(frames + tail, tail, rate, slots, FULL_HD, start, keyframes)
    segments = cut(line)
    assert segments[0].first_frame == 0
    assert all(before.first_frame + before.frames == after.first_frame for before, after in pairwise(segments))
    assert segments[-1].first_frame + segments[-1].frames == frames + tail
    assert [segment.index for segment in segments] == list(range(len(segments)))
    # Only the last with pictures of its own, and the last of all, may end inside a fragment; the first one is one, a
    # shorter one as a rule, as others may be.
    fragment, half = fragment_frames(line), standard_fragment_frames(rate) // 2
    assert segments[0].frames <= fragment or len(segments) == 1
    moving = [segment for segment in segments if segment.first_frame < frames]
    assert all(segment.frames % fragment == 0 or segment.frames in {half, 2 * half} for segment in moving[1:-1])
    standing = segments[len(moving) : -1]
    assert all(segment.frames % standard_fragment_frames(rate) == 0 for segment in standing)


@given(seconds=st.floats(0.1, 4000), every=st.floats(0.1, 30), start=st.floats(0, 50_000))
def test_decoding_begins_before_a_keyframe_ahead_of_the_segment(seconds: float, every: float, start: float) -> None:
    """Between where reading begins and the first picture lies a keyframe, or it begins at the beginning of the file."""
    line = timeline(seconds, every=every, start=start)
    for segment in cut(line):
        shows_at = start + segment.first_frame / 24
        if segment.seek is not None:
            assert any(segment.seek + SEEK_MARGIN_SECONDS <= key < shows_at for key in line.keyframes)


@pytest.mark.parametrize(("seconds", "slots"), [(5, 2), (10, 2), (10, 4), (56, 2), (56, 16), (600, 2), (600, 64)])
def test_every_slot_gets_work(seconds: float, slots: int) -> None:
    """Clips spread over the slots as far as fragments of a second allow."""
    assert len(cut(timeline(seconds, slots=slots))) >= min(slots, seconds - 1)


def test_a_film_gets_segments_of_bounded_work_large_ones_first() -> None:
    """No segment is more than a slot's LONGEST_WORK_SECONDS, to half a fragment; the last ones are small."""
    line = timeline(7200, slots=4)
    segments = cut(line)
    pixels = sum(rung.width * rung.height for rung in FULL_HD)
    work = [segment.frames * pixels / PIXELS_PER_SECOND for segment in segments]
    fragment = fragment_frames(line) * pixels / PIXELS_PER_SECOND
    assert max(work) <= LONGEST_WORK_SECONDS + fragment / 2
    assert max(work[-4:]) <= max(work) / 2


def test_slow_slots_get_less_at_once() -> None:
    """What bounds a segment is its work here, so that nobody waits longer for one where encoding takes longer."""
    line = timeline(7200, slots=4)
    longest = max(segment.frames for segment in cut(line))
    slow = max(segment.frames for segment in cut(replace(line, pace=1.5)))
    assert slow == pytest.approx(longest / 1.5, abs=fragment_frames(line) / 2)


def test_the_last_fragments_are_short_where_many_slots_wait_for_them() -> None:
    """Half a fragment for each slot, the very last one what is left; clips are cut finely from the beginning."""
    film, clip = timeline(600, slots=16), timeline(10)
    assert [segment.frames for segment in cut(film)[-16:-1]] == [2 * 24] * 15
    assert {segment.frames for segment in cut(clip)[1:-1]} == {fragment_frames(clip)}


def test_the_first_segment_is_short_and_has_threads_of_its_own() -> None:
    """Playback starts with one short fragment that two threads encode."""
    line = timeline(600)
    first, second, *_ = cut(line)
    assert fragment_frames(line) == 4 * 24
    assert (first.frames, first.threads, second.threads) == (FIRST_SECONDS * 24, 2, 1)


@pytest.mark.parametrize(("slots", "hurried"), [(1, 0), (2, 1), (5, 2)])
def test_the_last_segments_use_the_cores_of_idle_slots(slots: int, hurried: int) -> None:
    """One segment for two slots has more than one thread at the end."""
    threads = [segment.threads for segment in cut(timeline(600, slots=slots))[1:]]
    assert threads == [1] * (len(threads) - hurried) + [LAST_THREADS] * hurried


def test_borders_follow_source_keyframes_where_the_grid_allows() -> None:
    """With a source keyframe 0.1 s ahead of every second fragment, the longer segments end there."""
    line = timeline(2000, every=8)
    shifted = Timeline(line.frames, 0, line.rate, 2, line.rungs, 0.0, [key + 0.9 for key in line.keyframes])
    borders = [segment.first_frame / 24 for segment in cut(shifted)[8:60]]
    assert sum(border % 8 == pytest.approx(1.0) for border in borders) > len(borders) * 0.9


def test_a_short_tail_stays_with_the_last_picture() -> None:
    """Half a minute of sound behind the last picture makes the last segment longer, not more segments."""
    with_tail, without = cut(timeline(20, tail=30 * 24)), cut(timeline(20))
    assert len(with_tail) == len(without)
    assert with_tail[-1].frames == without[-1].frames + 30 * 24


def test_a_long_tail_is_cut_and_decoded_from_the_last_keyframe_on() -> None:
    """Ten minutes of sound behind the last picture are segments of bounded work that need only that picture."""
    line = timeline(20, tail=600 * 24)
    tail = [segment for segment in cut(line) if segment.first_frame >= line.shown]
    assert len(tail) > 10
    last = max(keyframe for keyframe in line.keyframes if keyframe < (line.shown - 1) / 24)
    assert {segment.seek for segment in tail} == {last - SEEK_MARGIN_SECONDS}


def test_one_picture_under_much_sound_is_not_all_keyframes() -> None:
    """A podcast's only picture has the usual fragments, not a fragment for each time it is shown."""
    line = Timeline(24 * 3600, 24 * 3600 - 1, Fraction(24), 2, FULL_HD, 0.0, [0.0])
    assert all(segment.frames > 10 * 4 * 24 for segment in cut(line)[1:-1])
    assert fragment_frames(line) == 4 * 24


def test_a_source_that_cannot_be_cut_is_one_segment() -> None:
    """It has all frames and all threads."""
    (segment,) = whole_file(100, threads=4)
    assert (segment.first_frame, segment.frames) == (0, 100)
    assert (segment.threads, segment.seek) == (4, None)


@pytest.mark.parametrize(
    ("seconds", "every", "worth"), [(60, 60, True), (600, 2.5, True), (600, 60, True), (600, 600, False)]
)
def test_a_film_of_one_keyframe_is_not_decoded_over_and_over(seconds: float, every: float, *, worth: bool) -> None:
    """A clip without keyframes is cut all the same: its few segments cost little more."""
    line = timeline(seconds, every=every)
    assert worth_cutting(line, cut(line)) is worth


def test_a_synthetic_two_hour_film_is_cut_in_a_moment() -> None:
    """The number of keyframes does not matter: they are searched, not walked."""
    line = Timeline(7200 * 60, 0, Fraction(60), 64, FULL_HD, 0.0, [number / 60 for number in range(7200 * 60)])
    assert len(cut(line)) > 500
