"""Jobs in the API, in pydantic models: what OpenAPI shows, and what queries and bodies are checked against."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from storage.job_store.contract import CURSOR
from storage.model.damage import DamageKind
from storage.model.event import EVENT_ID
from storage.model.job import JobState, Priority
from storage.model.record_checks import LONGEST_URL
from web.schemas.tracks import Chapter, SoundTrack, SubtitleTrack

# Every name of a file that can be asked for; a name outside never reaches the object store.
MEDIA_NAME = (
    r"[1-9][0-9]{1,4}p\.mp4"  # a rung
    r"|poster\.jpg|storyboard\.(?:jpg|vtt)|chapters\.vtt|report\.json"
    r"|subtitles/[a-z0-9]{1,16}\.vtt"
    r"|hls/(?:[a-z0-9][a-z0-9-]{0,31}/)?[a-z0-9]{1,32}\.(?:m3u8|mp4|m4s|vtt)"  # playlists, init sections, fragments
)
URL_LENGTH = LONGEST_URL  # what `web.upload.form_fields` takes
# The addresses that a webhook may have, but for shortened ones of IPv6, which are taken too.
_PORT = "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
_LITERAL = r"\[(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\]"
WEBHOOK_URL = rf"https?://(?:[A-Za-z0-9._~-]+|{_LITERAL})(?::(?:{_PORT}))?(?:[/?#][!-~]*)?"
PAGE_LIMIT = 100  # jobs on one page of the API
RECENT_JOBS = 20  # jobs that a list shows at first, and that the stream of all begins with


class Rung(BaseModel):
    """One output of the ladder."""

    name: str = Field(examples=["720p"])
    width: int
    height: int
    state: str = Field(description="`waiting`, or the job's state.")
    progress: float = Field(ge=0, le=1)
    url: str | None = Field(description="The MP4, once the job is ready.")
    size: int | None = Field(description="Bytes of the MP4.")


class Source(BaseModel):
    """The video stream that was uploaded; width and height as a viewer sees them."""

    codec: str
    width: int
    height: int
    coded_width: int
    coded_height: int
    rotation: int
    interlaced: bool
    transfer: str


class Audio(BaseModel):
    """The audio stream that plays by default; bit rate of the output in bits/s."""

    codec: str
    channels: int
    sample_rate: int
    bitrate: int


class Plan(BaseModel):
    """How the job is encoded; duration in seconds, frame rate in frames per second."""

    duration: float
    frame_rate: float
    frames: int
    segments: int
    source: Source
    audio: Audio | None


class ListedFailure(BaseModel):
    """Why a job failed, as lists say it."""

    code: str
    message: str
    values: dict[str, float] = Field(description="The numbers in `message`, by name.")


class JobFailure(ListedFailure):
    """Why a job failed."""

    detail: str = Field(description="The tool's last lines.")


class Warned(BaseModel):
    """A fault or a peculiarity of the upload that did not prevent its encoding."""

    code: str = Field(examples=["audio_left_out"])
    message: str
    values: dict[str, float | str] = Field(description="The numbers and the names of codecs in `message`, by name.")


class Damaged(BaseModel):
    """A damaged place of the upload: pictures or sound are missing, or pictures were repaired."""

    kind: DamageKind
    start: float = Field(ge=0, description="Seconds from the beginning of the video.")
    seconds: float = Field(ge=0)


class FailedAttempt(BaseModel):
    """A failed attempt at one task of the job. Unless the job failed, another attempt followed."""

    task: str = Field(examples=["segment:3"])
    worker: str = Field(description="Host and process id of the worker.")
    at: str
    code: str
    message: str


class UploadProgress(BaseModel):
    """How much of a video has come that is being uploaded, in bytes."""

    received: int = Field(ge=0)
    length: int | None = Field(description="Of the whole file; null as long as the client has not said it.")
    moving: bool = Field(description="Whether some of it came within the last minute.")


class Links(BaseModel):
    """Addresses of what the job offers at the moment. Null where it does not."""

    self: str
    page: str
    events: str
    cancel: str | None
    priority: str | None
    retry: str | None
    report: str | None


class Promise(BaseModel):
    """The prediction made when the job was accepted, updated once when it is planned."""

    starts_at: str
    ready_at: str


class ListedJob(BaseModel):
    """What lists say of one uploaded video. Times are RFC 3339 in UTC, sizes are bytes."""

    id: str
    state: JobState
    title: str
    filename: str
    size: int = Field(description="Of the original; while it is uploaded, what was announced, or 0.")
    created_at: str
    started_at: str | None
    finished_at: str | None
    upload: UploadProgress | None = Field(description="Null unless the job is uploading.")
    progress: float = Field(ge=0, le=1, description="Progress of the whole job, 0 to 1.")
    starts_in_seconds: int | None = Field(description="Predicted time until an encoder begins; null once one has.")
    eta_seconds: int | None = Field(description="Predicted time until the job is ready; null when not known.")
    priority: Priority
    queue_position: int | None = Field(
        description="Place in the line, 1 is next. Null while the job is planned and after its first encoder has begun."
    )
    rungs: list[Rung] = Field(description="Empty before the job is planned.")
    hls_url: str | None = Field(description="The master playlist, from the first encoded segment on.")
    poster_url: str | None
    storyboard_url: str | None = Field(
        description="WebVTT of seek previews, once the job is ready. Each cue names its part of one picture."
    )
    error: ListedFailure | None
    links: Links


class PublicJob(ListedJob):
    """One uploaded video and its outputs. Times are RFC 3339 in UTC, sizes are bytes."""

    model_config = ConfigDict(title="Job")

    loudness: int | None = Field(description="LUFS to which its sound is brought; null leaves it as it is.")
    promise: Promise | None
    warnings: list[Warned]
    damage: list[Damaged] = Field(
        description="Damaged places of the upload in order, once the job is ready. At most 100, the longest."
    )
    error: JobFailure | None
    failed_attempts: list[FailedAttempt] = Field(description="The last failed attempts, at most 20, oldest first.")
    plan: Plan | None
    audio: list[SoundTrack] = Field(description="The default one first; empty before the job is planned.")
    subtitles: list[SubtitleTrack] = Field(description="At most 32; empty before the job is planned.")
    chapters: list[Chapter] = Field(description="In the order of time, at most 1000; empty before the job is planned.")


class AcceptedJob(PublicJob):
    """The job that was made of an upload."""

    message: str


class Jobs(BaseModel):
    """Jobs, newest first."""

    jobs: list[ListedJob]
    cursor: str | None = Field(description="Fetches the next page; null on the last one.")


class Health(BaseModel):
    """The service answers."""

    status: Literal["ok"] = "ok"


class UploadForm(BaseModel):
    """The form of an upload."""

    model_config = ConfigDict(extra="forbid")

    file: str = Field(min_length=1, json_schema_extra={"format": "binary"})
    title: str = Field(
        default="",
        description="At most 8192 bytes; 200 characters are kept. If it shows nothing, the file's name is used.",
    )
    webhook_url: str = Field(
        default="",
        max_length=URL_LENGTH,
        pattern=f"^[ \\t\\r\\n]*(?:{WEBHOOK_URL})?[ \\t\\r\\n]*$",
        description="This address receives the job when it has ended.",
    )
    loudness: Literal["", "off", "-23", "-16", "-14"] = Field(
        default="", description="LUFS to which the sound is brought, true peaks below -1 dBTP; as it is where `off`."
    )


class LanguageForm(BaseModel):
    """The switch of languages at the foot of each page."""

    language: Literal["en", "ko"]
    next: str = Field(default="", description="The path to go back to.")


class PriorityChange(BaseModel):
    """The new priority of a job."""

    model_config = ConfigDict(extra="forbid")

    priority: Priority = Field(description="`high` counts as accepted one day earlier, `low` as one day later.")


class JobsQuery(BaseModel):
    """Which jobs to list."""

    model_config = ConfigDict(extra="forbid")

    state: JobState | None = None
    limit: int = Field(default=RECENT_JOBS, ge=1, le=PAGE_LIMIT)
    cursor: str | None = Field(default=None, pattern=f"^{CURSOR}$")


class RowsQuery(BaseModel):
    """Which rows to return."""

    model_config = ConfigDict(extra="forbid")

    cursor: str | None = Field(default=None, pattern=f"^{CURSOR}$")


class EventsQuery(BaseModel):
    """Where the stream resumes."""

    model_config = ConfigDict(extra="forbid")

    last_event_id: str | None = Field(default=None, pattern=f"^{EVENT_ID}$")
    language: Literal["en", "ko"] | None = Field(
        default=None,
        description="If present, each event has what the pages say of the job in `words`, in this language.",
    )


class MediaQuery(BaseModel):
    """How a file is delivered."""

    model_config = ConfigDict(extra="forbid")

    download: str | None = Field(default=None, description="If present, the browser saves the file, under a good name.")
    version: str | None = Field(default=None, description="Makes the address of what was replaced another one.")
