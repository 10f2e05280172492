"""What the benches encode: the test media, and cuts and loops of it, nothing encoded again."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

MEDIA = Path("../shared/media/bench")
CLIPS = ("bbb_1080p24_56s.ts", "highway_dashcam_1080p25_50s.ts")
FILM_SECONDS = 600
PHONE = Path("../shared/media/happy/pixel7_1080p30_video_only.mp4")  # turned, 22 Mb/s, a keyframe a second
FAST_START = ("-movflags", "+faststart")
# A cut of a transport stream, which has no index, begins with the first keyframe whose packet lies behind what is
# sought, and that is ahead of its picture.
AHEAD_SECONDS = 0.2


def film_of(clip: Path, folder: Path) -> Path:
    """Return a film of FILM_SECONDS: the clip over and over."""
    return looped(clip, folder / f"film{clip.suffix}", FILM_SECONDS)


def looped(clip: Path, target: Path, seconds: float, options: Sequence[str] = ()) -> Path:
    """Write the clip over and over, with further options of its muxer, and return the file.

    It goes through an MP4: at each beginning ffmpeg seeks, and in a transport stream, which has no index, it loses the
    first keyframe. Whatever was made so had damage at each joint.
    """
    with tempfile.TemporaryDirectory() as folder:
        one = Path(folder, "one.mp4")
        _copy(["-i", str(clip)], one)
        _copy(["-stream_loop", "-1", "-i", str(one), "-t", f"{seconds:g}"], target, options)
    return target


def phone_video(target: Path, seconds: float, options: Sequence[str] = ()) -> Path:
    """Write what a phone took, over and over, with the dashcam's sound, as its own has none; return the file."""
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder, "sound.mp4")
        _copy(["-i", str(MEDIA / CLIPS[1]), "-vn"], sound)
        loops = [part for path in (PHONE, sound) for part in ("-stream_loop", "-1", "-i", str(path))]
        _run([*loops, "-t", f"{seconds:g}", "-map", "0:v", "-map", "1:a", "-c", "copy", *options], target)
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


def _copy(options: list[str], target: Path, of_muxer: Sequence[str] = ()) -> None:
    _run([*options, "-map", "0", "-c", "copy", *of_muxer], target)


def _run(options: list[str], target: Path) -> None:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *options, str(target)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
