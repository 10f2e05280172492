"""What the benches encode: the test media, and cuts and loops of it, nothing encoded again."""

from __future__ import annotations

import subprocess
from pathlib import Path

MEDIA = Path("../shared/media/bench")
CLIPS = ("bbb_1080p24_56s.ts", "highway_dashcam_1080p25_50s.ts")
FILM_SECONDS = 600
# A cut of a transport stream, which has no index, begins with the first keyframe whose packet lies behind what is
# sought, and that is ahead of its picture.
AHEAD_SECONDS = 0.2


def film_of(clip: Path, folder: Path) -> Path:
    """Return a film of FILM_SECONDS: the clip over and over."""
    target = folder / f"film{clip.suffix}"
    _copy(["-stream_loop", "-1", "-i", str(clip), "-t", str(FILM_SECONDS)], target)
    return target


def cut_of(clip: Path, folder: Path, *, start: float, seconds: float) -> Path:
    """Return the clip's part from the keyframe at or before `start` on, `seconds` long."""
    target = folder / f"{clip.stem}_{start:g}{clip.suffix}"
    opening = max((at for at in openings_of(clip) if at <= start), default=0.0)
    ahead = min(opening, AHEAD_SECONDS) if clip.suffix == ".ts" else 0.0
    _copy(["-ss", f"{opening - ahead:g}", "-i", str(clip), "-t", f"{seconds + ahead:g}"], target)
    return target


def openings_of(clip: Path) -> list[float]:
    """Return the times of the clip's keyframes, in seconds from its beginning: a cut begins with one."""
    entries = ["-show_entries", "packet=pts_time,flags:format=start_time", "-of", "csv=p=0"]
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", *entries, str(clip)]
    *packets, begins = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return [max(0.0, float(line.split(",")[0]) - float(begins)) for line in packets if ",K" in line]


def small_of(clip: Path, folder: Path) -> Path:
    """Return the clip at 480p with a keyframe every second: cheap to encode, and cut anywhere without encoding."""
    target = folder / f"{clip.stem}_480p.mp4"
    scale = [
        "-vf",
        "scale=-2:480",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-force_key_frames",
        "expr:gte(t,n_forced)",
    ]
    _run(["-i", str(clip), *scale, "-c:a", "aac"], target)
    return target


def _copy(options: list[str], target: Path) -> None:
    _run([*options, "-map", "0", "-c", "copy"], target)


def _run(options: list[str], target: Path) -> None:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *options, str(target)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
