"""ffmpeg's meter of loudness, its filter `ebur128`: how it stands in a command, and what it wrote. Pure."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from storage.model.loudness import SILENCE, Loudness

# What the meter wrote last stands in so many bytes: ten times a second it writes some 350 of a stereo track, and 30
# more of each further channel.
LAST_BYTES = 4096
_VALUE = re.compile(r"^lavfi\.r128\.(I|LRA|true_peak)=(-?[0-9]{1,6}\.[0-9]+)$", re.MULTILINE)


def metered(sound: Any, wrote: Path) -> Any:
    """Return the sound behind the meter; what is measured up to each moment is written to the file, line by line."""
    return sound.filter("ebur128", peak="true", metadata=1).filter("ametadata", mode="print", file=str(wrote))


def parse_loudness(end: str) -> Loudness | None:
    """Return what was measured up to the end of the sound, from the end of that file; None where nothing was.

    ffmpeg tells the peak as a factor.
    """
    last = {name: float(value) for name, value in _VALUE.findall(end)}
    if last.keys() != {"I", "LRA", "true_peak"}:
        return None
    heard = last["I"] > SILENCE and last["true_peak"] > 0
    return Loudness(
        integrated=round(last["I"], 2) if heard else None,
        range=round(last["LRA"], 2) if heard else 0.0,
        true_peak=round(20 * math.log10(last["true_peak"]), 2) if heard else None,
    )
