"""A line that passes what clients send at a given rate, as homes have them."""

from __future__ import annotations

import threading
import time

from tests.support.held_line import HeldLine


class PacedLine(HeldLine):
    """A TCP proxy before one server; all clients together send no more than `rate` bytes a second."""

    def __init__(self, port: int, rate: float) -> None:
        super().__init__(port, 0)
        self._rate = rate
        self._free_at = 0.0
        self._pacing = threading.Lock()

    def _hold(self, size: int) -> None:
        with self._pacing:
            self._free_at = max(self._free_at, time.monotonic()) + size / self._rate
            wait = self._free_at - time.monotonic()
        time.sleep(max(0.0, wait))
