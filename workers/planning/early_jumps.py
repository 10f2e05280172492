"""Where a clock seems to jump, told while the packets are still being listed. Pure.

What is a piece is decided later and by all packets (clock_jumps). But most pieces begin where the clock of their stream
goes back or far ahead and then goes on, and that shows at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from operator import sub

from workers.planning.clock_runs import GAP_SECONDS, STRAY_PACKETS
from workers.planning.packet_columns import UNKNOWN_POSITION, Columns

BACK_SECONDS = 1.0  # more than pictures are reordered over: what goes back by less is told in time as well


class EarlyJumps:
    """Follows the columns of a listing that grows."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}
        self._before: dict[int, float] = {}

    def met(self, columns: Mapping[int, Columns]) -> Iterator[tuple[int, int]]:
        """Yield the stream and the place in the file, in bytes, of each jump since the last call."""
        for stream, mine in columns.items():
            for number in self._jumps(stream, mine):
                if mine.positions[number] != UNKNOWN_POSITION:
                    yield stream, mine.positions[number]

    def _jumps(self, stream: int, columns: Columns) -> Iterator[int]:
        """Yield the numbers of packets from which the clock goes on elsewhere; strays are no such ones."""
        begin = max(1, self._seen.get(stream, 0))
        self._seen[stream] = len(columns.decoded)
        times = columns.decoded[begin - 1 :]
        if len(times) <= 1:
            return
        steps = enumerate(map(sub, times[1:], times), start=1)
        numbers = [number for number, step in steps if not -BACK_SECONDS <= step <= GAP_SECONDS]
        for number, following in pairwise((*numbers, len(times) + STRAY_PACKETS)):
            # The clock from before a stray packet is the one to be compared with.
            before = self._before.pop(stream, times[number - 1])
            if following - number <= STRAY_PACKETS:
                self._before[stream] = before
            elif not -BACK_SECONDS <= times[number] - before <= GAP_SECONDS:
                yield begin - 1 + number
