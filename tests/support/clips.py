"""Small clips made by ffmpeg's own sources: exact lengths, no files in the repository."""

from __future__ import annotations

import subprocess
from fractions import Fraction
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


def make_fragmented(path: Path, *, frames: int, every: int, size: str, rate: Fraction) -> Path:
    """Write a fragmented MP4 of a moving test picture without sound, with a fragment every so many frames."""
    picture = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}"]
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-frames:v", str(frames)]
    keyframes = ["-g", str(every), "-keyint_min", str(every), "-sc_threshold", "0", "-bf", "0"]
    boxes = ["-movflags", "frag_keyframe+empty_moov+default_base_moof"]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *picture, *codec, *keyframes, *boxes, str(path)]
    subprocess.run(command, check=True, timeout=_DEADLINE_SECONDS)
    return path


def overwritten(source: Path, target: Path, stream: int, share: float) -> Path:
    """Copy the file with the last `share` of the stream's packets turned to zeros; the index stays whole."""
    command = ["ffprobe", "-v", "error", "-select_streams", str(stream), "-show_entries", "packet=pos,size"]
    listed = subprocess.run(
        [*command, "-of", "csv=p=0", str(source)], check=True, capture_output=True, text=True, timeout=60
    ).stdout.split()
    data = bytearray(source.read_bytes())
    for line in listed[round(len(listed) * (1 - share)) :]:
        size, place = (int(value) for value in line.split(",")[:2])
        data[place : place + size] = bytes(size)
    target.write_bytes(data)
    return target
