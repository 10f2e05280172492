"""What can go wrong for a user of the command line, each with its exit code; docs/cli.md lists the codes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Self

from web.client import texts
from web.client.statuses import Status

_LONGEST_DETAIL = 1000  # characters of a server's sentence that are shown: more is no sentence


class Exit(IntEnum):
    """How a command ends. Two of them are the shell's: 2 is wrong usage everywhere, 130 is 128 + SIGINT."""

    DONE = 0
    LOCAL = 1
    USAGE = 2
    UNREACHABLE = 3
    REFUSED = 4
    NOT_FOUND = 5
    JOB_FAILED = 6
    INTERRUPTED = 130


class ClientError(Exception):
    """An expected failure: one sentence, what to do next, and how the command ends."""

    exit = Exit.LOCAL
    code = "local"

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = texts.plain(message)[:_LONGEST_DETAIL]
        self.advice = advice

    def advised(self, advice: str) -> Self:
        """Return the error with another piece of advice."""
        self.advice = advice
        return self

    @property
    def told(self) -> dict[str, Any]:
        """The failure as `--json` has it."""
        return {"code": self.code, "detail": self.message, "exit": int(self.exit)}


class UsageError(ClientError):
    """An option or argument cannot be right."""

    exit = Exit.USAGE
    code = "usage"


class UnreachableError(ClientError):
    """Nobody answers, or whoever answers is no Rungs."""

    exit = Exit.UNREACHABLE
    code = "unreachable"


class JobFailedError(ClientError):
    """The server did as asked, but a job did not become a video."""

    exit = Exit.JOB_FAILED
    code = "job_failed"


class CancelledThereError(ClientError):
    """Somebody cancelled the upload, or its job, while it was sent."""

    exit = Exit.REFUSED
    code = "upload_ended"


class NotAllError(ClientError):
    """Of several things not all were done; which and why has been told already."""

    def __init__(self, code: Exit) -> None:
        super().__init__("")
        self.exit = code


class InterruptedByUser(ClientError):  # noqa: N818 - nothing failed
    """The user pressed Ctrl-C."""

    exit = Exit.INTERRUPTED
    code = "interrupted"


class RefusedError(ClientError):
    """The server said no: its status and code, and in how many seconds to ask again, if it said so."""

    exit = Exit.REFUSED

    def __init__(self, status: int, code: str, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail, texts.advice(status, retry_after))
        self.status = status
        self.code = texts.plain(code)
        self.retry_after = retry_after
        if status in {Status.NOT_FOUND, Status.GONE}:
            self.exit = Exit.NOT_FOUND

    @property
    def told(self) -> dict[str, Any]:
        """See ClientError.told."""
        return {**super().told, "status": self.status, "retry_after": self.retry_after}


def refusal(status: int, document: Mapping[str, Any], retry_after: str | None) -> RefusedError:
    """Return what an answer of this status says, with its problem document if it has one, `{}` if not."""
    code, detail = document.get("code"), document.get("detail")
    return RefusedError(
        status,
        code if isinstance(code, str) else f"http_{status}",
        detail if isinstance(detail, str) else texts.NO_DETAIL % status,
        retry_after=seconds_of(retry_after),
    )


def seconds_of(retry_after: str | None) -> float | None:
    """Return the seconds that a header Retry-After tells. Rungs never sends a date, so that one is not understood."""
    if retry_after is None or not (retry_after.isascii() and retry_after.isdigit()):
        return None
    return float(retry_after[:9])
