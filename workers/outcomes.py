"""What follows from a failure: a pure function over typed errors, never over their text."""

from __future__ import annotations

from enum import StrEnum

from storage.errors import (
    AttemptsSpentError,
    BusyError,
    ConflictError,
    JobNotFoundError,
    LeaseLostError,
    MediaError,
)


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
