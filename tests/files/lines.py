"""Sound laid on a timeline: zeros where there is none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.files.decoding import SAMPLE_RATE, Sound, Times

_ROUNDING_SECONDS = 0.002  # what coarse clocks move a piece by: samples go on where they ended
_SEAM_SECONDS = 0.010  # a hole that coarse clocks and slow capture clocks leave between two pieces is none


def line(heard: Sound, places: Times, seconds: float) -> NDArray[np.float32]:
    """Return so many seconds of both ears' sound, each piece where `places` says (seconds), the later one on top."""
    laid = np.zeros((int(seconds * SAMPLE_RATE) + 1, 2), np.float32)
    firsts = np.concatenate([[0], np.cumsum(heard.counts)])
    reached = -1
    for number, at in enumerate(places):
        piece = heard.samples[firsts[number] : firsts[number + 1]]
        start = round(float(at) * SAMPLE_RATE)
        if abs(start - reached) <= _ROUNDING_SECONDS * SAMPLE_RATE:
            start = reached
        elif 0 < reached < len(laid) and 0 < start - reached < _SEAM_SECONDS * SAMPLE_RATE:
            laid[reached:start] = laid[reached - 1]
        first, last = max(0, start), min(len(laid), start + len(piece))
        if first < last:
            laid[first:last] = piece[first - start : last - start]
        reached = start + len(piece)
    return laid
