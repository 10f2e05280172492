"""Pictures of a damaged file that end before its sound does: the last one stands, as in any file."""

from __future__ import annotations

from dataclasses import replace

import structlog

from storage.errors import ToolError
from storage.model.plan import Plan, Segment
from workers.attempts.attempt import Attempt
from workers.ffmpeg.audio_commands import heard_command
from workers.ffmpeg.filters import SPARE_FRAMES
from workers.planning.clock_jumps import RUN_OUT_SECONDS
from workers.stages.checking import read_heard
from workers.stages.common import run_ffmpeg

_log = structlog.get_logger()


def pictures_shown(plan: Plan, frames: int) -> int:
    """Return how many of the `frames` of a whole file show a picture of their own: the last ones repeat it."""
    if frames == plan.frames:
        return frames - plan.tail_frames
    return max(0, frames - plan.tail_frames - SPARE_FRAMES)


def standing(attempt: Attempt, plan: Plan, segment: Segment, url: str, frames: int) -> tuple[Plan, Segment] | None:
    """Return plan and segment by which the last picture stands until the sound ends, None where it does already.

    The file became `frames` frames, all that its pictures gave. How long the sound is that can be decoded is found out
    by decoding the first track: what the file says of it may be as untrue as of its pictures.
    """
    if not plan.audio or frames >= plan.frames:
        return None
    listed = attempt.scratch / "heard.txt"
    try:
        run_ffmpeg(attempt, heard_command(plan.audio[0], url, listed), url)
    except ToolError as error:
        if error.killed:
            raise
        _log.warning("sound not looked at", job=attempt.job.id, error=str(error))
        return None
    heard = read_heard(attempt.scratch, listed.name)
    return None if heard is None else stretched(plan, segment, frames, heard.end - plan.video.start_time)


def stretched(plan: Plan, segment: Segment, frames: int, seconds: float) -> tuple[Plan, Segment] | None:
    """Return plan and segment of as many frames as `seconds` of sound fill, None where `frames` are enough."""
    if seconds - float(frames / plan.rate) <= RUN_OUT_SECONDS:
        return None
    filled = min(plan.frames, round(seconds * plan.rate))
    tail = filled - SPARE_FRAMES - pictures_shown(plan, frames)
    return replace(plan, frames=filled, tail_frames=tail), replace(segment, frames=filled)
