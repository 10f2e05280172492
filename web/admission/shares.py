"""Shares: how much one client may hold of what there is little of. A slow or greedy client hurts only itself."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from storage.errors import AddressShareError
from storage.settings import Settings
from web.admission.decision import share_of
from web.http.retry_after import RETRY_AFTER_SHARE

# What a browser opens to one host at most. A page beside the streams of others is whole even where threads are few.
BROWSER_CONNECTIONS = 6


def client_threads(settings: Settings) -> int:
    """Return how many of the server's threads may work for one client at once."""
    share = share_of(settings.web_threads, settings.address_share)
    return min(settings.web_threads, max(2 * BROWSER_CONNECTIONS, share))


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
