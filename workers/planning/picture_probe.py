"""Looking at pictures in many places of a file: headers tell of the first one only, and sources change on their way.

Broadcasts change between 4:3 and 16:9, calls grow and are turned, films are cut together. Keyframes tell it: all of
them where the file is short, else those of places all over it.
"""

from __future__ import annotations

from workers.planning.facts import Probe, Stream
from workers.planning.frame_probe import FrameQuery, frames_told
from workers.planning.picture_facts import BLIND_SECONDS, Look, gaps_of, parse_looks, places
from workers.sandbox.run import Watch

FIRST_PACKETS = 8  # where no keyframe is marked: pictures enough to tell fields
_ENTRIES = (
    "best_effort_timestamp_time", "pkt_pos", "width", "height", "sample_aspect_ratio", "pix_fmt", "interlaced_frame",
    "top_field_first", "color_range", "color_space", "color_primaries", "color_transfer",
)  # fmt: skip


def look(url: str, probe: Probe, video: Stream, seconds: float, watch: Watch) -> tuple[Look, ...]:
    """Return pictures from all over a file of so many seconds in its order, the first ones if no keyframe is marked.

    There are none where ffprobe could not tell: then the header counts. Raises LeaseLostError when cancelled.
    """
    sought = places(probe, video, seconds)
    found = _keyframes(url, probe, video, sought, watch)
    if not found:
        first = FrameQuery(f"%+#{FIRST_PACKETS}")
        return parse_looks(frames_told(url, probe, video, first, _ENTRIES, watch))
    gaps = gaps_of(found)
    return (*found, *_keyframes(url, probe, video, gaps, watch)) if sought and gaps else found


def look_from(url: str, probe: Probe, video: Stream, position: int, watch: Watch) -> tuple[Look, ...]:
    """Return keyframes near a place in the file, in bytes, of a container that is read from anywhere."""
    return _keyframes(url, probe, video, f"%+{BLIND_SECONDS}", watch, position)


def _keyframes(
    url: str, probe: Probe, video: Stream, intervals: str | None, watch: Watch, position: int = 0
) -> tuple[Look, ...]:
    query = FrameQuery(intervals, position, keyframes=True)
    return parse_looks(frames_told(url, probe, video, query, _ENTRIES, watch))
