"""The one error tree; every code in it is stable and part of the API.

RungsError
├── RequestError                  the caller must change something
│   ├── InvalidRequestError       invalid_request
│   ├── CrossSiteError            cross_site
│   ├── UploadIncompleteError     upload_incomplete
│   ├── UploadEmptyError          upload_empty
│   ├── UploadTooLargeError       upload_too_large
│   ├── JobNotFoundError          job_not_found
│   ├── ObjectNotFoundError       object_not_found
│   └── ConflictError             conflict
│       ├── TransitionError       transition_refused
│       └── JobExistsError        job_exists
├── BusyError                     try again later; carries retry_after
│   ├── TooManyUploadsError       too_many_uploads
│   ├── StorageFullError          storage_full
│   ├── ObjectStoreDownError      object_store_unavailable
│   └── JobStoreDownError         job_store_unavailable
├── MediaError                    the upload cannot be encoded: the job fails at once, with the code
│   ├── NotMediaError             not_a_video
│   ├── AudioOnlyError            audio_only
│   ├── PictureOnlyError          picture_only
│   ├── NoFramesError             no_frames
│   ├── TooLargePictureError      picture_too_large
│   ├── TooLongError              too_long
│   └── DecodeError               decode_failed
└── AttemptError                  this attempt failed, another may succeed
    ├── ToolError                 tool_failed       ffmpeg ended with an error
    ├── ToolTimeoutError          tool_timeout      deadline or stall
    ├── OutputMismatchError       output_mismatch   frames or timestamps are not the planned ones
    ├── LeaseLostError            lease_lost        somebody else owns the task now
    └── AttemptsSpentError        attempts_spent    the limit of attempts is reached
"""

from __future__ import annotations

from typing import ClassVar


class RungsError(Exception):
    """Root of all expected failures: a stable `code` and one human sentence."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, detail: str = "") -> None:
        """Keep the sentence for people and the detail (tool output) for those who unfold it."""
        super().__init__(message)
        self.message = message
        self.detail = detail


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

    def __init__(self, message: str, *, detail: str = "", retry_after: int = 5) -> None:
        """Keep how many seconds the caller should wait."""
        super().__init__(message, detail=detail)
        self.retry_after = retry_after


class TooManyUploadsError(BusyError):
    """As many uploads are being received as this installation takes at once."""

    code = "too_many_uploads"


class StorageFullError(BusyError):
    """The object store is down to its reserve of free space."""

    code = "storage_full"


class ObjectStoreDownError(BusyError):
    """The object store does not answer."""

    code = "object_store_unavailable"


class JobStoreDownError(BusyError):
    """Redis does not answer or refuses writes."""

    code = "job_store_unavailable"


class MediaError(RungsError):
    """The upload itself cannot be encoded; trying again would end the same way."""

    code = "media_error"


class NotMediaError(MediaError):
    """No known container of video could be opened."""

    code = "not_a_video"


class AudioOnlyError(MediaError):
    """The file holds sound but no moving picture."""

    code = "audio_only"


class PictureOnlyError(MediaError):
    """The file is a still picture."""

    code = "picture_only"


class NoFramesError(MediaError):
    """A video stream is declared, but not one frame of it can be decoded."""

    code = "no_frames"


class TooLargePictureError(MediaError):
    """The picture has more pixels than this installation decodes."""

    code = "picture_too_large"


class TooSmallPictureError(MediaError):
    """The picture is smaller than any encoder's block; nobody could see it."""

    code = "picture_too_small"


class TooLongError(MediaError):
    """The video lasts longer than this installation encodes."""

    code = "too_long"


class DecodeError(MediaError):
    """Decoding fails in a way that another attempt cannot mend."""

    code = "decode_failed"


class AttemptError(RungsError):
    """This attempt failed; another one may succeed."""

    code = "attempt_failed"


class ToolError(AttemptError):
    """The tool (ffmpeg, ffprobe) ended with an error; `killed` tells that a signal ended it, not its own judgement."""

    code = "tool_failed"

    def __init__(self, message: str, *, detail: str = "", killed: bool = False) -> None:
        """Keep whether the tool was killed: that says nothing about the media."""
        super().__init__(message, detail=detail)
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


class UnforeseenError(AttemptError):
    """A fault of ours, not of the upload; the log has it in full."""

    code = "internal_error"
