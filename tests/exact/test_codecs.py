"""Every codec that is cut, as ffmpeg encodes it: segments decoded from keyframes show what one run over all shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.codec_clips import CASES, RATE, SECONDS, graph, write_clip
from tests.support.exactness import SLOTS, differing
from tests.support.pictures import difference, filtered, hashes, picture, shrunk
from workers.planning.make_plan import CODECS_TO_CUT, PlanLimits
from workers.planning.plan_file import plan_file
from workers.planning.segments import without_cuts
from workers.sandbox.run import Watch

pytestmark = [pytest.mark.exact, pytest.mark.timeout(300)]

LIMITS = PlanLimits(max_pixels=10**7, max_seconds=3600, preset="veryfast", slots=SLOTS)
NOT_GENERATED = {"av1"}  # encoders take long; test_exact has three real files


def test_every_codec_that_is_cut_is_proven() -> None:
    """No name stands in the planner's list that nothing here shows to be exact."""
    assert {case.codec for case in CASES.values()} | NOT_GENERATED == CODECS_TO_CUT


@pytest.mark.parametrize("name", CASES)
def test_segments_show_what_the_whole_file_shows(name: str, tmp_path: Path, say: Callable[[str], None]) -> None:
    """Each segment's pictures are those of one run, those are as many as were encoded, and each looks like its own."""
    case, source = CASES[name], write_clip(name, tmp_path)
    plan, segments = plan_file(str(source), LIMITS, Watch())
    assert plan.video.codec == case.codec
    sought = sum(segment.seek is not None for segment in segments)
    uncut, (everything,) = without_cuts(plan, threads=1)
    whole = filtered(uncut, everything, source, tmp_path / "whole.yuv")
    wrong = differing(plan, segments, source, whole, tmp_path)
    say(f"{name:38} {len(segments):2} segments, {sought:2} sought, {plan.frames} frames, {len(wrong)} wrong")
    assert sought > len(segments) / 2
    assert wrong == ()
    assert (plan.frames, len(set(hashes(whole)))) == (SECONDS * RATE, SECONDS * RATE)
    own = shrunk(graph(name), tmp_path / "own.yuv")
    for number in (0, 1, plan.frames // 2, plan.frames - 2, plan.frames - 1):
        near = [n for n in (number - 1, number, number + 1) if 0 <= n < plan.frames]
        assert min(near, key=lambda n: difference(picture(whole, number), picture(own, n))) == number
