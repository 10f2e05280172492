"""Waiting on a condition with a deadline, never for a time that hopes."""

from __future__ import annotations

import time
from collections.abc import Callable

_STEP_SECONDS = 0.02


def wait_until(condition: Callable[[], object], *, seconds: float = 10.0, what: str = "the condition") -> None:
    """Return as soon as the condition is true; raise AssertionError once `seconds` have passed."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds} s")
        time.sleep(_STEP_SECONDS)
