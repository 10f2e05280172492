"""Raw streams: coded pictures one after another with no container, so with no times. Pure.

They are shown at a constant rate, the one that the stream itself declares, and are encoded in one piece: there is
nothing in them to seek by.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from workers.planning.frame_rate import STANDARD_RATES

# ffmpeg's demuxers of them. Some make up times of their own, which are not always right: Dirac's go by microseconds.
RAW_CONTAINERS = frozenset({"h264", "hevc", "m4v", "mpegvideo", "mjpeg", "obu", "vc1", "dirac"})
UNSAID_RATE = Fraction(25)  # where the stream declares none; ffmpeg's own choice as well
FASTEST = 1000  # pictures a second that a stream or a container may declare; more is no rate
AGREE = Fraction(1, 500)  # lengths are printed in microseconds: the exact rate is the one next to them


def counted_times(count: int, rate: Fraction) -> list[float]:
    """Return when the first so many pictures of a raw stream begin, in seconds and rounded as ffprobe rounds."""
    return [round(float(n / rate), 6) for n in range(count)]


def counting_rate(durations: Sequence[float], declared: Fraction) -> Fraction:
    """Return pictures a second by the lengths of packets, NaN where untold, else as declared, else UNSAID_RATE.

    Lengths come first: films in fields (soft telecine) declare 29.97 and show their 23.976 pictures for 2 or 3 fields.
    """
    lengths = Counter(length for length in durations if not math.isnan(length))
    count = lengths.total()
    whole = sum(Fraction(repr(length)) * times for length, times in lengths.items())
    found = Fraction(count) / whole if whole > 0 and count == len(durations) else declared
    near = min((declared or UNSAID_RATE, *STANDARD_RATES), key=lambda rate: abs(rate - found))
    exact = near if found and abs(near / found - 1) <= AGREE else found.limit_denominator(1001)
    return exact if 0 < exact <= FASTEST else UNSAID_RATE
