"""Where a file's clock begins anew, in the order in which the file has its packets, for pictures and sound together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tests.files.decoding import Times
from tests.files.listing import Packet

BACK_SECONDS = 0.5  # a clock that goes back by more begins anew; B-pictures and bad muxers go back by less

Ranges = list[tuple[int, float, float]]


@dataclass
class _Clock:
    """One stream's clock during the walk: its part, its latest time, and first and last time of each part."""

    part: int
    latest: float
    ranges: dict[int, list[float]] = field(default_factory=dict)


def ranges_of(packets: Sequence[Packet], streams: Sequence[int]) -> dict[int, Ranges]:
    """Return of each stream (part, first time, last time), in order of the file.

    Parts are counted for all streams together: who comes late to a new part belongs to it all the same.
    """
    clocks = dict[int, _Clock]()
    newest, now = 0, 0.0
    for packet in packets:
        if packet.stream not in streams or packet.time is None:
            continue
        time = packet.time if packet.decoded is None else packet.decoded
        clock = clocks.setdefault(packet.stream, _Clock(newest, time))
        behind = clock.part < newest
        if time < clock.latest - BACK_SECONDS:
            newest = newest if behind else newest + 1
            clock.part, clock.latest = newest, time
        elif behind and abs(time - now) < abs(time - clock.latest):
            clock.part, clock.latest = newest, time
        if clock.part == newest:
            now = time
        clock.latest = max(clock.latest, time)
        first, last = clock.ranges.setdefault(clock.part, [packet.time, packet.time])
        clock.ranges[clock.part] = [min(first, packet.time), max(last, packet.time)]
    return {stream: _merged(clock.ranges, _steady(clocks, stream)) for stream, clock in clocks.items()}


def _steady(clocks: dict[int, _Clock], stream: int) -> int | None:
    """Return the last part if another stream's clock never went back: one clock alone that does is no new part."""
    others = [max(clock.ranges) for other, clock in clocks.items() if other != stream]
    return min(others) if others and len(clocks[stream].ranges) > 1 else None


def _merged(ranges: dict[int, list[float]], last: int | None) -> Ranges:
    found = dict[int, list[float]]()
    for part, (first, final) in ranges.items():
        kept = part if last is None else min(part, last)
        before = found.setdefault(kept, [first, final])
        found[kept] = [min(before[0], first), max(before[1], final)]
    return [(part, first, final) for part, (first, final) in found.items()]


def parts_of(times: Times, ranges: Ranges) -> Times:
    """Tell of each decoded picture or piece of sound in which part of the file it lies.

    Decoders may hand out a few in a wrong order, so time may go back a little within a part.
    """
    known = ranges or [(0, -np.inf, np.inf)]
    found, now, latest = np.zeros(len(times)), 0, -np.inf
    for number, time in enumerate(times):
        _, first, last = known[now]
        outside = not first - BACK_SECONDS <= time <= last + BACK_SECONDS
        if (time < latest - BACK_SECONDS or outside) and now + 1 < len(known):
            now, latest = now + 1, -np.inf
        latest = max(latest, time)
        found[number] = known[now][0]
    return found
