"""One part on its way to the store while the next one comes in: the line is not idle while the store writes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class InFlight:
    """Sends one thing at a time beside its caller, who waits before the next: so two parts are held at most."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None  # most uploads of a test, and all manifests, are below a part
        self._sent: Future[object] | None = None

    def send(self, call: Callable[[], object]) -> None:
        """Begin the call once the one before it is over. Raises what that one did."""
        self.wait()
        self._pool = self._pool or ThreadPoolExecutor(1, thread_name_prefix="part")
        self._sent = self._pool.submit(call)

    def wait(self) -> None:
        """Wait until the last call is over. Raises what it did, once."""
        sent, self._sent = self._sent, None
        if sent is not None:
            sent.result()

    def close(self) -> None:
        """Wait for the last call, whatever becomes of it, and end the thread."""
        if self._pool is not None:
            self._pool.shutdown()
