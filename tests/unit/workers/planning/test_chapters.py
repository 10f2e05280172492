"""Chapters on the job's timeline: of files that list them as they are, and of files made to hurt."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.plan import ClockPiece
from storage.model.shown_text import NAME_LENGTH
from storage.model.timed_text import MOST_CHAPTERS, Chapter
from workers.planning.chapters import TITLES_LENGTH, ToldChapter, chapters_of, on_joined_clock, told_chapters

_TIMES = st.floats(-1e9, 1e9) | st.floats(-5, 25)


def test_what_ffprobe_says_is_read() -> None:
    """Titles in either case, none at all; and what has no time is no chapter."""
    answer: list[dict[str, Any]] = [
        {"start_time": "0.000000", "end_time": "2.500000", "tags": {"title": "Opening"}},
        {"start_time": "2.500000", "end_time": "4.000000", "tags": {"TITLE": "Second"}},
        {"start_time": "4.000000", "end_time": "5.000000"},
        {"start_time": "N/A", "end_time": "5.000000"},
        {"start_time": "nan", "end_time": "inf"},
        {},
    ]
    assert told_chapters(answer) == (
        ToldChapter(0.0, 2.5, "Opening"),
        ToldChapter(2.5, 4.0, "Second"),
        ToldChapter(4.0, 5.0, ""),
    )


def test_chapters_belong_to_the_first_piece_that_has_their_time() -> None:
    """Where recordings are joined; those of none are left out."""
    told = [
        ToldChapter(-0.2, 1.0, "First"),
        ToldChapter(1.0, 9.0, "Second"),
        ToldChapter(50.0, 60.0, "In a hole"),
        ToldChapter(101.0, 102.0, "Third"),
    ]
    pieces = [ClockPiece(0.0, 2.0, 0.0), ClockPiece(0.0, 2.0, -2.0), ClockPiece(100.0, 103.0, 96.0)]
    assert on_joined_clock(told, pieces) == (
        ToldChapter(0.0, 1.0, "First"),
        ToldChapter(1.0, 2.0, "Second"),
        ToldChapter(5.0, 6.0, "Third"),
    )
    assert on_joined_clock(told, []) == tuple(told)


def test_chapters_are_put_on_the_timeline() -> None:
    """From its beginning on, in the order of time, each up to the next one, and none outside of it."""
    told = [
        ToldChapter(11.4, 14.0, "Third"),
        ToldChapter(1.0, 6.4, "First"),
        ToldChapter(6.4, 20.0, "Second"),
        ToldChapter(0.0, 1.4, "Before"),
        ToldChapter(6.42, 9.0, "Second again"),
        ToldChapter(11.6, 11.61, "A moment"),
        ToldChapter(99.0, 100.0, "Behind"),
    ]
    assert chapters_of(told, 1.4, 12.0) == (
        Chapter(0.0, 5.0, "First"),
        Chapter(5.0, 10.0, "Second"),
        Chapter(10.0, 12.0, "Third"),
    )


@pytest.mark.parametrize(
    ("title", "shown"),
    [("  One\n two\x00 ", "One two"), ("\u202eexe.4pm", "exe.4pm"), ("\u200b", ""), ("x" * 999, "x" * NAME_LENGTH)],
)
def test_titles_are_clean(title: str, shown: str) -> None:
    """On one line, without what is hidden, and no longer than fits a page."""
    assert [chapter.title for chapter in chapters_of([ToldChapter(0, 5, title)], 0, 5)] == [shown]


def test_a_file_of_nothing_but_chapters_is_bounded() -> None:
    """So many of them, and so much text in all."""
    told = [ToldChapter(n, n + 1, "y" * 5000) for n in range(20_000)]
    chapters = chapters_of(told, 0.0, 20_000.0)
    assert len(chapters) == MOST_CHAPTERS
    assert sum(len(chapter.title) for chapter in chapters) == TITLES_LENGTH


@given(st.lists(st.builds(ToldChapter, _TIMES, _TIMES, st.text(max_size=5))), st.floats(-100, 100), st.floats(0.1, 50))
def test_chapters_follow_each_other_on_the_timeline(told: list[ToldChapter], start: float, duration: float) -> None:
    """Whatever a file lists."""
    chapters = chapters_of(told, start, duration)
    assert all(0 <= chapter.start < chapter.end <= duration + 0.001 for chapter in chapters)
    assert all(one.end <= following.start for one, following in pairwise(chapters))
