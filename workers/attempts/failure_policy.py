"""What follows from a failure: pure functions over typed errors, never over their text."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from storage.errors import (
    AttemptsSpentError,
    BusyError,
    ConflictError,
    JobNotFoundError,
    LeaseLostError,
    RungsError,
    ToolError,
    UnforeseenError,
)
from storage.media_errors import DecodeError, MediaError
from storage.model.job import FailedAttempt, JobError
from storage.model.task import Stage
from storage.upload_errors import UploadNotFoundError

FIRST_REST_SECONDS = 2.0  # before the attempt after a failed one: time for what was in the way to pass
REST_FACTOR = 4.0  # more for each further one: 2 s, 8 s, 32 s
LONGEST_REST_SECONDS = 60.0
OUTAGE_PACE_SECONDS = 10.0  # attempts that are not counted begin no faster than this


class Outcome(StrEnum):
    """The next step after a failed attempt."""

    STOP = "stop"  # the job no longer wants this: nothing to do, nothing counted
    WAIT = "wait"  # a service was away: try again, the attempt is not counted
    RETRY = "retry"  # this attempt failed, another may succeed
    FAIL_JOB = "fail_job"  # another attempt would end the same way


def outcome_of(error: Exception) -> Outcome:
    """Return the next step; whatever is not known is worth another, counted attempt."""
    match error:
        case LeaseLostError() | JobNotFoundError() | ConflictError() | UploadNotFoundError():
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
            return DecodeError(detail=error.detail)
        case RungsError():
            return error
        case _:
            return UnforeseenError()


def reason_of(error: Exception) -> JobError:
    """Return what is recorded of an attempt that ended so; what is not of our tree may say anything, so it is not."""
    known = error if isinstance(error, RungsError) else UnforeseenError()
    return JobError(**known.told, detail=known.detail)


def last_reason(failed: Sequence[FailedAttempt], task: str) -> JobError:
    """Return why the job fails when the attempts at the task (its field) are spent: as the last of them did."""
    for attempt in reversed(failed):
        if attempt.task == task:
            return JobError(attempt.code, attempt.message)
    return JobError(**AttemptsSpentError().told)


def rest_after_failure(spent: int) -> float:
    """Return the seconds until the next attempt at a task that failed with `spent` attempts counted."""
    return float(min(FIRST_REST_SECONDS * REST_FACTOR ** (spent - 1), LONGEST_REST_SECONDS))


def rest_after_loss(spent: int) -> float:
    """Return the same for an attempt whose worker died: nothing at first, as that rarely is the task's fault."""
    return 0.0 if spent <= 1 else rest_after_failure(spent - 1)


def rest_after_outage(lasted: float) -> float:
    """Return the same for an attempt that a service's absence ended after `lasted` seconds, most of them waiting."""
    return max(0.0, OUTAGE_PACE_SECONDS - lasted)
