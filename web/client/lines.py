"""`--json`: one JSON document, or one line of JSON for each event, and nothing else on standard output."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Self

from web.client.answers import SeenJob
from web.client.failures import ClientError, Exit

OFTEN_SECONDS = 1.0  # between two lines about the same file


def write(document: object) -> None:
    """Write one line. Everything that is not ASCII is escaped, so that no terminal obeys it.

    Where nobody reads any more, as before `head`, the command ends.
    """
    try:
        sys.stdout.write(json.dumps(document) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at its end
        sys.exit(Exit.LOCAL)


class JsonLines:
    """Tells of uploads and jobs as lines of JSON; each has `event`."""

    def __init__(self) -> None:
        self._told_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def begun(self, path: Path, job_id: str) -> None:
        """See UploadTeller.begun."""
        self._event("begun", file=str(path), job_id=job_id)

    def sent(self, path: Path, offset: int, size: int) -> None:
        """See UploadTeller.sent; not of every block."""
        now = time.monotonic()
        if now - self._told_at >= OFTEN_SECONDS or offset == size:
            self._told_at = now
            self._event("sent", file=str(path), offset=offset, size=size)

    def waits(self, path: Path, error: ClientError, seconds: float) -> None:
        """See UploadTeller.waits."""
        self._event("waits", file=str(path), seconds=round(seconds, 1), error=error.told)

    def note(self, sentence: str) -> None:
        """See UploadTeller.note."""
        self._event("note", message=sentence)

    def accepted(self, path: Path, job_id: str) -> None:
        """Tell which job a file has become."""
        self._event("accepted", file=str(path), job_id=job_id)

    def failed(self, path: Path, error: ClientError) -> None:
        """Tell that a file has become no job."""
        self._event("failed", file=str(path), error=error.told)

    def job(self, _: SeenJob, document: dict[str, Any]) -> None:
        """See JobTeller.job."""
        self._event("job", job=document)

    def unreached(self, error: ClientError, seconds: float) -> None:
        """See JobTeller.unreached."""
        self._event("waits", seconds=round(seconds, 1), error=error.told)

    def missing(self, job_id: str, error: ClientError) -> None:
        """Tell that a job is not there."""
        self._event("missing", job_id=job_id, error=error.told)

    @staticmethod
    def _event(kind: str, **data: object) -> None:
        write({"event": kind, **data})
