"""How much of a file must have come until a task can be done without waiting for more of it. Pure.

Tools read a file from anywhere, but what they need of it has an end: the last packet of the segment's last picture, and
a few behind it. Whoever finds that more is needed after all waits for it, and is given back.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from storage.model.plan import Plan, Segment
from workers.ffmpeg.damage_commands import MARGIN_SECONDS
from workers.planning.packet_columns import Columns, all_told
from workers.planning.packets import Listing

# Packets that are decoded behind a picture before it comes out: H.264 holds back up to 16, each thread of a decoder one
# more, the filter of the frame rate one.
DELAYED_PACKETS = 32
# Before anything is decoded ffmpeg looks through the beginning of all tracks, until it knows enough of them (its
# options `probesize` and `analyzeduration`).
LOOKED_BYTES = 5_000_000
LOOKED_SECONDS = 5.0


def needed_of_segments(plan: Plan, segments: Sequence[Segment], listing: Listing, size: int) -> tuple[int, ...]:
    """Return for each segment how many bytes of the file of `size`, from its first one on, must have come."""
    pictures, positions = listing.columns.get(plan.video.stream, Columns()), listing.positions
    if plan.video.pieces or not positions or not pictures.times or not all_told(pictures.times):
        return (size,) * len(segments)
    # Of the packets from each one on the earliest time, and of those up to each one the last place: both only grow.
    times = array("d", accumulate(reversed(pictures.times), min))[::-1]
    places = array("q", accumulate(pictures.positions, max))

    def end_of(time: float) -> int:
        """Return where the packets end of all pictures that show before a time, with those behind that they need."""
        last = bisect_left(times, time) + DELAYED_PACKETS
        return size if last >= len(places) else _end(positions, places[last], size)

    start = plan.video.start_time
    beginning = min(end_of(start + LOOKED_SECONDS), _end(positions, positions[0] + LOOKED_BYTES, size))
    ends = (start + float((one.first_frame + one.frames) / plan.rate) for one in segments)
    return tuple(max(beginning, end_of(end + MARGIN_SECONDS)) for end in ends)


def needed_of_sound(plan: Plan, listing: Listing, size: int) -> int:
    """Return the same for the sounds, which are encoded in one piece; 0 where there are none."""
    if not plan.audio:
        return 0
    streams = [stream for audio in plan.audio for stream in (audio.stream, audio.right) if stream is not None]
    tracks = [listing.columns.get(stream) for stream in streams]
    last = max((max(columns.positions, default=size) for columns in tracks if columns is not None), default=size)
    return _end(listing.positions, last, size)


def _end(positions: Sequence[int], position: int, size: int) -> int:
    """Return where the packet that begins there ends at the latest: where the next one in the file begins."""
    following = bisect_right(positions, position)
    return positions[following] if following < len(positions) else size
