"""`/api/queue` in pydantic models: what OpenAPI shows."""

from __future__ import annotations

from pydantic import BaseModel, Field

from storage.job_store.queue_contract import Pause
from storage.model.job import JobState
from storage.model.layers import Layer
from web.schemas.jobs import UploadProgress

QUEUE_SHOWN = 100  # unfinished jobs that are named; whoever comes later waits for hours anyway


class Waiting(BaseModel):
    """A job's place in the queue."""

    id: str
    title: str
    state: JobState
    queue_position: int | None
    progress: float
    starts_in_seconds: int | None
    eta_seconds: int | None


class Uploading(BaseModel):
    """A job whose file is on its way."""

    id: str
    title: str
    upload: UploadProgress


class HeldTask(BaseModel):
    """What an attempt is working on."""

    job_id: str
    task: str = Field(examples=["segment:3"])


class Worker(BaseModel):
    """A machine. While it pauses, its slots are those still at work; a machine that only plans has none."""

    name: str
    slots: int
    pause: Pause | None = Field(description="Why it takes no work at the moment; null while it does.")
    lacks: list[Layer] = Field(description="Layers that the sandbox around its tools lacks; docs/sandbox.md.")
    tasks: list[HeldTask]


class Admission(BaseModel):
    """Whether a small upload would be accepted now. If not: why, and in how many seconds there will be room."""

    open: bool
    max_wait_seconds: float = Field(description="Predicted wait above which uploads are refused.")
    code: str | None
    message: str | None
    values: dict[str, float] = Field(description="The numbers in `message`, by name.")
    retry_after: int | None


class Rates(BaseModel):
    """The figures of queueing theory, from the samples of the last hour. Null where not known yet."""

    measured_seconds: int = Field(description="Time that the samples cover.")
    arrivals_per_hour: float | None = Field(description="Lambda: jobs that arrived.")
    finished_per_hour: float | None = Field(description="Jobs that ended.")
    service_per_hour: float | None = Field(description="Mu: jobs that the slots can finish.")
    capacity: float = Field(description="Encoder-seconds that all slots deliver per second.")
    job_seconds: float | None = Field(description="Mean cost of the last jobs, in encoder-seconds.")
    utilisation: float | None = Field(description="Rho = lambda / mu; 1 and more means that the queue grows.")
    jobs: float | None = Field(description="L: average number of unfinished jobs.")
    stay_seconds: float | None = Field(description="W: average time from acceptance to the end, in seconds.")
    jobs_by_little: float | None = Field(description="Lambda x W. Equals L while the queue is steady.")


class Promises(BaseModel):
    """How often recent jobs kept their predicted times, within 25 % or 5 seconds. Null until 5 jobs have finished."""

    compared: int
    start_kept: float | None
    ready_kept: float | None
    median_late_seconds: float | None = Field(description="Below 0: ready earlier than promised.")


class Queue(BaseModel):
    """The queue as it is now. Work is in encoder-seconds: seconds of one encoder slot."""

    waiting: int = Field(description="Jobs not started.")
    active: int = Field(description="Jobs being worked on.")
    waiting_work_seconds: float = Field(description="Work of the waiting jobs.")
    running_work_seconds: float = Field(description="Work left of the active jobs.")
    wait_seconds: float = Field(description="Predicted time until all this work is done.")
    uploads: int = Field(description="Uploads being received by this process.")
    max_uploads: int
    slots: int
    busy: int = Field(description="Slots that are at work.")
    workers: list[Worker]
    refused: dict[str, int] = Field(description="Uploads refused so far, by code.")
    admission: Admission
    rates: Rates
    promises: Promises
    uploading: list[Uploading] = Field(
        description=f"Jobs whose file is on its way, newest first, at most {QUEUE_SHOWN}. They count in no figure."
    )
    jobs: list[Waiting] = Field(description=f"Unfinished jobs, oldest first, at most {QUEUE_SHOWN}.")


class QueueHistory(BaseModel):
    """The last hour; each list has one figure for each time in `at` (Unix seconds)."""

    at: list[float]
    waiting: list[int]
    running: list[int]
    wait: list[float] = Field(description="Predicted wait in seconds.")
    slots: list[int]
    busy: list[int]
    arrived: list[float] = Field(description="Jobs per minute.")
    ended: list[float] = Field(description="Jobs per minute.")
    refused: list[float] = Field(description="Uploads per minute.")
