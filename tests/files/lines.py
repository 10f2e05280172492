"""Sound laid on a timeline: zeros where there is none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tests.files.decoding import SAMPLE_RATE, Sound, Times

# Times of single pieces may be off: clocks are coarse, and Vorbis in Matroska is up to 20 ms off where its blocks have
# two sizes. Samples go on where they ended, or a tone would be torn, unless no time of the next half second agrees.
_AHEAD_SECONDS = 0.5
_SLACK_SECONDS = 0.005


def line(heard: Sound, places: Times, seconds: float) -> NDArray[np.float32]:
    """Return so many seconds of both ears' sound, each piece where `places` says (seconds), the later one on top."""
    laid = np.zeros((int(seconds * SAMPLE_RATE) + 1, 2), np.float32)
    firsts = np.concatenate([[0], np.cumsum(heard.counts)])
    for number, moved in enumerate(_moved(places, firsts[:-1] / SAMPLE_RATE)):
        piece = heard.samples[firsts[number] : firsts[number + 1]]
        start = int(firsts[number]) + round(moved * SAMPLE_RATE)
        first, last = max(0, start), min(len(laid), start + len(piece))
        if first < last:
            laid[first:last] = piece[first - start : last - start]
    return laid


def _moved(places: Times, counted: Times) -> Iterator[float]:
    """Yield how far each piece lies from where all samples in a row would have it, seconds."""
    off = places - counted
    now = float(off[0]) if len(off) else 0.0
    ahead = np.searchsorted(counted, counted + _AHEAD_SECONDS, side="right")
    for number, last in enumerate(ahead):
        if np.abs(off[number:last] - now).min() > _SLACK_SECONDS:
            now = float(off[number])
        yield now
