"""`/api/queue` in pydantic models: what OpenAPI shows."""

from __future__ import annotations

from pydantic import BaseModel, Field

from storage.job_store.queue_contract import Pause
from storage.model.job import JobState

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


class HeldTask(BaseModel):
    """What an attempt is working on."""

    job_id: str
    task: str = Field(examples=["segment:3"])


class Worker(BaseModel):
    """A machine that encodes; one that pauses has the slots that are still at work, one that only plans has none."""

    name: str
    slots: int
    pause: Pause | None = Field(description="What it is short of while it takes no work.")
    tasks: list[HeldTask]


class Admission(BaseModel):
    """Whether a small upload would be taken now; if not, why, and in how many seconds there will be room."""

    open: bool
    max_wait_seconds: float = Field(description="Predicted wait above which uploads are refused.")
    code: str | None
    message: str | None
    values: dict[str, float] = Field(description="The numbers in the sentence, by name.")
    retry_after: int | None


class Rates(BaseModel):
    """The queue in the terms of queueing theory, from the samples of the last hour; null for what is not known yet."""

    measured_seconds: int = Field(description="Time that the samples cover.")
    arrivals_per_hour: float | None = Field(description="Lambda: jobs that came.")
    finished_per_hour: float | None = Field(description="Jobs that ended.")
    service_per_hour: float | None = Field(description="Mu: jobs that the slots could finish.")
    capacity: float = Field(description="Encoder-seconds that all slots deliver in a second.")
    job_seconds: float | None = Field(description="Encoder-seconds of a job, mean of the last ones.")
    utilisation: float | None = Field(description="Rho = lambda / mu; 1 and more means that the queue grows.")
    jobs: float | None = Field(description="L: jobs that were there, on average.")
    stay_seconds: float | None = Field(description="W: seconds from acceptance to the end, on average.")
    jobs_by_little: float | None = Field(description="Lambda x W, which L is near to while the queue is steady.")


class Promises(BaseModel):
    """How true it came what the last jobs were promised: within 25 % or 5 seconds; null while that are fewer than 5."""

    compared: int
    start_kept: float | None
    ready_kept: float | None
    median_late_seconds: float | None = Field(description="Below 0: ready earlier than promised.")


class Queue(BaseModel):
    """The queue as it is now. Work is in encoder-seconds: seconds of one encoder slot."""

    waiting: int = Field(description="Jobs not started.")
    active: int = Field(description="Jobs being worked on.")
    waiting_work_seconds: float = Field(description="Work of jobs that no encoder has begun with.")
    running_work_seconds: float = Field(description="Work that is left of the others.")
    wait_seconds: float = Field(description="Predicted, until all of that is done.")
    uploads: int = Field(description="Uploads being received by this process.")
    max_uploads: int
    slots: int
    busy: int = Field(description="Tasks that encoders work on.")
    workers: list[Worker]
    refused: dict[str, int] = Field(description="Uploads ever refused, by code.")
    admission: Admission
    rates: Rates
    promises: Promises
    jobs: list[Waiting] = Field(description=f"Unfinished jobs, oldest first, at most {QUEUE_SHOWN}.")


class QueueHistory(BaseModel):
    """The last hour; each list has one figure for each time in `at` (Unix seconds)."""

    at: list[float]
    waiting: list[int]
    running: list[int]
    wait: list[float] = Field(description="Predicted wait in seconds.")
    slots: list[int]
    busy: list[int]
    arrived: list[float] = Field(description="Jobs a minute.")
    ended: list[float] = Field(description="Jobs a minute.")
    refused: list[float] = Field(description="Uploads a minute.")
