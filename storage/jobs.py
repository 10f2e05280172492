"""The job record and its state machine: pure, no Redis, no clock."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from enum import StrEnum

from storage.errors import TransitionError
from storage.plan import Plan

_JOB_ID = re.compile(r"[0-9a-f]{32}")


class JobState(StrEnum):
    """Where a job is; DESIGN §4."""

    QUEUED = "queued"
    PLANNING = "planning"
    ENCODING = "encoding"
    PACKAGING = "packaging"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        """Tell whether nothing more will happen by itself."""
        return self in FINISHED


FINISHED = frozenset({JobState.READY, JobState.FAILED, JobState.CANCELLED})
_GIVING_UP = frozenset({JobState.FAILED, JobState.CANCELLED})

ALLOWED_MOVES: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.PLANNING}) | _GIVING_UP,
    JobState.PLANNING: frozenset({JobState.ENCODING}) | _GIVING_UP,
    JobState.ENCODING: frozenset({JobState.PACKAGING}) | _GIVING_UP,
    JobState.PACKAGING: frozenset({JobState.READY}) | _GIVING_UP,
    JobState.READY: frozenset(),
    # A retry starts the job again from the beginning.
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.CANCELLED: frozenset({JobState.QUEUED}),
}


# The time of the record that a move to a state writes.
TIME_OF_STATE: dict[JobState, str] = {
    JobState.PLANNING: "started_at",
    JobState.ENCODING: "encoding_at",
    **dict.fromkeys(FINISHED, "finished_at"),
}


def checked_move(present: JobState, to: JobState) -> JobState:
    """Return `to` if the table allows the move; raise TransitionError otherwise."""
    if to not in ALLOWED_MOVES[present]:
        raise TransitionError(f"A job that is {present} cannot become {to}.")
    return to


class Stage(StrEnum):
    """One kind of work; every task is a stage of a job, and of a segment for `segment`."""

    PLAN = "plan"
    SEGMENT = "segment"
    AUDIO = "audio"
    POSTER = "poster"
    PACKAGE = "package"


WANTED_IN: dict[Stage, frozenset[JobState]] = {
    Stage.PLAN: frozenset({JobState.QUEUED, JobState.PLANNING}),
    Stage.SEGMENT: frozenset({JobState.ENCODING}),
    Stage.AUDIO: frozenset({JobState.ENCODING}),
    Stage.POSTER: frozenset({JobState.ENCODING}),
    Stage.PACKAGE: frozenset({JobState.PACKAGING}),
}


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of work of one job; `index` counts segments and is 0 for other stages."""

    job_id: str
    stage: Stage
    index: int = 0

    @property
    def field(self) -> str:
        """Name inside the job's record, unique within the job."""
        return f"{self.stage}:{self.index}"


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed: stable code, one sentence, the tool's last lines."""

    code: str
    message: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """A finished download: the rung's name and its size in bytes."""

    rung: str
    size: int


@dataclass(frozen=True, slots=True)
class Job:
    """A job's record as one consistent reading. Times are Unix seconds, sizes bytes.

    `frames_done` counts encoded output frames of the timeline (0..plan.frames); `issued` segments, the first ones, were
    handed to the broker; `has_poster`, `playable` (the first segment, with sound) and `outputs` say what can be fetched
    already.
    """

    id: str
    owner: str
    title: str
    filename: str
    size: int
    created_at: float
    webhook_url: str | None = None
    state: JobState = JobState.QUEUED
    started_at: float | None = None
    encoding_at: float | None = None
    finished_at: float | None = None
    plan: Plan | None = None
    frames_done: int = 0
    issued: int = 0
    has_poster: bool = False
    playable: bool = False
    outputs: tuple[Output, ...] = ()
    warnings: tuple[str, ...] = ()
    error: JobError | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What a move writes besides the state; None leaves a field as it is."""

    plan: Plan | None = None
    outputs: tuple[Output, ...] | None = None
    warnings: tuple[str, ...] | None = None
    error: JobError | None = None


def new_job_id() -> str:
    """Return an unguessable id: 128 random bits as 32 hex digits."""
    return secrets.token_hex(16)


def is_job_id(text: str) -> bool:
    """Tell whether the text has the form of a job id; anything else never reaches a store."""
    return _JOB_ID.fullmatch(text) is not None


def tasks_of(plan: Plan, job_id: str) -> tuple[Task, ...]:
    """Return the tasks between planning and packaging, those that let playback start early first."""
    first = [Task(job_id, Stage.POSTER)]
    if plan.audio is not None:
        first.append(Task(job_id, Stage.AUDIO))
    return (*first, *(Task(job_id, Stage.SEGMENT, segment.index) for segment in plan.segments))


def outstanding(job: Job, done: frozenset[str]) -> tuple[Task, ...]:
    """Return the tasks the job should have out now, given the fields of those that are done.

    Segments that were not issued yet stay in the plan: the window decides when they come.
    """
    match job.state:
        case JobState.QUEUED | JobState.PLANNING:
            return (Task(job.id, Stage.PLAN),)
        case JobState.ENCODING if job.plan is not None:
            wanted = tasks_of(job.plan, job.id)
            due = (task for task in wanted if task.stage is not Stage.SEGMENT or task.index < job.issued)
            return tuple(task for task in due if task.field not in done)
        case JobState.PACKAGING:
            return (Task(job.id, Stage.PACKAGE),)
        case _:
            return ()


def is_encoded(job: Job, done: frozenset[str]) -> bool:
    """Tell whether a job that is still encoding has all its tasks done, so that it is to be packaged."""
    if job.state is not JobState.ENCODING or job.plan is None:
        return False
    return all(task.field in done for task in tasks_of(job.plan, job.id))


def window_of(slots: int, encoding_jobs: int) -> int:
    """Return how many segments each job may have out: the slots shared by the jobs that encode, at least one.

    More would only wait in the queue in front of other jobs' segments; fewer would leave slots idle.
    """
    return max(1, -(-slots // max(1, encoding_jobs)))
