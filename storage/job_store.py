"""The contract every job store keeps; `tests/contract/test_job_*.py` run against each of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from storage.jobs import Changes, Job, JobState, Stage, Task
from storage.plan import Plan

RATES_KEPT = 20  # finished jobs that the measured rate rests on: enough to smooth, few enough to follow a change

# Moves that leave the leases alone: a plan goes on under the lease it was claimed with, and what a stopping attempt
# still holds shows that it may still write.
KEEPS_LEASES = frozenset({JobState.PLANNING, JobState.FAILED, JobState.CANCELLED})

# Moves that a job's webhook is told of; whoever cancels knows it already.
TOLD = frozenset({JobState.READY, JobState.FAILED})


class Claim(StrEnum):
    """The answer to a worker that was delivered a task."""

    GRANTED = "granted"
    HELD = "held"  # a live attempt has it: drop this delivery
    DONE = "done"  # it is finished: acknowledge
    OBSOLETE = "obsolete"  # the job is gone, finished, or not in the stage's state
    SPENT = "spent"  # the limit of attempts is reached: the job must fail


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job. `id` sorts by time (a Redis stream id, `<ms>-<n>`).

    Type and data: `created` and `state` {state}; `progress` {frames_done, frames}; `task` {field}, one is finished;
    `poster` {}, it can be fetched; `playable` {}, its playlists can; `deleted` {}.
    """

    id: str
    job_id: str
    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs, newest first; `cursor` fetches the next page and is None on the last one."""

    jobs: tuple[Job, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """Jobs by state, unfinished ones only (waiting = queued), as the stores' indices count them."""

    waiting: int
    active: int


@dataclass(frozen=True, slots=True)
class Notice:
    """What a job's webhook has still to be told: the job as it ended; `tries` have failed so far."""

    job: Job
    tries: int = 0


def made_poster(task: Task, result: dict[str, Any]) -> bool:
    """Tell whether the task's result means that the poster can be fetched."""
    return task.stage is Stage.POSTER and bool(result.get("made"))


