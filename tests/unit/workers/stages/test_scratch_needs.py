"""How much scratch space tasks ask for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from storage.model.plan import Segment
from tests.support.jobs import make_plan
from workers.stages.scratch_needs import (
    LISTED_BITRATE,
    METERED_BITRATE,
    SPARE,
    STILLS_BYTES,
    audio_bytes,
    package_bytes,
    segment_bytes,
)

PLAN = make_plan()


def test_a_segment_takes_its_rungs_rates_and_buffers() -> None:
    """Ten seconds at the cap, and what a full buffer lets through at once."""
    segment = Segment(0, 0, frames=int(10 * PLAN.rate), threads=1)
    bits = sum(rung.maxrate * segment.frames / PLAN.rate + rung.bufsize for rung in PLAN.rungs)
    assert segment_bytes(PLAN, segment) == int(bits / 8 * SPARE)


def test_a_longer_segment_takes_more() -> None:
    """By its rate alone: the buffer counts once."""
    short, long = (segment_bytes(PLAN, Segment(0, 0, frames, threads=1)) for frames in (100, 200))
    assert short < long < 2 * short


def test_sound_takes_its_bitrate() -> None:
    """For the whole job, each track."""
    (audio,) = PLAN.audio
    lower = replace(audio, bitrate=120_000 - LISTED_BITRATE - METERED_BITRATE)
    each = 15_000 * PLAN.frames / PLAN.rate * SPARE
    assert audio_bytes(replace(PLAN, audio=(lower, lower))) == 2 * int(each)
    wide = replace(lower, surround_bitrate=120_000 - METERED_BITRATE)
    assert audio_bytes(replace(PLAN, audio=(wide,))) == int(2 * each)


def test_packaging_takes_everything_twice_and_the_sound_for_each_rung() -> None:
    """Fragments joined and the MP4 made of them lie beside each other, all rungs at once, and keyframes of the last."""
    rungs = {rung.name: {"fragments": (1000, 500)} for rung in PLAN.rungs}
    segments = {f"segment:{index}": {"rungs": rungs} for index in range(2)}
    pictures = 2 * 3000 * len(PLAN.rungs) + 3000
    assert package_bytes(PLAN, segments) == int(pictures * SPARE) + STILLS_BYTES
    sound: dict[str, dict[str, Any]] = {
        "audio:0": {"made": True, "parts": [{"bytes": 70}, {"bytes": 30}]},
        "poster:0": {"made": True},
    }
    added = (1 + len(PLAN.rungs)) * 100
    assert package_bytes(PLAN, segments | sound) == int((pictures + added) * SPARE) + STILLS_BYTES
    assert package_bytes(PLAN, segments | {"audio:0": {"made": False, "detail": "x"}}) == package_bytes(PLAN, segments)
