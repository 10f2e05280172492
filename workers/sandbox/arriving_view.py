"""An upload that is still coming, as a Relay serves it: what has come of it, and its index that was sent ahead.

The views differ in what they do of the rest. For work that is kept they wait: no byte is ever served that is not the
file's or the index's, and that one is compared with the file before anything counts. For a plan, which is made again
from the whole file, they answer with zeros at once.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from enum import Enum, auto
from typing import Protocol

from storage.errors import ObjectNotFoundError
from storage.model.early import HandedIndex
from storage.objects.contract import ObjectInfo
from workers.sandbox.relay import Readable

# A tool that works ahead of an upload and makes no progress for so long is given back, as its ToolLimits say: a line
# that broke is there again within seconds, and the slot may have other work.
PATIENCE_SECONDS = 20.0
POLL_SECONDS = 0.25  # between two looks of a waiting read at what has come: a store is asked four times a second
_ZEROS = bytes(256 * 1024)


class Arriving(Protocol):
    """See storage.services.arriving.ArrivingUpload."""

    def arrived(self) -> int:
        """Return how many bytes have come."""

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """Yield bytes that have come."""


class Where(Enum):
    """Where bytes of an upload are."""

    COME = auto()
    AHEAD = auto()  # in the index
    MISSING = auto()


def next_piece(start: int, end: int, arrived: int, index: HandedIndex | None) -> tuple[Where, int]:
    """Return where the byte `start` is, and up to which byte, `end` at most, those behind it are there as well."""
    if start < arrived:
        return Where.COME, min(end, arrived)
    if index is None or start >= index.end:
        return Where.MISSING, end
    if start >= index.begin:
        return Where.AHEAD, min(end, index.end)
    return Where.MISSING, min(end, index.begin)


class _View(ABC):
    """A Readable of one upload of `length` bytes; the key that it is asked for is not looked at."""

    def __init__(self, objects: Readable, arriving: Arriving, length: int, index: HandedIndex | None) -> None:
        self._objects = objects
        self._arriving = arriving
        self._length = length
        self.index = index

    def stat(self, key: str) -> ObjectInfo:
        """See ObjectStore.stat: as if it were whole."""
        return ObjectInfo(key, self._length, 0.0)

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:  # noqa: ARG002
        """See Readable.read. Raises what Arriving does."""
        end = self._length if length is None else min(self._length, start + length)
        while start < end:
            for chunk in self._piece(start, *next_piece(start, end, self._arrived(), self.index)):
                yield chunk
                start += len(chunk)

    def _piece(self, start: int, where: Where, end: int) -> Iterator[bytes]:
        if where is Where.COME:
            yield from self._arriving.read(start, end)
        elif where is Where.MISSING or self.index is None:
            yield from self._missing(start, end)
        else:
            yield from self._objects.read(self.index.key, start=start - self.index.begin, length=end - start)

    @abstractmethod
    def _arrived(self) -> int:
        """Return how many bytes count as arrived."""

    @abstractmethod
    def _missing(self, start: int, end: int) -> Iterator[bytes]:
        """Yield something in place of what is missing, or nothing after a while."""


class WaitingView(_View):
    """Reads wait for what is missing. Several threads may use one, and ask the store no more often than one does."""

    def __init__(self, objects: Readable, arriving: Arriving, length: int, index: HandedIndex | None = None) -> None:
        super().__init__(objects, arriving, length, index)
        self._lock = threading.Lock()
        self._known = 0
        self._looked_at = -POLL_SECONDS

    def _piece(self, start: int, where: Where, end: int) -> Iterator[bytes]:
        try:
            yield from super()._piece(start, where, end)
        except ObjectNotFoundError:
            # The index goes when the upload is whole, or has ended: both are found out by the next look.
            self.index = None

    def _arrived(self) -> int:
        with self._lock:
            if time.monotonic() - self._looked_at >= POLL_SECONDS:
                self._known = self._arriving.arrived()
                self._looked_at = time.monotonic()
            return self._known

    def _missing(self, start: int, end: int) -> Iterator[bytes]:  # noqa: ARG002 - whatever is missing
        time.sleep(POLL_SECONDS)
        yield b""


class StandingView(WaitingView):
    """What has not come when the view is made never comes: a tool that reads it is stopped by its time limits."""

    def __init__(self, objects: Readable, arriving: Arriving, length: int, index: HandedIndex | None = None) -> None:
        super().__init__(objects, arriving, length, index)
        self._come = arriving.arrived()

    def _arrived(self) -> int:
        return self._come


class GuessingView(_View):
    """What is missing when the view is made are zeros as long as it lasts, so that two reads never differ."""

    def __init__(self, objects: Readable, arriving: Arriving, length: int, index: HandedIndex | None = None) -> None:
        super().__init__(objects, arriving, length, index)
        self.arrived = arriving.arrived()

    def _arrived(self) -> int:
        return self.arrived

    def _missing(self, start: int, end: int) -> Iterator[bytes]:
        for at in range(start, end, len(_ZEROS)):
            yield _ZEROS[: end - at]
