"""Every codec that is cut, as ffmpeg encodes it: segments decoded from keyframes show what one run over all shows."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.exactness import SLOTS, differing
from tests.support.pictures import difference, filtered, hashes, picture, shrunk
from workers.examining import plan_file
from workers.planning import CODECS_TO_CUT, PlanLimits, without_cuts
from workers.tool import Watch

pytestmark = [pytest.mark.exact, pytest.mark.timeout(300)]

SECONDS, RATE = 12, 25
# Noise: no two pictures are alike, and encoders have to reach for their B-frames and long vectors.
PICTURES = f"testsrc2=size=320x240:rate={RATE}:duration={SECONDS},noise=alls=12:allf=t"
LIMITS = PlanLimits(max_pixels=10**7, max_seconds=3600, preset="veryfast", slots=SLOTS)


@dataclass(frozen=True)
class Case:
    """A codec by ffprobe's name, its container, ffmpeg's options, filters for those that are choosy."""

    codec: str
    suffix: str
    options: str
    filters: str = "null"


CASES = {
    "mpeg-2, open groups, transport stream": Case("mpeg2video", "ts", "-c:v mpeg2video -q:v 5 -g 15 -bf 2"),
    "mpeg-2, open groups, program stream": Case("mpeg2video", "mpg", "-c:v mpeg2video -q:v 5 -g 15 -bf 2"),
    "mpeg-2, open groups, dvd": Case("mpeg2video", "vob", "-c:v mpeg2video -q:v 5 -g 15 -bf 2"),
    "mpeg-2, open groups, mxf": Case("mpeg2video", "mxf", "-c:v mpeg2video -q:v 5 -g 15 -bf 2"),
    "mpeg-2, open groups, matroska": Case("mpeg2video", "mkv", "-c:v mpeg2video -q:v 5 -g 15 -bf 2"),
    "mpeg-2, long groups": Case("mpeg2video", "ts", "-c:v mpeg2video -q:v 5 -g 60 -bf 3 -b_strategy 1"),
    "mpeg-2, closed groups": Case(
        "mpeg2video", "ts", "-c:v mpeg2video -q:v 5 -g 12 -bf 2 -flags +cgop -sc_threshold 1000000000"
    ),
    "mpeg-2, interlaced": Case("mpeg2video", "ts", "-c:v mpeg2video -q:v 5 -g 15 -bf 2 -flags +ilme+ildct"),
    "mpeg-1": Case("mpeg1video", "mpg", "-c:v mpeg1video -q:v 5 -g 15 -bf 2"),
    "prores": Case("prores", "mov", "-c:v prores_ks -profile:v 1"),
    "dnxhr": Case("dnxhd", "mov", "-c:v dnxhd -profile:v dnxhr_lb -pix_fmt yuv422p"),
    "dnxhd": Case("dnxhd", "mxf", "-c:v dnxhd -b:v 36M -pix_fmt yuv422p", "scale=1920:1080"),
    "dv": Case("dvvideo", "avi", "-c:v dvvideo -pix_fmt yuv420p", "scale=720:576"),
    "dv, raw": Case("dvvideo", "dv", "-c:v dvvideo -pix_fmt yuv420p", "scale=720:576"),
    "ffv1": Case("ffv1", "mkv", "-c:v ffv1 -level 3 -g 1"),
    "ffv1, groups": Case("ffv1", "mkv", "-c:v ffv1 -level 1 -g 50 -context 1 -coder 1"),
    "huffyuv": Case("huffyuv", "avi", "-c:v huffyuv -pix_fmt yuv422p"),
    "ffvhuff": Case("ffvhuff", "mkv", "-c:v ffvhuff"),
    "utvideo": Case("utvideo", "avi", "-c:v utvideo"),
    "magicyuv": Case("magicyuv", "avi", "-c:v magicyuv -pix_fmt yuv420p"),
    "cineform": Case("cfhd", "mov", "-c:v cfhd -pix_fmt yuv422p10le"),
    "jpeg 2000": Case("jpeg2000", "mov", "-c:v jpeg2000", "scale=96:64"),
    "png": Case("png", "mov", "-c:v png"),
    "animation": Case("qtrle", "mov", "-c:v qtrle -g 30"),
    "raw": Case("rawvideo", "nut", "-c:v rawvideo -pix_fmt yuv420p"),
    "v210": Case("v210", "mov", "-c:v v210", "scale=192:96"),
    "msmpeg4": Case("msmpeg4v3", "avi", "-c:v msmpeg4 -q:v 5 -g 25"),
    "wmv1": Case("wmv1", "wmv", "-c:v wmv1 -q:v 5 -g 25"),
    "wmv2": Case("wmv2", "wmv", "-c:v wmv2 -q:v 5 -g 25"),
    "mpeg-4 with b-frames, avi": Case("mpeg4", "avi", "-c:v mpeg4 -q:v 5 -g 25 -bf 2"),
    "h.264 with b-frames, avi": Case("h264", "avi", "-c:v libx264 -preset veryfast -g 25 -bf 3"),
    "h.264, open groups": Case("h264", "ts", "-c:v libx264 -preset veryfast -g 25 -x264-params open-gop=1:bframes=3"),
    "hevc, open groups": Case(
        "hevc", "mkv", "-c:v libx265 -preset ultrafast -x265-params keyint=30:open-gop=1:log-level=error"
    ),
    "vp9": Case("vp9", "webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 50 -b:v 500k"),
    "vp9 with transparency": Case(
        "vp9",
        "webm",
        "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 50 -b:v 500k -auto-alt-ref 0",
        "format=yuva420p",
    ),
    "vp8": Case("vp8", "webm", "-c:v libvpx -deadline realtime -cpu-used 8 -g 50 -b:v 500k"),
    "motion jpeg": Case("mjpeg", "avi", "-c:v mjpeg -q:v 5 -pix_fmt yuvj422p"),
    "theora": Case("theora", "ogv", "-c:v libtheora -q:v 5 -g 50"),
}
NOT_GENERATED = {"av1"}  # encoders take long; test_exact has three real files


def test_every_codec_that_is_cut_is_proven() -> None:
    """No name stands in the planner's list that nothing here shows to be exact."""
    assert {case.codec for case in CASES.values()} | NOT_GENERATED == CODECS_TO_CUT


@pytest.mark.parametrize("name", CASES)
def test_segments_show_what_the_whole_file_shows(name: str, tmp_path: Path, say: Callable[[str], None]) -> None:
    """Each segment's pictures are those of one run, those are as many as were encoded, and each looks like its own."""
    case, source = CASES[name], tmp_path / f"source.{CASES[name].suffix}"
    graph = ["-f", "lavfi", "-i", f"{PICTURES},{case.filters}"]
    command = ["ffmpeg", "-nostdin", "-v", "error", *graph, *case.options.split(), str(source)]
    subprocess.run(command, check=True, timeout=120)
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
    own = shrunk(graph, tmp_path / "own.yuv")
    for number in (0, 1, plan.frames // 2, plan.frames - 2, plan.frames - 1):
        near = [n for n in (number - 1, number, number + 1) if 0 <= n < plan.frames]
        assert min(near, key=lambda n: difference(picture(whole, number), picture(own, n))) == number
