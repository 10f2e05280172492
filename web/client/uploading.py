"""One file, sent until it is a job: it goes on where it stopped, after whatever broke, and comes back at its turn."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Protocol

from web.client import texts
from web.client.failures import ClientError, RefusedError, UnreachableError, UploadCancelledError
from web.client.index_ahead import send_index
from web.client.remembered import NOTHING_SAID, Remembered, Wanted, Wishes
from web.client.retrying import Again, Failed, Tries, decide
from web.client.statuses import Status
from web.client.tus import Announced, Uploads, UploadState

BLOCK = 256 * 1024  # bytes sent at once: small enough for a bar that moves, large enough to cost nothing


class UploadTeller(Protocol):
    """Whoever is told how an upload goes; sizes in bytes, times in seconds."""

    def begun(self, path: Path, job_id: str) -> None:
        """The upload is there, and so is its job."""

    def sent(self, path: Path, offset: int, size: int) -> None:
        """So much has been sent."""

    def waits(self, path: Path, error: ClientError, seconds: float) -> None:
        """The server will be asked again in so many seconds."""

    def note(self, sentence: str) -> None:
        """Something the user may want to know."""


@dataclass(frozen=True, slots=True)
class Source:
    """An open file and what it was when it was opened: bytes that change while they are sent make no video."""

    path: Path
    file: BinaryIO
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path, file: BinaryIO) -> Source:
        """Return the open file as it is now."""
        found = os.fstat(file.fileno())
        return cls(path, file, found.st_size, found.st_mtime_ns)

    def check(self) -> None:
        """Raise ClientError if the file has changed."""
        found = os.fstat(self.file.fileno())
        if (found.st_size, found.st_mtime_ns) != (self.size, self.mtime_ns):
            raise ChangedError(texts.CHANGED % self.path, texts.CHANGED_ADVICE)

    def blocks(self, offset: int, on_offset: Callable[[int], None]) -> Iterator[bytes]:
        """Yield the bytes from the offset on. Raises ClientError: of a failing disk, too, which is not the line's."""
        while offset < self.size:
            try:
                self.file.seek(offset)
                block = self.file.read(min(BLOCK, self.size - offset))
                self.check()
            except OSError as error:
                raise ClientError(texts.CANNOT_READ % (self.path, error.strerror)) from error
            offset += len(block)
            yield block
            on_offset(offset)


class ChangedError(ClientError):
    """The file is another one by now."""


