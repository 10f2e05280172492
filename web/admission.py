"""The decision to take or refuse an upload, made before its body is read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from storage.errors import StorageFullError, TooManyUploadsError, UploadTooLargeError
from web.form import OVERHEAD_BYTES

# An upload lasts seconds to hours; a try every few seconds is cheap, since the refusal costs nothing.
RETRY_AFTER_UPLOADS = 15
RETRY_AFTER_FULL = 300  # space comes back when somebody deletes jobs


@dataclass(frozen=True, slots=True)
class Limits:
    """What the installation takes: uploads at once, bytes of one upload, free bytes that must remain."""

    uploads: int
    upload_bytes: int
    reserve: int


def admit(limits: Limits, *, active: int, promised: int, announced: int | None, free: int | None) -> None:
    """Return if an upload may begin; raise what to answer otherwise.

    `active` uploads are under way and still want to write `promised` bytes; the new one announces `announced` bytes
    (None for a body in chunks), and the object store has `free` bytes (None if it cannot tell).
    """
    if announced is not None and announced > limits.upload_bytes + OVERHEAD_BYTES:
        raise too_large(limits)
    if active >= limits.uploads:
        raise TooManyUploadsError(
            f"{limits.uploads} uploads are being received, as many as this installation takes at once.",
            retry_after=RETRY_AFTER_UPLOADS,
        )
    if free is not None and free - promised - (announced or 0) < limits.reserve:
        raise StorageFullError("There is not enough free space for this upload.", retry_after=RETRY_AFTER_FULL)


def too_large(limits: Limits) -> UploadTooLargeError:
    """Return the refusal of a file over the limit."""
    return UploadTooLargeError(f"The file is larger than the {limits.upload_bytes} bytes this installation takes.")


class Ticket:
    """An admitted upload, counting down what it still wants to write."""

    def __init__(self, announced: int | None) -> None:
        self.promised = announced or 0

    def received(self, count: int) -> None:
        """Take off what has arrived: from now on the store's free space shows it."""
        self.promised = max(0, self.promised - count)


class Gate:
    """All uploads of this process. `free` is asked of the store by the caller, so the gate never waits for it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._tickets: set[Ticket] = set()
        self._lock = threading.Lock()

    @property
    def active(self) -> int:
        """Uploads under way."""
        return len(self._tickets)

    @contextmanager
    def enter(self, announced: int | None, free: int | None) -> Iterator[Ticket]:
        """Hold a place for one upload; raises what `admit` raises."""
        ticket = Ticket(announced)
        with self._lock:
            promised = sum(other.promised for other in self._tickets)
            admit(self.limits, active=self.active, promised=promised, announced=announced, free=free)
            self._tickets.add(ticket)
        try:
            yield ticket
        finally:
            with self._lock:
                self._tickets.discard(ticket)
