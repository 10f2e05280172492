"""Sound laid on a timeline: zeros where there is none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.files.decoding import SAMPLE_RATE, Sound, Times

# By so much times may be off: clocks are coarse, and Vorbis in Matroska is 10 ms off where its blocks change their size.
# The samples go on where they ended then, or a tone would be torn.
_SLACK_SECONDS = 0.015


def line(heard: Sound, places: Times, seconds: float) -> NDArray[np.float32]:
    """Return so many seconds of both ears' sound, each piece where `places` says (seconds), the later one on top."""
    laid = np.zeros((int(seconds * SAMPLE_RATE) + 1, 2), np.float32)
    firsts = np.concatenate([[0], np.cumsum(heard.counts)])
    reached = -1
    for number, at in enumerate(places):
        piece = heard.samples[firsts[number] : firsts[number + 1]]
        start = round(float(at) * SAMPLE_RATE)
        if abs(start - reached) <= _SLACK_SECONDS * SAMPLE_RATE:
            start = reached
        first, last = max(0, start), min(len(laid), start + len(piece))
        if first < last:
            laid[first:last] = piece[first - start : last - start]
        reached = start + len(piece)
    return laid