@dataclass(slots=True)
class FileUpload:
    """An upload under way; `most_wait` is the longest time in seconds to wait where the server says when."""

    uploads: Uploads
    source: Source
    wanted: Wanted
    remembered: Remembered
    told: UploadTeller
    most_wait: float | None = None
    _tries: Tries = field(default_factory=Tries)
    _furthest: int = 0
    _sends: bool = False  # whether any of it was sent by this run
    _stuck_since: float | None = None  # the first failure since the upload got on
    _handed: str | None = None  # the upload that was given the file's index

    def run(self) -> str:
        """Return the id of the job that the file has become. Raises ClientError."""
        upload_id = self.remembered.find(self.wanted)
        if upload_id is not None:
            self._tries = replace(self._tries, begun=1)
        while True:
            try:
                upload_id, standing = self._begun(upload_id)
                if standing.job_id is None:
                    standing = self._sent(upload_id, standing.offset)
                if standing.job_id is not None:
                    self.remembered.forget(self.wanted)
                    return standing.job_id
            except (RefusedError, UnreachableError) as error:
                self._check_goes_on(error)
                if self._rest(error).anew:
                    upload_id, self._sends = None, False
            except ChangedError:
                self._give_up(upload_id)
                raise

    def _check_goes_on(self, error: RefusedError | UnreachableError) -> None:
        """Raise UploadCancelledError where what is sent here was cancelled; one of an earlier run is begun anew."""
        if self._sends and isinstance(error, RefusedError) and error.status == Status.GONE:
            self.remembered.forget(self.wanted)
            raise UploadCancelledError(texts.UPLOAD_ENDED % self.source.path, texts.UPLOAD_ENDED_ADVICE) from error

    def _begun(self, upload_id: str | None) -> tuple[str, UploadState]:
        """Return the upload, created if there is none, and how far it is."""
        if upload_id is not None:
            standing = self.uploads.standing(upload_id)
            self._got_to(standing.offset)
            self._hand_over(upload_id)
            return upload_id, standing
        upload_id = self.uploads.create(Announced(self.source.size, self.source.path.name, self.wanted.said))
        self._got_to(0)
        self._tries = replace(self._tries, begun=self._tries.begun + 1)
        try:
            self.remembered.keep(self.wanted, upload_id)
        except OSError as error:
            self.told.note(texts.NOT_REMEMBERED % (self.remembered.folder, error.strerror))
        self._hand_over(upload_id)
        return upload_id, UploadState(0, None)

    def _hand_over(self, upload_id: str) -> None:
        """Send the file's index beside its media, once for each upload."""
        if self._handed == upload_id:
            return
        self._handed = upload_id
        about = (self.uploads, upload_id, self.source.path, self.source.size)
        threading.Thread(target=send_index, args=about, daemon=True).start()

    def _sent(self, upload_id: str, offset: int) -> UploadState:
        size = self.source.size
        if offset > size:
            raise self.uploads.server.no_rungs()
        if not self._sends:
            self.told.begun(self.source.path, upload_id)
        self._sends = True
        self.told.sent(self.source.path, offset, size)
        blocks = self.source.blocks(offset, lambda sent: self.told.sent(self.source.path, sent, size))
        standing = self.uploads.send(upload_id, blocks, offset, size - offset)
        if standing.job_id is None and standing.offset <= offset:
            raise self.uploads.server.no_rungs()
        return standing

    def _got_to(self, offset: int) -> None:
        """Note an answer, and how far the upload is: while it gets on, no failure counts."""
        self._tries = replace(self._tries, reached=True)
        if offset > self._furthest:
            self._furthest, self._stuck_since = offset, None
            self._tries = replace(self._tries, failures=0)

    def _rest(self, error: RefusedError | UnreachableError) -> Again:
        """Wait as long as it is decided. Raises the error where nothing is left to try."""
        refused = isinstance(error, RefusedError)
        failed = Failed(error.status, error.retry_after) if isinstance(error, RefusedError) else Failed(None)
        self._stuck_since = self._stuck_since or time.monotonic()
        stuck = time.monotonic() - self._stuck_since
        tries = replace(self._tries, stuck_seconds=stuck, reached=self._tries.reached or refused)
        again = decide(failed, tries, chance=random.random(), most_wait=self.most_wait)  # noqa: S311 - no secret
        if again is None:
            if tries.begun:
                error.advice = texts.AGAIN_ADVICE
            raise error
        if again.anew:
            self.told.note(texts.UPLOAD_GONE)
            self._furthest = 0
        else:
            self.told.waits(self.source.path, error, again.seconds)
        time.sleep(again.seconds)
        self._count(tries, again)
        return again

    def _count(self, tries: Tries, again: Again) -> None:
        """Count the failure. A time that the server named is no failure of it, nor is the upload stuck meanwhile."""
        if again.asked:
            self._stuck_since = None
            self._tries = replace(tries, waited=tries.waited + again.seconds)
        else:
            self._tries = replace(tries, failures=tries.failures + 1)

    def _give_up(self, upload_id: str | None) -> None:
        self.remembered.forget(self.wanted)
        if upload_id is not None:
            self.uploads.end(upload_id)


def upload_file(
    uploads: Uploads,
    path: Path,
    remembered: Remembered,
    told: UploadTeller,
    *,
    said: Wishes = NOTHING_SAID,
    most_wait: float | None = None,
) -> str:
    """Send the file and return the id of its job. Raises ClientError."""
    with _opened(path) as file:
        source = Source.of(path, file)
        wanted = Wanted(uploads.server.url, str(path.resolve()), source.size, source.mtime_ns, said)
        return FileUpload(uploads, source, wanted, remembered, told, most_wait).run()


def _opened(path: Path) -> BinaryIO:
    """Open the file. Raises ClientError, also for a pipe, which would be waited for and cannot be read twice."""
    if not path.is_file():
        raise ClientError(texts.CANNOT_READ % (path, texts.NO_FILE))
    try:
        return path.open("rb")
    except OSError as error:
        raise ClientError(texts.CANNOT_READ % (path, error.strerror)) from error
