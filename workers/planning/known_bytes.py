"""How much of a file is there while it is being uploaded, and how far it may be looked at then. Pure.

What is planned meanwhile is a guess: that what has not come is like what has.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress

from workers.planning.facts import Stream
from workers.planning.headers.byte_ranges import BLOCK_BYTES
from workers.planning.packet_columns import IS_KEY, Columns
from workers.planning.packets import Listing

# ffprobe guesses the delay and the rate of pictures by the first ones, some twenty of them.
FIRST_PICTURES = 32


@dataclass(frozen=True, slots=True)
class KnownBytes:
    """The bytes of a file that are there: the first `arrived` ones, and those of an index from `begin` up to `end`."""

    arrived: int
    begin: int = 0
    end: int = 0

    def has(self, start: int, end: int) -> bool:
        """Tell whether all bytes from `start` up to `end` are there."""
        for first, last in sorted(((0, self.arrived), (self.begin, self.end))):
            start = max(start, last) if first <= start else start
        return start >= end

    def shows_beginning(self, listing: Listing, video: Stream) -> bool:
        """Tell whether so many pictures are there that tools say of the stream what they say of the whole file."""
        first = _columns(listing, video).positions[: FIRST_PICTURES + 1]
        keyframes = self.of_keyframes(listing.keyframe_positions(video))
        return max(first, default=self.arrived) < self.arrived and bool(keyframes)

    def of_keyframes(self, positions: list[int]) -> list[int]:
        """Return those of these places of keyframes where all is there that is read of one."""
        return [position for position in positions if position + BLOCK_BYTES <= self.arrived]

    def seconds(self, listing: Listing, video: Stream, start: float) -> float:
        """Return how far behind `start` the last keyframe is that is there whole, in seconds: so far tools may look."""
        columns = _columns(listing, video)
        is_key = columns.marks.translate(IS_KEY)
        keys = zip(compress(columns.times, is_key), compress(columns.positions, is_key), strict=True)
        *whole, _ = [start, *(time for time, position in keys if position < self.arrived)]
        return max(0.0, max(whole, default=start) - start)


def _columns(listing: Listing, video: Stream) -> Columns:
    return listing.columns.get(video.index, Columns())
