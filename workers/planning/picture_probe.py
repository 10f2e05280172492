"""Looking at pictures in many places of a file: headers tell of the first one only, and sources change on their way.

Broadcasts change between 4:3 and 16:9, calls grow and are turned, films are cut together. Keyframes tell it: all of
them where the file is short, else those of places all over it.
"""

from __future__ import annotations

from storage.errors import ToolError, ToolTimeoutError
from workers.planning.facts import Probe, Stream
from workers.planning.picture_facts import BLIND_SECONDS, Look, gaps_of, parse_looks, places
from workers.sandbox.allowed_inputs import as_input, input_arguments, looking_arguments
from workers.sandbox.run import ToolLimits, Watch, run_tool

LOOKS_SECONDS = 60.0  # as for the streams; what takes longer is planned by its header
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
        return _asked(url, probe, video, _reading(f"%+#{FIRST_PACKETS}"), watch)
    gaps = gaps_of(found)
    return (*found, *_keyframes(url, probe, video, gaps, watch)) if sought and gaps else found


def look_from(url: str, probe: Probe, video: Stream, position: int, watch: Watch) -> tuple[Look, ...]:
    """Return keyframes near a place in the file, in bytes, of a container that is read from anywhere."""
    how = ["-skip_initial_bytes", str(position), "-skip_frame", "nokey", *_reading(f"%+{BLIND_SECONDS}")]
    return _asked(url, probe, video, how, watch)


def _keyframes(url: str, probe: Probe, video: Stream, intervals: str | None, watch: Watch) -> tuple[Look, ...]:
    return _asked(url, probe, video, ["-skip_frame", "nokey", *_reading(intervals)], watch)


def _asked(url: str, probe: Probe, video: Stream, how: list[str], watch: Watch) -> tuple[Look, ...]:
    argv = [
        "ffprobe",
        "-v", "error",
        *looking_arguments(probe.look_seconds),
        *input_arguments(url),
        "-threads", "1",  # pictures that do not depend on each other gain nothing by more
        "-select_streams", str(video.index),
        *how,
        "-of", "compact=p=0",
        "-show_entries", f"frame={','.join(_ENTRIES)}",
        as_input(url),
    ]  # fmt: skip
    try:
        output = run_tool(argv, ToolLimits(deadline=LOOKS_SECONDS, stall=LOOKS_SECONDS), watch=watch)
    except (ToolError, ToolTimeoutError):
        return ()
    return parse_looks(output.decode(errors="replace"))


def _reading(intervals: str | None) -> list[str]:
    return [] if intervals is None else ["-read_intervals", intervals]
