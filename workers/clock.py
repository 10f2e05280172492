"""Clocks that jump: recordings joined end to end, broken timestamps, a camera set to another day. Pure.

A gap of a day between two pictures must not become millions of repeated frames (and hours of encoding), and a single
stray timestamp must not stretch a clip to an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from storage.plan import ClockPiece
from storage.warnings import warning
from workers.packets import PacketTimes

GAP_SECONDS = 60.0  # longer pauses between two pictures are no content: no player shows a still for so long unasked
GAP_STEPS = 20.0  # and only where pictures otherwise come much faster: a slide show's steps are all long
STRAY_PICTURES = 2  # so few pictures on a clock of their own are damage, not a scene
JUMPED = warning("clock_jumps")


def pieces_of(times: Sequence[float]) -> tuple[ClockPiece, ...]:
    """Return the parts of the source's clock that are shown and how far each is moved; none for a steady clock.

    `times` are the pictures' times, sorted.
    """
    steps = sorted(after - before for before, after in pairwise(times))
    if not steps:
        return ()
    step = steps[len(steps) // 2]
    limit = max(GAP_SECONDS, GAP_STEPS * step)
    if steps[-1] <= limit:
        return ()
    parts = [part for part in _parts(times, limit) if len(part) > STRAY_PICTURES] or _parts(times, limit)[:1]
    pieces: list[ClockPiece] = []
    ends = parts[0][0]
    for part in parts:
        pieces.append(ClockPiece(start=part[0], end=part[-1] + step / 2, shift=part[0] - ends))
        ends += part[-1] - part[0] + step
    return tuple(pieces)


def straightened(packets: PacketTimes, pieces: tuple[ClockPiece, ...]) -> PacketTimes:
    """Return the packets' times on the clock without jumps."""
    moved = tuple(time - piece.shift for piece in pieces for time in packets.times if piece.start <= time <= piece.end)
    return replace(packets, times=moved)


def _parts(times: Sequence[float], limit: float) -> list[list[float]]:
    parts = [[times[0]]]
    for before, after in pairwise(times):
        if after - before > limit:
            parts.append([])
        parts[-1].append(after)
    return parts
