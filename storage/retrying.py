"""Persevering: a call to a server is repeated through an outage for as long as its process was told to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from storage.errors import BusyError

_Answer = TypeVar("_Answer")

_FIRST_PAUSE_SECONDS = 0.025  # doubled before each pause
_LONGEST_PAUSE_SECONDS = 1.0  # so that work goes on within a second of the server coming back
_MIN_TIMEOUT_SECONDS = 0.5  # less would take a slow disk (every write waits for it) for an outage
_MAX_TIMEOUT_SECONDS = 5.0  # a frozen server answers nothing; longer would only delay the next try


@dataclass(frozen=True, slots=True)
class Outage:
    """How a server's being away shows (`failures`), which of them `pass`, and the error they end in.

    `detail` is what operators read of it.
    """

    failures: tuple[type[Exception], ...]
    passes: Callable[[Exception], bool]
    error: type[BusyError]
    detail: str


def socket_timeout(patience: float) -> float:
    """Return after how many seconds one try counts as failed."""
    return min(max(patience, _MIN_TIMEOUT_SECONDS), _MAX_TIMEOUT_SECONDS)


def retry_until(command: Callable[[], _Answer], outage: Outage, *, patience: float) -> _Answer:
    """Return what the command returns; it is repeated while the server is away, so it must bear being sent twice.

    Raises the outage's error when `patience` seconds are over (at most one socket timeout and one pause later), and at
    once for a failure that does not pass.
    """
    deadline = time.monotonic() + patience

    def give_up(error: Exception) -> None:
        if time.monotonic() >= deadline:
            raise error

    pauses = ExponentialBackoff(cap=_LONGEST_PAUSE_SECONDS, base=_FIRST_PAUSE_SECONDS)
    try:
        retry = Retry(pauses, -1, supported_errors=outage.failures)
        return retry.call_with_retry(command, give_up, is_retryable=outage.passes)
    except outage.failures as error:
        raise outage.error(detail=f"{outage.detail} {error}") from error
