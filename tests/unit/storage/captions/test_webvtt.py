"""WebVTT is written such that a reader finds in it what was meant, and nothing else."""

from __future__ import annotations

import pytest

from storage.captions.cues import Cue
from storage.captions.webvtt import chapters_vtt, segment_count, stamp, subtitle_segments, subtitles_vtt
from storage.model.timed_text import Chapter


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, "00:00:00.000"), (59.9995, "00:01:00.000"), (3600.25, "01:00:00.250"), (360_000, "100:00:00.000")],
)
def test_times_are_written(seconds: float, written: str) -> None:
    """Hours in two digits or more, thousandths rounded."""
    assert stamp(seconds) == written


def test_chapters_are_cues_that_hold_no_markup() -> None:
    """One without a title shows its number."""
    chapters = (Chapter(0.0, 2.5, "<b>A & B --> C"), Chapter(2.5, 4.0, ""))
    assert chapters_vtt(chapters) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:02.500\n&lt;b&gt;A &amp; B --&gt; C\n\n00:00:02.500 --> 00:00:04.000\n2\n"
    )


def test_segments_hold_what_is_shown_in_them() -> None:
    """A cue over a border stands on both sides of it with its whole time; each segment says where its clock begins."""
    cues = (Cue(0, 1000, "a"), Cue(59_000, 61_000, "b"), Cue(60_500, 60_600, "c", top=True), Cue(130_000, 131_000, "d"))
    head = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n"
    over = "\n00:00:59.000 --> 00:01:01.000\nb\n"
    assert [segment.decode() for segment in subtitle_segments(cues, 131.5)] == [
        head + "\n00:00:00.000 --> 00:00:01.000\na\n" + over,
        head + over + "\n00:01:00.500 --> 00:01:00.600 line:0\nc\n",
        head + "\n00:02:10.000 --> 00:02:11.000\nd\n",
    ]
    assert list(subtitle_segments((), 60.0)) == [head.encode()]
    assert subtitles_vtt(()) == b"WEBVTT\n"


@pytest.mark.parametrize(("duration", "count"), [(0.01, 1), (59.999, 1), (60, 1), (60.001, 2), (7200, 120)])
def test_segments_cover_the_timeline(duration: float, count: int) -> None:
    """And no more."""
    assert segment_count(duration) == count
