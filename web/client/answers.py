"""What the client reads of the API's answers; whatever else is in them is passed on by `--json` as it came."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from storage.model.job import JOB_ID, JobState

RUNG_NAME = "[1-9][0-9]{1,4}p"  # what becomes part of a file's name here

JobId = Annotated[str, Field(pattern=f"^{JOB_ID}$")]


class _Seen(BaseModel):
    """Part of an answer; a newer server may say more."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class SeenError(_Seen):
    """Why a job failed."""

    code: str
    message: str


class SeenRung(_Seen):
    """One output of the ladder; `url` is there once it can be downloaded."""

    name: Annotated[str, Field(pattern=f"^{RUNG_NAME}$")]
    width: int
    height: int
    url: str | None
    size: int | None


class SeenSubtitle(_Seen):
    """A track of subtitles."""

    id: str
    label: str
    language: str
    origin: str


class SeenSubtitles(_Seen):
    """All subtitles of a job."""

    subtitles: list[SeenSubtitle]


class SeenUpload(_Seen):
    """How much of a file has come that is uploaded, in bytes; `moving` if some of it came a moment ago."""

    received: int
    length: int | None
    moving: bool

    @property
    def fraction(self) -> float:
        """That in parts of the whole, 0..1; 0 where nobody knows the whole."""
        return min(1.0, self.received / self.length) if self.length else 0.0


class UploadingJob(_Seen):
    """What the list of the queue says of a job whose file is on its way."""

    id: JobId
    title: str
    upload: SeenUpload


class QueuedJob(_Seen):
    """What the list of the queue says of a job."""

    id: JobId
    state: JobState
    title: str
    progress: float
    queue_position: int | None
    starts_in_seconds: float | None
    eta_seconds: float | None


class SeenJob(QueuedJob):
    """What every list says of a job."""

    filename: str
    size: int
    created_at: str
    rungs: tuple[SeenRung, ...]
    error: SeenError | None
    upload: SeenUpload | None = None

    @property
    def fraction(self) -> float:
        """How far the job is, or its upload as long as that is not whole, 0..1."""
        return self.progress if self.upload is None else self.upload.fraction

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more will happen to it by itself."""
        return self.state.finished


class Warned(_Seen):
    """What was odd about the upload."""

    message: str


class WholeJob(SeenJob):
    """A job by itself."""

    warnings: tuple[Warned, ...] = ()


class JobsPage(_Seen):
    """A page of jobs, and where the next one begins."""

    jobs: tuple[SeenJob, ...]
    cursor: str | None


class SeenAdmission(_Seen):
    """Whether uploads are taken; if not, why, and in how many seconds they will be."""

    open: bool
    message: str | None
    retry_after: float | None


class SeenQueue(_Seen):
    """The queue as it is now; times in seconds."""

    waiting: int
    active: int
    wait_seconds: float
    uploads: int
    slots: int
    busy: int
    admission: SeenAdmission
    jobs: tuple[QueuedJob, ...]
    uploading: tuple[UploadingJob, ...] = ()
