"""The one error tree; every code in it is stable and part of the API.

RungsError
├── RequestError                  the caller must change something
│   ├── InvalidRequestError       invalid_request
│   ├── CrossSiteError            cross_site
│   ├── UploadIncompleteError     upload_incomplete
│   ├── UploadEmptyError          upload_empty
│   ├── UploadTooLargeError       upload_too_large
│   ├── UploadError               what tus has statuses for: storage.upload_errors
│   ├── SubtitleError             what is wrong with subtitles: storage.subtitle_errors
│   ├── JobNotFoundError          job_not_found
│   ├── ObjectNotFoundError       object_not_found
│   └── ConflictError             conflict
│       ├── TransitionError       transition_refused
│       └── JobExistsError        job_exists
├── BusyError                     try again later; carries retry_after
│   ├── TooManyUploadsError       too_many_uploads
│   ├── StorageFullError          storage_full
│   ├── QueueFullError            queue_full        accepted work fills the longest wait
│   ├── OwnerShareError           owner_share       429: one owner's share is used up
│   ├── AddressShareError         address_share     429: one address' share is used up
│   ├── RequestTooSlowError       request_too_slow  408: head or small body did not come in time
│   ├── UploadTooSlowError        upload_too_slow   408: an upload came below the least rate
│   ├── HighShareError            high_share        429: one owner's urgent jobs are used up
│   ├── DrainingError             draining          the service is being stopped
│   ├── UploadPausedError         upload_paused     what is encoded before its last byte waits for more of it
│   ├── ObjectStoreDownError      object_store_unavailable
│   ├── JobStoreDownError         job_store_unavailable
│   └── BrokerDownError           broker_unavailable
├── MediaError                    the upload cannot be encoded: storage.media_errors
├── UploadExpiredError            upload_expired: the rest of a job's file did not come in time
├── RecordError                   record_unreadable: what a store holds of this job is not what was written
├── ManifestError                 manifest_unreadable: what lies beside an original is not a job of this version
└── AttemptError                  this attempt failed, another may succeed
    ├── ToolError                 tool_failed       ffmpeg ended with an error
    ├── ToolTimeoutError          tool_timeout      deadline or stall
    ├── OutputMismatchError       output_mismatch   frames or timestamps are not the planned ones
    ├── LeaseLostError            lease_lost        somebody else owns the task now
    ├── AttemptsSpentError        attempts_spent    the limit of attempts is reached
    ├── WorkerLostError           worker_lost       the process of this attempt died
    ├── StalledError              stalled           nothing moved in the job for hours
    └── UnforeseenError           internal_error    nobody thought of it; the log has it
"""

from __future__ import annotations

from typing import ClassVar

from storage.error_sentences import sentence_of
from storage.sentences import Told, Values, filled

LOGGED_CHARACTERS = 1000  # of a detail: how a tool ended comes first, its last lines behind that may be 80 kB


class RungsError(Exception):
    """Root of all expected failures: a stable `code`, one human sentence, and detail (tool output) to be unfolded.

    `message` is the code's sentence with its `values`, which the pages say in other languages as well; a `reason` names
    a more exact one, where the table has it. Names among the values are for the sentence alone. `detail` is what
    operators read of one case; as text, for logs, the error has both.
    """

    code: ClassVar[str] = "error"

    def __init__(self, *, reason: str = "", detail: str = "", values: Values | None = None) -> None:
        told = values or {}
        self.values = {name: value for name, value in told.items() if not isinstance(value, str)}
        self.message = filled(sentence_of(self.code, reason), told)
        self.detail = detail
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} {self.detail[:LOGGED_CHARACTERS]}".rstrip()

    @property
    def told(self) -> Told:
        """The error as JSON has it."""
        return {"code": self.code, "message": self.message, "values": self.values}


class RequestError(RungsError):
    """The caller must change something before trying again."""

    code = "request_error"


class InvalidRequestError(RequestError):
    """A field, header or parameter is missing or malformed."""

    code = "invalid_request"


class CrossSiteError(RequestError):
    """Another site's page tried to act through the visitor's browser."""

    code = "cross_site"


class UploadIncompleteError(RequestError):
    """Fewer bytes arrived than were announced; nothing was kept."""

    code = "upload_incomplete"


class UploadEmptyError(RequestError):
    """The file has no bytes."""

    code = "upload_empty"


