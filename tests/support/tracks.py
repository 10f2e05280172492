"""Clips with several tracks of sound, each with a tone of its own, so that it is heard which one is where."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.support.looking import SAMPLE_RATE, samples

_DEADLINE_SECONDS = 120
_LOUD = 1000  # of 32,768: above what a codec leaves of silence


@dataclass(frozen=True, slots=True)
class Tone:
    """A track: its tone in Hz, what the file says of it, and from when on it is heard, in seconds."""

    hertz: int
    language: str = ""
    title: str = ""
    disposition: str = "0"
    begins: float = 0.0
    layout: str = "stereo"


FOUR = (
    Tone(400, "eng", disposition="default"),
    Tone(600, "ger", title="Synchronfassung"),
    Tone(800, "kor", begins=1.0),
    Tone(1000, "eng", disposition="visual_impaired"),
)


def make_tracks(path: Path, tones: Sequence[Tone] = FOUR, *, seconds: float = 4.0, encoder: str = "aac") -> Path:
    """Write a clip of a moving test picture with these tracks; the suffix decides about the container."""
    inputs = ["-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=30:duration={seconds}"]
    options = ["-map", "0:v", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", encoder]
    for number, tone in enumerate(tones):
        source = f"sine=frequency={tone.hertz}:sample_rate={SAMPLE_RATE}:duration={seconds - tone.begins}"
        sound = f"{source},aformat=channel_layouts={tone.layout}"
        inputs += ["-itsoffset", str(tone.begins), "-f", "lavfi", "-i", sound]
        options += ["-map", f"{number + 1}:a", f"-disposition:a:{number}", tone.disposition]
        told = {"language": tone.language, "title": tone.title, "handler_name": tone.title}
        options += [
            part for name, text in told.items() if text for part in (f"-metadata:s:a:{number}", f"{name}={text}")
        ]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *inputs, *options, str(path)]
    subprocess.run(command, check=True, timeout=_DEADLINE_SECONDS)
    return path


def heard_tone(path: Path, track: int = 0) -> tuple[float, float]:
    """Return the tone of a track in Hz, by how often it changes its sign, and when it begins, in seconds."""
    heard = samples(path, track)
    first = next(number for number, sample in enumerate(heard) if abs(sample) > _LOUD)
    whole = heard[first + SAMPLE_RATE // 4 : -SAMPLE_RATE // 4]
    turns = sum(before < 0 <= after for before, after in pairwise(whole))
    return turns / (len(whole) / SAMPLE_RATE), first / SAMPLE_RATE
