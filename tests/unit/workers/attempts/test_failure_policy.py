"""What follows from a failure, for every error there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storage import errors
from storage.error_sentences import SENTENCES as ERRORS
from storage.errors import OutputMismatchError, RungsError, ToolError
from storage.model.task import Stage
from workers.attempts.failure_policy import Outcome, outcome_of, verdict

STOP = {
    "job_not_found",
    "conflict",
    "transition_refused",
    "job_exists",
    "lease_lost",
    "upload_not_found",
    "upload_ended",
}
WAIT = {
    "busy",
    "too_many_uploads",
    "queue_full",
    "owner_share",
    "address_share",
    "request_too_slow",
    "upload_too_slow",
    "high_share",
    "draining",
    "storage_full",
    "upload_paused",
    "object_store_unavailable",
    "job_store_unavailable",
    "broker_unavailable",
}
FAIL_JOB = {
    "media_error",
    "not_a_video",
    "audio_only",
    "picture_only",
    "subtitles_only",
    "text_only",
    "playlist_only",
    "codec_unsupported",
    "too_complex",
    "encrypted",
    "animated_picture",
    "no_frames",
    "picture_too_large",
    "picture_too_small",
    "too_long",
    "dolby_vision_only",
    "too_much_work",
    "too_costly",
    "decode_failed",
    "attempts_spent",
}


def tree(root: type[RungsError]) -> Iterator[type[RungsError]]:
    """Yield the class and all below it."""
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


def expected(code: str) -> Outcome:
    """Return the outcome this test wants for an error's code."""
    if code in STOP:
        return Outcome.STOP
    if code in WAIT:
        return Outcome.WAIT
    return Outcome.FAIL_JOB if code in FAIL_JOB else Outcome.RETRY


@pytest.mark.parametrize("kind", tuple(tree(RungsError)), ids=lambda kind: kind.__name__)
def test_every_error_of_the_tree_has_its_outcome(kind: type[RungsError]) -> None:
    """No error is forgotten when the tree grows: what is not named here is worth another, counted attempt."""
    assert outcome_of(kind.__new__(kind)) is expected(kind.code)


@pytest.mark.parametrize("error", [ValueError("x"), OSError(28, "No space left on device"), MemoryError(), KeyError(1)])
def test_the_unforeseen_is_tried_again(error: Exception) -> None:
    """A fault that nobody thought of costs a counted attempt, not the job."""
    assert outcome_of(error) is Outcome.RETRY


def test_the_codes_of_this_table_exist() -> None:
    """A code that was renamed does not linger here."""
    assert {kind.code for kind in tree(errors.RungsError)} >= STOP | WAIT | FAIL_JOB


FAILED = ToolError(detail="Invalid data found")
KILLED = ToolError(detail="ffmpeg was killed by signal SIGKILL.", killed=True)
MISMATCH = OutputMismatchError(detail="49 frames were encoded, 50 were planned.")


@pytest.mark.parametrize(
    ("error", "stage", "code", "message"),
    [
        (FAILED, Stage.SEGMENT, "decode_failed", ERRORS["decode_failed"]),
        (FAILED, Stage.PLAN, "decode_failed", ERRORS["decode_failed"]),
        (FAILED, Stage.PACKAGE, "tool_failed", FAILED.message),
        (KILLED, Stage.SEGMENT, "tool_failed", KILLED.message),
        (MISMATCH, Stage.SEGMENT, "output_mismatch", MISMATCH.message),
        (KeyError("secret"), Stage.SEGMENT, "internal_error", ERRORS["internal_error"]),
    ],
)
def test_the_last_failure_is_said_for_people(error: Exception, stage: Stage, code: str, message: str) -> None:
    """Who uploaded a damaged file reads that, not the exit code of a program; the tool's lines stay as detail."""
    said = verdict(error, stage)
    assert (said.code, said.message) == (code, message)
    assert said.detail == getattr(error, "detail", "")
