"""How much silence is published ahead of a track that begins late."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.jobs import SOUND
from workers.sandbox.run import ToolLimits
from workers.stages.silence_ahead import patience, seconds_ahead


@pytest.mark.parametrize(("silent", "ahead"), [(0, 0), (19, 0), (20, 19), (61, 60), (290, 60), (3600, 359)])
def test_silence_lasts_until_the_sound_is_read(silent: int, ahead: int) -> None:
    """Never longer than the track is silent, and a tenth of that for one that begins an hour later."""
    assert seconds_ahead(replace(SOUND, silent_seconds=silent), 7200.0) == ahead


@pytest.mark.parametrize(("duration", "ahead"), [(0.5, 0), (10.9, 9), (300.0, 60)])
def test_no_silence_is_longer_than_the_video(duration: float, ahead: int) -> None:
    """Of a track that begins hours behind it."""
    assert seconds_ahead(replace(SOUND, silent_seconds=36_000), duration) == ahead


@pytest.mark.parametrize(("silent", "stall"), [(19, 60.0), (20, 3600.0)])
def test_nobody_takes_silence_for_a_standstill(silent: int, stall: float) -> None:
    """Before a late track's first packet nothing is told of how far the tool is."""
    sounds = (SOUND, replace(SOUND, silent_seconds=silent))
    assert patience(ToolLimits(3600.0, 60.0), sounds) == ToolLimits(3600.0, stall)
