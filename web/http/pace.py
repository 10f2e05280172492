"""How long a request's body may take: a deadline for forms, a least rate for uploads.

What the object store takes to write a part is not the client's fault: only the seconds count that reads waited.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from storage.errors import RequestTooSlowError, UploadTooSlowError
from web.http.retry_after import RETRY_AFTER_SLOW

SLICES = 12  # of the window: exact enough, and a client that sends single bytes does not fill memory


class Pace(Protocol):
    """What is asked of a client that sends a body."""

    def patience(self) -> float:
        """Return for how many seconds the next read may wait."""

    def came(self, waited: float, count: int) -> None:
        """Note that so many bytes came after a wait of so many seconds; raise a BusyError if that is too slow."""

    def silent(self) -> Exception:
        """Return what is raised when a read has waited for all of its patience."""


@dataclass(slots=True)
class FormPace:
    """A body that must be there within so many `seconds` of waiting."""

    seconds: float

    def patience(self) -> float:
        """See Pace.patience."""
        return max(self.seconds, 0.001)

    def came(self, waited: float, count: int) -> None:  # noqa: ARG002 - a byte gives no more time
        """See Pace.came."""
        self.seconds -= waited
        if self.seconds <= 0:
            raise RequestTooSlowError(retry_after=RETRY_AFTER_SLOW)

    def silent(self) -> Exception:
        """See Pace.silent."""
        return RequestTooSlowError(retry_after=RETRY_AFTER_SLOW)


@dataclass(slots=True)
class UploadPace:
    """A body that brings `least` bytes a second, on average over the last `window` seconds of waiting.

    Phones pause: in a tunnel, or when the screen goes dark. So nothing is asked before the first window is over, and a
    pause of nearly a window is made up for by what comes before or after it.
    """

    least: float
    window: float
    _waited: float = 0.0
    _came: int = 0
    _slices: deque[tuple[float, int]] = field(default_factory=deque)  # when each began, and bytes until then

    def patience(self) -> float:
        """See Pace.patience: a silence is judged by itself."""
        return self.window

    def came(self, waited: float, count: int) -> None:
        """See Pace.came."""
        self._waited += waited
        if not self._slices or self._waited - self._slices[-1][0] >= self.window / SLICES:
            self._slices.append((self._waited, self._came))
        self._came += count
        while len(self._slices) > 1 and self._slices[1][0] <= self._waited - self.window:
            self._slices.popleft()
        began, before = self._slices[0]
        if began <= self._waited - self.window and self._came - before < self.least * self.window:
            raise UploadTooSlowError(retry_after=RETRY_AFTER_SLOW)

    def silent(self) -> Exception:
        """See Pace.silent."""
        return TimeoutError("the client fell silent")


class PacedSocket:
    """The reading side of a client's socket, for the time of one request; what gunicorn's reader asks of a socket."""

    def __init__(self, sock: socket.socket, pace: Pace, *, write_seconds: float) -> None:
        self._sock = sock
        self._pace = pace
        self._write_seconds = write_seconds  # the same socket's timeout is that of its writes

    def recv(self, size: int) -> bytes:
        """Return the next bytes, none at the end. Raises what the pace says, or OSError."""
        self._sock.settimeout(self._pace.patience())
        began = time.monotonic()
        try:
            data = self._sock.recv(size)
        except TimeoutError:
            raise self._pace.silent() from None
        finally:
            self._sock.settimeout(self._write_seconds)
        if data:
            self._pace.came(time.monotonic() - began, len(data))
        return data