class JobStore(Protocol):
    """Job records, claims and events. Every method is atomic; all raise JobStoreDownError when Redis is away."""

    def create(self, job: Job) -> None:
        """Save a new job, in whatever state it says, and its `created` event. Raises JobExistsError."""

    def get(self, job_id: str) -> Job:
        """Return the job. Raises JobNotFoundError."""

    def page(self, *, owner: str, state: JobState | None, limit: int, cursor: str | None) -> JobPage:
        """Return up to `limit` jobs, newest first. Raises InvalidRequestError for a cursor it did not give."""

    def move(self, job_id: str, to: JobState, changes: Changes | None = None) -> Job:
        """Make one move of the state machine and append its event; return the job after it.

        Moving to the present state again changes nothing and is no error, so that a move whose answer was lost can be
        repeated. Moving to queued forgets plan, progress, results, error, attempts and notice. Moving to a state that
        is TOLD makes a notice, due at once, if the job has a webhook. Raises TransitionError, JobNotFoundError.
        """

    def delete(self, job_id: str) -> None:
        """Forget job, tasks and notice; append a `deleted` event. Deleting what is not there is no error."""

    def position(self, job_id: str) -> int | None:
        """Return how many jobs are to be started before this one, plus one; None once it has started."""

    def counts(self) -> QueueCounts:
        """Return how many jobs wait and how many are being worked on."""

    def unfinished(self) -> tuple[str, ...]:
        """Return the ids of all jobs that are not finished, oldest first."""

    def recent_rates(self) -> tuple[float, ...]:
        """Return seconds of work per second of video of the last finished jobs, newest first (at most 20)."""

    def claim(self, task: Task, attempt: str, *, lease_seconds: float, limit: int) -> Claim:
        """Claim the task for this attempt; a granted claim counts as one of `limit` attempts.

        A lease that is not renewed ends after `lease_seconds`. Claiming again with the same attempt renews.
        """

    def renew(self, task: Task, attempt: str, *, lease_seconds: float) -> bool:
        """Prolong the lease; False when it is lost or the job no longer wants the task (cancelled, deleted).

        A lease that ran out while nobody else claimed the task (Redis was away) is not lost: it begins again.
        """

    def release(self, task: Task, attempt: str, *, refund: bool = False) -> int:
        """Give the lease back; return how many attempts at the task are counted now.

        `refund` takes back this attempt's count (drain and outages do not waste attempts).
        """

    def report(self, task: Task, attempt: str, frames: int) -> bool:
        """Record frames done of a segment and append a `progress` event; False when the lease is lost.

        The job's `frames_done` never goes down while the job runs: of all attempts at a segment the best report
        counts, capped by the plan. A report that raises nothing appends no event.
        """

    def finish(self, task: Task, attempt: str, result: dict[str, Any]) -> bool:
        """Record the result and end the lease; True when nothing of the job's present state is outstanding.

        Finishing what is finished already changes nothing and answers as the first time. Raises LeaseLostError when
        this attempt does not hold the task or the job no longer wants it. Plan and package are over when the job
        moves on, not when they are finished: until then they can be claimed again, so a crash in between is mended.
        A poster counts as there, and has its event, if `made` in its result is true.
        """

    def issue(self, job_id: str, window: int) -> tuple[Task, ...]:
        """Spend the job's credit: return the next segments to publish so that `window` are out, none if that many are.

        A finished segment is credit for another one from the moment it is recorded. Nothing for a job not encoding.
        """

    def replan(self, job_id: str, plan: Plan, warnings: tuple[str, ...]) -> Job:
        """Replace the plan of a job that is encoding; its segments start again, finished sound and poster stay.

        Raises TransitionError when the job is not encoding, JobNotFoundError.
        """

    def interim(self, task: Task, attempt: str, result: dict[str, Any]) -> bool:
        """Record what a running task has come to so far; False when the lease is lost."""

    def announce(self, worker: str, slots: int, *, seconds: float) -> None:
        """Say that this worker has so many encoder slots, for so long."""

    def slots(self) -> int:
        """Return the encoder slots of all workers that announced themselves lately."""

    def results(self, job_id: str, *, interim: bool = False) -> dict[str, dict[str, Any]]:
        """Return the results by task field, with `interim` those so far of running tasks too.

        None for an unknown job.
        """

    def leased(self, job_id: str) -> frozenset[str]:
        """Return the fields of the job's tasks that a live attempt holds."""

    def due_notices(self, limit: int) -> tuple[Notice, ...]:
        """Return up to `limit` notices whose time has come, the longest due first; they stay until they are ended."""

    def postpone_notice(self, notice: Notice, *, seconds: float, failed: bool) -> None:
        """Make the notice due again in `seconds`, with one more try counted if it `failed`.

        Nothing happens when the notice is not this one any more: ended, postponed with a try counted, or its job
        deleted or started again, even if it has ended anew.
        """

    def end_notice(self, notice: Notice) -> None:
        """Forget the notice. Nothing happens when it is not this one any more, as for `postpone_notice`."""

    def hold(self, name: str, holder: str, *, seconds: float) -> bool:
        """Take or prolong a role that one holder has at a time (the janitor's); False while somebody else has it."""

    def events(self, job_id: str | None, after: str, *, limit: int = 200) -> tuple[Event, ...]:
        """Return the events of a job (of all jobs for None) after an id (`0` for all kept), oldest first.

        Raises InvalidRequestError for what is no event id.
        """

    def wait_events(self, after: str, *, seconds: float) -> tuple[Event, ...]:
        """Return events of all jobs after an id (`$` for from now on), waiting up to `seconds` for the first."""

    def last_event_id(self) -> str:
        """Return the id of the newest event of all, `0-0` if none."""

    def ping(self) -> None:
        """Raise JobStoreDownError unless the store answers."""
