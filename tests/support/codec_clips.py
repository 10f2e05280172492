"""A clip of every codec that is cut, as ffmpeg encodes it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

SECONDS, RATE = 12, 25
# Noise: no two pictures are alike, and encoders have to reach for their B-frames and long vectors.
PICTURES = f"testsrc2=size=320x240:rate={RATE}:duration={SECONDS},noise=alls=12:allf=t"


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


def graph(name: str) -> list[str]:
    """Return ffmpeg's input options for the pictures of a case."""
    return ["-f", "lavfi", "-i", f"{PICTURES},{CASES[name].filters}"]


def write_clip(name: str, folder: Path) -> Path:
    """Encode a case's clip into the folder, named after the case."""
    case = CASES[name]
    path = folder / f"{re.sub('[^a-z0-9]+', '_', name)}.{case.suffix}"
    command = ["ffmpeg", "-nostdin", "-v", "error", *graph(name), *case.options.split(), str(path)]
    subprocess.run(command, check=True, timeout=120)
    return path
