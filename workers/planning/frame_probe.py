"""Asking ffprobe for frames of one stream in many places of a file: how pictures and sound are sampled alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.errors import ToolError, ToolTimeoutError
from workers.planning.facts import Probe, Stream
from workers.planning.picture_changes import LOSING_DECODERS
from workers.planning.printed import FRAMES_BYTES, Printed
from workers.sandbox.allowed_inputs import as_input, input_arguments, looking_arguments
from workers.sandbox.reach import reach_of
from workers.sandbox.run import ToolLimits, Watch, run_tool

FRAMES_SECONDS = 60.0  # as for the streams; what takes longer is planned by its header
# Containers whose header says of each stream what a decoder needs. Finding it out once more, by decoding, took 28 ms of
# the 170 that three pictures of a film take.
_DESCRIBING = frozenset({"mov"})


@dataclass(frozen=True, slots=True)
class FrameQuery:
    """What is read of a file: ffprobe's `intervals`, None for all of it, from `position` on, in bytes.

    `keyframes` tells that no other frames are wanted.
    """

    intervals: str | None = None
    position: int = 0
    keyframes: bool = False


def _is_described(probe: Probe) -> bool:
    return not probe.look_seconds and not _DESCRIBING.isdisjoint(probe.container.split(","))


def frames_told(url: str, probe: Probe, stream: Stream, query: FrameQuery, entries: Sequence[str], watch: Watch) -> str:
    """Return these entries of frames as lines of `name=value|...`; nothing where ffprobe could not tell.

    Raises LeaseLostError when cancelled.
    """
    argv = [
        "ffprobe",
        "-v", "error",
        *looking_arguments(probe.look_seconds),
        *input_arguments(url),
        *(["-nofind_stream_info"] if _is_described(probe) else []),
        "-threads", "1",  # frames that do not depend on each other gain nothing by more
        *(["-skip_initial_bytes", str(query.position)] if query.position else []),
        *(["-skip_frame", "nokey"] if query.keyframes else []),
        # Keyframes alone come in order: a decoder that holds one back would forget it where the next has another shape.
        *(["-flags", "low_delay"] if query.keyframes and stream.codec in LOSING_DECODERS else []),
        "-select_streams", str(stream.index),
        *([] if query.intervals is None else ["-read_intervals", query.intervals]),
        "-of", "compact=p=0",
        "-show_entries", f"frame={','.join(entries)}",
        as_input(url),
    ]  # fmt: skip
    printed = Printed(FRAMES_BYTES)
    try:
        run_tool(
            argv,
            ToolLimits(deadline=FRAMES_SECONDS, stall=FRAMES_SECONDS),
            reach=reach_of(url),
            watch=watch,
            take=printed.take_first,
        )
    except (ToolError, ToolTimeoutError):
        return ""
    return printed.text()
