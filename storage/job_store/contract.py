"""The contract of the job store in six parts, with the types of its answers; `tests/contract/test_job_*.py` check it.

The fifth part, which is about the queue as a whole, is in `queue_contract`, the one about uploads in `upload_contract`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from storage.errors import WorkerLostError
from storage.job_store.early_contract import EarlyStore
from storage.job_store.queue_contract import QueueStore
from storage.job_store.subtitle_contract import SubtitleStore
from storage.job_store.upload_contract import UploadStore
from storage.model.event import Event
from storage.model.job import Changes, Job, JobError, JobState, Priority
from storage.model.job_warnings import Warnings
from storage.model.plan import Plan, Segment
from storage.model.task import Results, Task

CURSOR = r"[0-9]{17}:[0-9a-f]{32}"  # the form of a page's cursor: microseconds of creation, and the job's id

# Moves that a job's webhook is told of; whoever cancels knows it already.
TOLD = frozenset({JobState.READY, JobState.FAILED})


class Claim(StrEnum):
    """The answer to a worker that was delivered a task."""

    GRANTED = "granted"
    HELD = "held"  # a live attempt has it: drop this delivery
    DONE = "done"  # it is finished: acknowledge
    OBSOLETE = "obsolete"  # the job is gone, finished, or not in the stage's state
    SPENT = "spent"  # the limit of attempts is reached: the job must fail


# What is recorded of an attempt whose worker died, or was cut off for as long as its lease lasted.
LOST = JobError(**WorkerLostError().told)


@dataclass(frozen=True, slots=True)
class Lease:
    """Who was granted a task last, and whether that still holds; no attempt where the task rests after a failure."""

    attempt: str
    live: bool


class Leftovers(StrEnum):
    """What of an ended job is to be removed."""

    MADE = "made"  # it failed or was cancelled: what was made, not the original
    ALL = "all"  # it was deleted


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs, newest first; `cursor` fetches the next page and is None on the last one."""

    jobs: tuple[Job, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Notice:
    """What a job's webhook has still to be told: the job as it ended; `tries` have failed so far."""

    job: Job
    tries: int = 0


class RecordStore(Protocol):
    """Job records and the moves of their state machine.

    A record is one consistent reading, with times in Unix seconds of the store's clock. Of uploading ones no sum knows.

    Every method is atomic; all raise JobStoreDownError when Redis is away.
    """

    def create(self, job: Job, segments: tuple[Segment, ...] = ()) -> None:
        """Save a new job, in whatever state it says, and its `created` event. Raises JobExistsError.

        `segments` are those of its plan, if it has one already. What is failed or cancelled has leftovers.
        It takes the place of an uploading job of its id, with a `state` event; TransitionError where that is over.
        """

    def restore(
        self, job: Job, segments: tuple[Segment, ...], results: Results, *, tell: bool, accepted_at: float | None = None
    ) -> bool:
        """Save a job as it was, with the results by task field of what was done; False where there is one of this id.

        An unfinished job goes on from the results: its `issued` segments that have none are out, and so are sound and
        poster then. Its targets are those of a job `accepted_at` that time (None: as it was created), with `in_flight`
        as it says. An end counts as saved, so its record is slim at once; `tell` makes the notice that it made then.
        What is failed or cancelled has leftovers, and what is uploading is never the first event of a store.
        """

    def get(self, job_id: str) -> Job:
        """Return the job. Raises JobNotFoundError."""

    def records(self, job_ids: Sequence[str]) -> tuple[Job, ...]:
        """Return those of the jobs that are there and can be read, in this order: a page's worth at most."""

    def segment(self, job_id: str, index: int) -> Segment:
        """Return one segment of the job's plan. Raises LeaseLostError where there is no such segment any more."""

    def segments(self, job_id: str) -> tuple[Segment, ...]:
        """Return all segments of the job's plan in order; none for a job without a plan."""

    def page(self, *, owner: str, state: JobState | None, limit: int, cursor: str | None) -> JobPage:
        """Return up to `limit` jobs, newest first. Raises InvalidRequestError for a cursor it did not give."""

    def move(self, job_id: str, to: JobState, changes: Changes | None = None, *, if_in: JobState | None = None) -> Job:
        """Make one move of the state machine, perhaps only `if_in` one state, and append its event; return the job.

        Moving to the present state changes nothing and is no error, so a move whose answer was lost can be repeated.
        Moving to queued forgets plan, progress, results, error, attempts and notice, and a high priority that its owner
        has no room for (see prioritise). Moving to a state that is TOLD makes a notice, due at once, if the job has a
        webhook; moving to failed or cancelled makes leftovers. Raises TransitionError, JobNotFoundError; to queued
        BusyError while leftovers are being cleared, and ConflictError for what is `incomplete`.
        """

    def check_cleared(self, job_id: str) -> None:
        """Raise BusyError while the job's leftovers are being cleared: it could not be moved to queued now."""

    def prioritise(self, job_id: str, priority: Priority) -> Job:
        """Give an unfinished job another priority, with a `state` event; return the job after it.

        Raises TransitionError for one that is finished or uploading, HighShareError where its owner has as many high
        ones as may be (storage.scheduling.fairness HIGH_SHARE), JobNotFoundError.
        """

    def replan(self, job_id: str, plan: Plan, segments: tuple[Segment, ...], warnings: Warnings) -> Job:
        """Replace plan and segments of a job that is encoding; the new segments begin, what else is finished stays.

        Raises TransitionError when the job is not encoding, JobNotFoundError.
        """

    def delete(self, job_id: str) -> None:
        """Forget job, tasks and notice; append a `deleted` event. Deleting what is not there is no error.

        Its leftovers are due when no attempt at its tasks can write any more.
        """

    def ping(self) -> None:
        """Raise JobStoreDownError unless the store answers."""


class TaskStore(Protocol):
    """The tasks of jobs: which attempt works on which task, its progress, and its result.

    An attempt holds a task by a lease, which it renews. `lease_seconds` and `rest` are seconds.
    Every method is atomic; all raise JobStoreDownError when Redis is away.
    """

    def claim(self, task: Task, attempt: str, *, lease_seconds: float, limit: int) -> Claim:
        """Claim the task for this attempt; a granted claim counts as one of `limit` attempts.

        A lease that is not renewed ends after `lease_seconds`; when another attempt claims the task then, the one that
        had it is recorded as LOST. Claiming again with the same attempt renews. A task that rests is HELD.
        """

    def renew(self, task: Task, attempt: str, *, lease_seconds: float) -> bool:
        """Prolong the lease; False when it is lost or the job no longer wants the task (cancelled, deleted).

        A lease that ran out while nobody else claimed the task (Redis was away) is not lost: it begins again.
        """

    def release(self, task: Task, attempt: str, *, rest: float = 0.0) -> None:
        """Give the lease back as if it had never been granted: drain and outages do not waste attempts.

        For `rest` seconds nobody may claim the task. Nothing happens when the lease is not this attempt's any more.
        """

    def fail(self, task: Task, attempt: str, reason: JobError, *, rest: float = 0.0) -> bool:
        """End the lease and record that the attempt came to nothing; False when the lease is not its any more.

        For `rest` seconds nobody may claim the task. The job keeps the last 20 failed attempts, none that
        fails after its end.
        """

    def attempts(self, job_id: str) -> dict[str, int]:
        """Return by task field how many attempts are counted; none for an unknown job."""

    def leases(self, job_id: str) -> dict[str, Lease]:
        """Return the leases by task field: those that hold, and those that ran out and nobody took."""

    def out(self, job_id: str) -> frozenset[str]:
        """Return the fields of the tasks of planning and encoding that were issued and are not finished."""

    def report(self, task: Task, attempt: str, frames: int) -> bool:
        """Record frames done of a segment and append a `progress` event; False when the lease is lost.

        The job's `frames_done` never goes down while the job runs: of all attempts at a segment the best report
        counts, capped by the plan. A report that raises nothing appends no event.
        """

    def interim(self, task: Task, attempt: str, result: dict[str, Any]) -> bool:
        """Record what a running task has come to so far; False when the lease is lost."""

    def finish(self, task: Task, attempt: str, result: dict[str, Any]) -> bool:
        """Record the result and end the lease; True when nothing of the job's present state is outstanding.

        Finishing what is finished already changes nothing and answers as the first time. Raises LeaseLostError when
        this attempt does not hold the task or the job no longer wants it. Plan and package are over when the job
        moves on, not when they are finished: until then they can be claimed again, so a crash in between is mended.
        A poster counts as there, and has its event, if `made` in its result is true; subtitles are those of `tracks`.
        """

    def results(self, job_id: str, *, interim: bool = False) -> dict[str, dict[str, Any]]:
        """Return the results by task field, with `interim` those so far of running tasks too.

        None for an unknown job.
        """


class EventStore(Protocol):
    """What happened to jobs, oldest first.

    About the newest 500 events of each job and the newest 10,000 of all are kept; of a slim one the last, as a `state`.
    Every method is atomic; all raise JobStoreDownError when Redis is away.
    """

    def events(self, job_id: str | None, after: str, *, limit: int = 200) -> tuple[Event, ...]:
        """Return the events of a job (of all jobs for None) after an id (`0` for all kept), oldest first.

        Raises InvalidRequestError for what is no event id.
        """

    def wait_events(self, after: str, *, seconds: float) -> tuple[Event, ...]:
        """Return events of all jobs after an id (`$` for from now on), waiting up to `seconds` for the first."""

    def last_event_id(self) -> str:
        """Return the id of the newest event of all, NO_EVENT if none."""

    def idle_seconds(self, job_id: str) -> float:
        """Return the seconds since the job's last event, 0 for a job without events."""


class UpkeepStore(Protocol):
    """The work that remains after a job has ended, who does it, and the repairs that were made.

    The work is telling webhooks, removing made objects, and saving ends in the object store.

    Every method is atomic; all raise JobStoreDownError when Redis is away.
    """

    def hold(self, name: str, holder: str, *, seconds: float) -> bool:
        """Take or prolong a role that one holder has at a time (the janitor's); False while somebody else has it."""

    def due_notices(self, limit: int) -> tuple[Notice, ...]:
        """Return up to `limit` notices whose time has come, the longest due first; they stay until they are ended."""

    def postpone_notice(self, notice: Notice, *, seconds: float, failed: bool) -> None:
        """Make the notice due again in `seconds`, with one more try counted if it `failed`.

        Nothing happens when the notice is not this one any more: ended, postponed with a try counted, or its job
        deleted or started again, even if it has ended anew.
        """

    def end_notice(self, notice: Notice) -> None:
        """Forget the notice. Nothing happens when it is not this one any more, as for `postpone_notice`."""

    def leftovers(self, limit: int) -> tuple[str, ...]:
        """Return up to `limit` ids of failed, cancelled and deleted jobs whose made objects are to be removed now."""

    def begin_clearing(self, job_id: str, *, seconds: float) -> Leftovers | None:
        """Take on the removal of a job's leftovers, for so long; None when there are none, or none due, any more.

        Meanwhile the job cannot be started again. Leftovers that nobody ended clearing are due again afterwards.
        """

    def end_clearing(self, job_id: str, *, gone: bool) -> None:
        """Forget a job's leftovers if they are gone; else they are due at once, behind all others."""

    def unsaved(self, limit: int) -> tuple[Job, ...]:
        """Return up to `limit` ended jobs whose end is not in the object store yet, the longest ended first."""

    def saved(self, job: Job) -> bool:
        """Forget that this end of the job is to be saved; False if the job started again since, or ended anew.

        The record is slim from now on (Job.slim), and nothing is kept of segments, attempts and results.
        """

    def count_repair(self, name: str) -> None:
        """Add one to the repairs of this name."""

    def repairs(self) -> dict[str, int]:
        """Return how many repairs of each name were ever made."""

    def count_fault(self, place: str) -> None:
        """Add one to the faults of single jobs that a loop of this name passed over."""

    def faults(self) -> dict[str, int]:
        """Return how many faults each place ever passed over."""


class JobStore(
    RecordStore, TaskStore, EventStore, UpkeepStore, QueueStore, UploadStore, EarlyStore, SubtitleStore, Protocol
):
    """The eight parts together; a caller that needs only some of them says which."""