class UploadTooLargeError(RequestError):
    """The file is larger than this installation takes."""

    code = "upload_too_large"

    def __init__(self, *, megabytes: float) -> None:
        super().__init__(values={"megabytes": megabytes})


class JobNotFoundError(RequestError):
    """There is no such job, or it belongs to somebody else."""

    code = "job_not_found"


class ObjectNotFoundError(RequestError):
    """There is no object under this key."""

    code = "object_not_found"


class ConflictError(RequestError):
    """The job is not in a state that allows this."""

    code = "conflict"


class TransitionError(ConflictError):
    """The state machine does not allow this move from the job's present state."""

    code = "transition_refused"


class JobExistsError(ConflictError):
    """A job with this id exists already."""

    code = "job_exists"


class BusyError(RungsError):
    """Nothing is wrong with the request; it is to be repeated after `retry_after` seconds."""

    code = "busy"

    def __init__(self, *, reason: str = "", detail: str = "", retry_after: int = 5) -> None:
        super().__init__(reason=reason, detail=detail)
        self.retry_after = retry_after


class TooManyUploadsError(BusyError):
    """As many uploads are being received as this installation takes at once."""

    code = "too_many_uploads"


class StorageFullError(BusyError):
    """The object store is down to its reserve of free space."""

    code = "storage_full"


class QueueFullError(BusyError):
    """Accepted work keeps the encoders busy for longer than anybody should wait.

    `turn` is the token by which a client that comes back is known, None if no room could be kept for it.
    """

    code = "queue_full"
    turn: str | None = None


class OwnerShareError(BusyError):
    """One owner has as many unfinished jobs as an owner may have."""

    code = "owner_share"


class AddressShareError(BusyError):
    """One client address holds as much of the service as an address may."""

    code = "address_share"


class RequestTooSlowError(BusyError):
    """The head of a request, or the body of a form, was not there in time."""

    code = "request_too_slow"


class UploadTooSlowError(BusyError):
    """An upload brought fewer bytes than the least rate asks for; nothing was kept."""

    code = "upload_too_slow"


class HighShareError(BusyError):
    """One owner has as many jobs of high priority as an owner may have."""

    code = "high_share"


class DrainingError(BusyError):
    """The service is being stopped and takes nothing new."""

    code = "draining"


class UploadPausedError(BusyError):
    """Bytes of an upload that are wanted before it is whole did not come in time: another attempt finds them later."""

    code = "upload_paused"


class ObjectStoreDownError(BusyError):
    """The object store does not answer."""

    code = "object_store_unavailable"


class JobStoreDownError(BusyError):
    """Redis does not answer or refuses writes."""

    code = "job_store_unavailable"


class BrokerDownError(BusyError):
    """RabbitMQ does not answer or does not take messages."""

    code = "broker_unavailable"


class UploadExpiredError(RungsError):
    """Nothing more of a job's file came for so long that its upload was given up; nothing was kept."""

    code = "upload_expired"


class RecordError(RungsError):
    """What a store holds of this job cannot be what was written there: somebody else changed it, or it was damaged."""

    code = "record_unreadable"


class ManifestError(RungsError):
    """What lies beside an original cannot be read as a job of this version."""

    code = "manifest_unreadable"


class AttemptError(RungsError):
    """This attempt failed; another one may succeed."""

    code = "attempt_failed"


class ToolError(AttemptError):
    """The tool (ffmpeg, ffprobe) ended with an error; `killed` tells that a signal did, which is no judgement."""

    code = "tool_failed"

    def __init__(self, *, detail: str = "", killed: bool = False) -> None:
        super().__init__(detail=detail)
        self.killed = killed


class ToolTimeoutError(AttemptError):
    """The tool overran its deadline or made no progress."""

    code = "tool_timeout"


class OutputMismatchError(AttemptError):
    """The tool's output has not the planned frames or timestamps."""

    code = "output_mismatch"


class LeaseLostError(AttemptError):
    """Another attempt owns the task now; this one must stop and write nothing more."""

    code = "lease_lost"


class AttemptsSpentError(AttemptError):
    """The limit of attempts is reached; the job fails."""

    code = "attempts_spent"


class WorkerLostError(AttemptError):
    """The process that worked on this attempt was killed or cut off."""

    code = "worker_lost"


class StalledError(AttemptError):
    """An attempt held its task for hours and nothing moved; the job fails."""

    code = "stalled"


class UnforeseenError(AttemptError):
    """A fault of ours, not of the upload; the log has it in full."""

    code = "internal_error"
