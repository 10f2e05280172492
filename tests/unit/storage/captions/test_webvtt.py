"""WebVTT is written such that a reader finds in it what was meant, and nothing else."""

from __future__ import annotations

import pytest

from storage.captions.webvtt import chapters_vtt, stamp
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
