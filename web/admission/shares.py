"""Shares: how much one client may hold of what there is little of. A slow or greedy client hurts only itself."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from storage.errors import AddressShareError
from web.admission.decision import RETRY_AFTER_SHARE


class Shares:
    """What each client holds of one thing, at most `limit` each. Safe between threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def hold(self, client: str) -> Iterator[None]:
        """Hold one more for the client while the context lasts. Raises AddressShareError if it has its share."""
        with self._lock:
            if self._held[client] >= self._limit:
                raise AddressShareError(retry_after=RETRY_AFTER_SHARE)
            self._held[client] += 1
        try:
            yield
        finally:
            with self._lock:
                self._held[client] -= 1
                if not self._held[client]:
                    del self._held[client]
