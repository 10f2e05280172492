"""Short coded clips in whatever container: pictures with their numbers at 25 a second, and beeps, one after another."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.coded import coded_pictures, coded_sound

RATE = 25
WIDTH, HEIGHT = 320, 180
H264, AAC = "-c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p", "-c:a aac"
_DEADLINE_SECONDS = 60


@dataclass(frozen=True)
class Clip:
    """What a clip holds: numbers from `first` on, beeps from second `beep` on, and how it is encoded.

    Sound has `sample_rate` and `channels`.
    """

    first: int = 0
    beep: int = 0
    seconds: float = 3.0
    sound_seconds: float | None = None
    options: str = f"{H264} {AAC}"
    sample_rate: int = 48_000
    channels: int = 1


def coded_clip(target: Path, clip: Clip) -> Path:
    """Write the clip; the suffix decides about the container."""
    heard = target.with_suffix(".raw")
    sounding = clip.seconds if clip.sound_seconds is None else clip.sound_seconds
    coded_sound(sounding, clip.sample_rate, first=clip.beep).tofile(heard)
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray"]
    command += ["-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE), "-i", "pipe:0"]
    command += ["-f", "f32le", "-ar", str(clip.sample_rate), "-ac", "1", "-i", str(heard)]
    command += ["-map", "0", "-map", "1", "-ac", str(clip.channels), *clip.options.split(), str(target)]
    numbers = range(clip.first, clip.first + round(clip.seconds * RATE))
    shown = coded_pictures(numbers, WIDTH, HEIGHT).tobytes()
    subprocess.run(command, input=shown, check=True, timeout=_DEADLINE_SECONDS, capture_output=True)
    heard.unlink()
    return target
