"""What the stages share."""

from __future__ import annotations

import threading

import pytest

from storage.model.task import Stage, Task
from tests.support.jobs import make_plan
from workers.stages.common import LATER_NICENESS, niceness_of, ticking


@pytest.mark.parametrize(
    ("stage", "index", "segments", "first"),
    [
        (Stage.SEGMENT, 0, 2, True),
        (Stage.SEGMENT, 1, 2, False),
        (Stage.SEGMENT, 0, 1, False),
        (Stage.AUDIO, 0, 2, False),
        (Stage.POSTER, 0, 2, False),
        (Stage.PACKAGE, 0, 2, False),
    ],
)
def test_only_the_short_segment_that_playback_waits_for_goes_first(
    stage: Stage, index: int, segments: int, *, first: bool
) -> None:
    """A film in one piece is no short segment."""
    niceness = niceness_of(Task("job", stage, index), make_plan(segments=segments))
    assert niceness == (0 if first else LATER_NICENESS)


def test_what_is_made_is_looked_at_without_progress() -> None:
    """Which ffmpeg tells only once each of its outputs has begun."""
    ticked = threading.Event()
    with ticking(ticked.set):
        assert ticked.wait(30)
    ticked.clear()
    assert not ticked.wait(0.6)
