"""Small clips made by ffmpeg's own sources: exact lengths, no files in the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

_DEADLINE_SECONDS = 120


def make_clip(path: Path, *, seconds: float = 2.0, size: str = "320x180", rate: str = "30", audio: bool = True) -> Path:
    """Write an H.264 clip of a moving test picture (and a 440 Hz tone); the suffix decides about the container."""
    picture = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}"]
    tone = ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}"] if audio else []
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", *(["-c:a", "aac"] if audio else [])]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *picture, *tone, *codec, str(path)]
    subprocess.run(command, check=True, timeout=_DEADLINE_SECONDS)
    return path
