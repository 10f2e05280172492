"""What follows from a failure: a pure function over typed errors, never over their text."""

from __future__ import annotations

from enum import StrEnum

from storage.errors import (
    AttemptsSpentError,
    BusyError,
    ConflictError,
    DecodeError,
    JobNotFoundError,
    LeaseLostError,
    MediaError,
    RungsError,
    ToolError,
    UnforeseenError,
)
from storage.jobs import Stage


class Outcome(StrEnum):
    """The next step after a failed attempt."""

    STOP = "stop"  # the job no longer wants this: nothing to do, nothing counted
    WAIT = "wait"  # a service was away: try again, the attempt is not counted
    RETRY = "retry"  # this attempt failed, another may succeed
    FAIL_JOB = "fail_job"  # another attempt would end the same way


def outcome_of(error: Exception) -> Outcome:
    """Return the next step; whatever is not known is worth another, counted attempt."""
    match error:
        case LeaseLostError() | JobNotFoundError() | ConflictError():
            return Outcome.STOP
        case BusyError():
            return Outcome.WAIT
        case MediaError() | AttemptsSpentError():
            return Outcome.FAIL_JOB
        case _:
            return Outcome.RETRY


def verdict(error: Exception, stage: Stage) -> RungsError:
    """Return what the job fails with when there is no further attempt.

    An ffmpeg that gives up on the source each time, by its own judgement, has found a damaged source; once is not
    enough to say so, as a full disk ends it in the same way.
    """
    match error:
        case ToolError(killed=False) if stage in {Stage.PLAN, Stage.SEGMENT}:
            return DecodeError("The video is damaged and could not be decoded.", detail=error.detail)
        case RungsError():
            return error
        case _:
            return UnforeseenError("Something unforeseen went wrong.")
