"""Raw streams: coded pictures one after another with no container, so with no times. Pure.

They are shown at a constant rate, the one that the stream itself declares, and are encoded in one piece: there is
nothing in them to seek by.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from workers.rates import STANDARD_RATES

# ffmpeg's demuxers of them. Some make up times of their own, which are not always right: Dirac's go by microseconds.
RAW_CONTAINERS = frozenset({"h264", "hevc", "m4v", "mpegvideo", "mjpeg", "obu", "vc1", "dirac"})
UNSAID_RATE = Fraction(25)  # where the stream declares none; ffmpeg's own choice as well
FASTEST = 1000  # pictures a second that a stream may declare; more is no rate
AGREE = Fraction(1, 500)  # lengths are printed in microseconds: the exact rate is the one next to them

_DURATION = 2  # its place in a packet
_UNKNOWN = frozenset({"", "N/A"})


def counted(packets: list[list[str]], declared: Fraction, *, raw: bool) -> tuple[list[list[str]], Fraction | None]:
    """Return the packets of a raw stream with times by their number, and the rate that these go by.

    A packet is `pts, dts, duration, flags`, as ffprobe says. Those of other streams are returned as they are, and None.
    """
    if not raw or not packets:
        return packets, None
    rate = counting_rate([packet[_DURATION] for packet in packets], declared)
    times = [f"{float(n / rate):.6f}" for n in range(len(packets) + 1)]
    return [[time, time, times[1], *rest] for time, (_, _, _, *rest) in zip(times, packets, strict=False)], rate


def counting_rate(durations: Sequence[str], declared: Fraction) -> Fraction:
    """Return pictures a second by the lengths of packets, else as declared, else UNSAID_RATE.

    Lengths come first: films in fields (soft telecine) declare 29.97 and show their 23.976 pictures for 2 or 3 fields.
    """
    lengths = [Fraction(text) for text in durations if text not in _UNKNOWN]
    whole = sum(lengths)
    found = Fraction(len(lengths)) / whole if whole > 0 and len(lengths) == len(durations) else declared
    near = min((declared or UNSAID_RATE, *STANDARD_RATES), key=lambda rate: abs(rate - found))
    exact = near if found and abs(near / found - 1) <= AGREE else found.limit_denominator(1001)
    return exact if 0 < exact <= FASTEST else UNSAID_RATE
