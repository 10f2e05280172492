"""The job record and its state machine: pure, no Redis, no clock."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from storage.errors import TransitionError
from storage.model.damage import Damage
from storage.model.job_warnings import Warnings
from storage.model.loudness import Measured
from storage.model.names import AttemptName
from storage.model.plan import Plan, Rung, Segment
from storage.model.timed_text import SubtitleTrack

JOB_ID = "[0-9a-f]{32}"  # the form of a job's id


class JobState(StrEnum):
    """Where a job is; docs/design.md#states."""

    UPLOADING = "uploading"
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
GIVEN_UP = frozenset({JobState.FAILED, JobState.CANCELLED})  # what they made is no video; they can be started again

ALLOWED_MOVES: dict[JobState, frozenset[JobState]] = {
    # Its record is made anew when it is queued: what is to be done for it is known only then (RecordStore.create).
    JobState.UPLOADING: frozenset({JobState.QUEUED}) | GIVEN_UP,
    JobState.QUEUED: frozenset({JobState.PLANNING}) | GIVEN_UP,
    JobState.PLANNING: frozenset({JobState.ENCODING}) | GIVEN_UP,
    JobState.ENCODING: frozenset({JobState.PACKAGING}) | GIVEN_UP,
    JobState.PACKAGING: frozenset({JobState.READY}) | GIVEN_UP,
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
        raise TransitionError(detail=f"A job that is {present} cannot become {to}.")
    return to


class Priority(StrEnum):
    """What an operator says of a job; uploads are normal."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed: stable code, one sentence, the tool's last lines, the sentence's numbers by name."""

    code: str
    message: str
    detail: str = ""
    values: dict[str, float] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """An attempt that came to nothing: at which task (its field), when (Unix seconds) and why."""

    task: str
    attempt: str
    at: float
    code: str
    message: str

    @property
    def worker(self) -> str:
        """Where it ran, as `host:pid`."""
        return str(AttemptName.of(self.attempt).worker)


@dataclass(frozen=True, slots=True)
class Output:
    """A finished download: the rung's name and its size in bytes."""

    rung: str
    size: int


@dataclass(frozen=True, slots=True)
class SlimRung:
    """What lists say of a rung besides its download; sizes in pixels."""

    name: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Slim:
    """What is left of the plan in a slim record: its rungs, and its output frames (None where there was no plan)."""

    rungs: tuple[SlimRung, ...] = ()
    frames: int | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """What was predicted for a job, in Unix seconds: when an encoder begins, and when it is ready.

    At first by its bytes, as it is accepted; then by its plan, seconds later, and that stays.
    """

    start_at: float
    ready_at: float


@dataclass(frozen=True, slots=True)
class Job:
    """A job's record as one consistent reading. Times are Unix seconds, sizes bytes.

    `frames_done` counts encoded output frames of the timeline (0..plan.frames); `issued` segments, the first ones, were
    handed to the broker; `has_poster`, `playable` (the first segment, with sound), `outputs` and `has_storyboard` say
    what can be fetched already; `subtitles_made` are the ids of such tracks of the file, None until all of them were
    read. `failed_attempts` are the last ones, oldest first. `begun_at` is when an encoder had
    made its first pictures; the finished tasks of encoding took `encoder_seconds` together. `damage` are the places
    where the source was damaged, known once the job is ready. `in_flight`, `start_target`
    and `target` (Unix seconds) are its place among all jobs (storage.scheduling.fairness); until it is planned the last
    of them is that of its start.

    `loudness` is that to which its sound is brought, in LUFS; None leaves it as it is.

    `incomplete` jobs have no original: their upload is not whole yet, or it ended before it was. As long as one is
    uploading, `size` is what was announced, 0 where nothing was.

    `added` are tracks of subtitles that came beside the file; they stay whatever becomes of the job.

    `slim` is there once the rest of an ended job moved to its objects (docs/finished-jobs.md): plan, warnings, damage,
    failed attempts, promise and the error's detail are those of a job without them then.
    """

    id: str
    owner: str
    title: str
    filename: str
    size: int
    created_at: float
    webhook_url: str | None = None
    loudness: int | None = None
    priority: Priority = Priority.NORMAL
    state: JobState = JobState.QUEUED
    started_at: float | None = None
    encoding_at: float | None = None
    begun_at: float | None = None
    finished_at: float | None = None
    plan: Plan | None = None
    frames_done: int = 0
    issued: int = 0
    has_poster: bool = False
    playable: bool = False
    outputs: tuple[Output, ...] = ()
    has_storyboard: bool = False
    subtitles_made: tuple[str, ...] | None = None
    warnings: Warnings = ()
    damage: tuple[Damage, ...] = ()
    measured: tuple[Measured, ...] = ()
    error: JobError | None = None
    failed_attempts: tuple[FailedAttempt, ...] = ()
    promise: Promise | None = None
    encoder_seconds: float = 0.0
    in_flight: float = 1.0
    start_target: float = 0.0
    target: float = 0.0
    incomplete: bool = False
    added: tuple[SubtitleTrack, ...] = ()
    slim: Slim | None = None

    @property
    def rungs(self) -> tuple[Rung, ...] | tuple[SlimRung, ...]:
        """The rungs of the plan, the largest first; none before the job is planned."""
        if self.plan is not None:
            return self.plan.rungs
        return () if self.slim is None else self.slim.rungs

    @property
    def planned_frames(self) -> int | None:
        """Output frames of the plan; None before the job is planned."""
        if self.plan is not None:
            return self.plan.frames
        return None if self.slim is None else self.slim.frames


@dataclass(frozen=True, slots=True)
class Changes:
    """What a move writes besides the state; None leaves a field as it is. A plan comes with what follows from it.

    `after_start` are the seconds by which the job's target lies behind its start's, whatever that is at the time. What
    was done before the upload was whole counts where it `keeps_early`, and is thrown away else.
    """

    plan: Plan | None = None
    segments: tuple[Segment, ...] = ()
    after_start: float | None = None
    promise: Promise | None = None
    outputs: tuple[Output, ...] | None = None
    has_storyboard: bool | None = None
    warnings: Warnings | None = None
    damage: tuple[Damage, ...] | None = None
    measured: tuple[Measured, ...] | None = None
    error: JobError | None = None
    keeps_early: bool = False


def is_job_id(text: str) -> bool:
    """Tell whether the text has the form of a job id; anything else never reaches a store."""
    return re.fullmatch(JOB_ID, text) is not None
