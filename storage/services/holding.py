"""Receiving an upload as the only one: of two requests for it the newer one goes on, and the older one stops.

What a client meets that lost its line: the old connection is dead, but nobody on this side knows yet, and the client is
back already. So the newer request takes the upload, and waits for a moment until the older one has stored what it had,
which is a part at most. If that one does not answer, it waits for its dead client; when it wakes up, it asks before it
stores anything.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from secrets import token_hex
from typing import Self

from storage.errors import JobStoreDownError
from storage.job_store.upload_contract import HOLDER_SECONDS, UploadStore
from storage.meanwhile import meanwhile
from storage.model.upload import Upload
from storage.upload_errors import UploadTakenError

# Between two looks whether the upload is still ours, each of which tells how far it is: often enough that who comes
# back waits for no longer, seldom enough that a fast line costs Redis nothing.
LOOK_SECONDS = 0.25
# How long the newer request waits for the older one: a part on its way to the store takes about so long.
PATIENCE_SECONDS = 3.0
_PAUSE_SECONDS = 0.05


class Holding:
    """One request's hold of an upload, taken with `held`."""

    def __init__(self, store: UploadStore, upload: Upload) -> None:
        self.upload = upload
        self._store = store
        self._holder = token_hex(8)
        self._looked_at = -PATIENCE_SECONDS
        self._size = 0

    def take(self) -> Self:
        """Take the upload from whoever receives it, and wait until they have stopped."""
        before = self._store.take_upload(self.upload.id, self._holder)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while before is not None and not self._store.has_left(before) and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS)
        return self

    def go_on(self, size: int) -> None:
        """Note that so many bytes have come, and look whether the upload is still ours, if LOOK_SECONDS have passed.

        Raises UploadTakenError.
        """
        self._size = size
        if time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self.look()

    def look(self) -> None:
        """Look now. Raises UploadTakenError."""
        if not self._store.hold_upload(self.upload.standing(self._size, time.time()), self._holder):
            raise UploadTakenError
        self._looked_at = time.monotonic()

    def may_keep(self) -> bool:
        """Tell whether what was received may still be stored: also if another took the upload, and waits for it."""
        awake = time.monotonic() - self._looked_at < PATIENCE_SECONDS
        try:
            self.look()
        except UploadTakenError:
            return awake
        except JobStoreDownError:
            return False
        return True

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Stay the holder while the block runs, however long it takes."""

        def beat() -> bool:
            try:
                self.look()
            except (UploadTakenError, JobStoreDownError):
                return False
            return True

        with meanwhile(beat, seconds=HOLDER_SECONDS / 4):
            yield

    def leave(self) -> None:
        """Give the upload back."""
        self._store.leave_upload(self._holder)


@contextmanager
def held(store: UploadStore, upload: Upload) -> Iterator[Holding]:
    """Hold the upload while the block runs."""
    holding = Holding(store, upload).take()
    try:
        yield holding
    finally:
        with suppress(JobStoreDownError):  # nobody waits for longer than HOLDER_SECONDS
            holding.leave()
