"""Redis with patience: every call perseveres through an outage for as long as its process was told to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis
from kombu.exceptions import OperationalError
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry

from storage.errors import JobStoreDownError

_Answer = TypeVar("_Answer")

_FIRST_PAUSE_SECONDS = 0.025  # doubled before each pause
_LONGEST_PAUSE_SECONDS = 1.0  # so that work goes on within a second of Redis coming back
_MIN_TIMEOUT_SECONDS = 0.5  # less would take a slow disk (appendfsync always) for an outage
_MAX_TIMEOUT_SECONDS = 5.0  # a frozen Redis answers nothing; longer would only delay the next try
_HEALTH_CHECK_SECONDS = 15  # a connection idle for longer is asked before it is used
_MAX_CONNECTIONS = 1024  # above the threads of any process; the library's 100 would refuse a busy web service

# OperationalError is what kombu makes of a connection error while it publishes.
_FAILURES = (redis.RedisError, OperationalError, OSError)
_AWAY = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.ReadOnlyError,
    redis.OutOfMemoryError,
    OperationalError,
    OSError,
)
_FOR_GOOD = (redis.AuthenticationError, redis.exceptions.AuthorizationError)
# Other refusals that pass: disk full, a script that hogs the server, replicas and clusters that are being arranged.
_PASSING = ("MISCONF", "BUSY", "NOREPLICAS", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN")


def socket_timeout(patience: float) -> float:
    """Return after how many seconds one try at Redis counts as failed."""
    return min(max(patience, _MIN_TIMEOUT_SECONDS), _MAX_TIMEOUT_SECONDS)


def persevere(command: Callable[[], _Answer], *, patience: float) -> _Answer:
    """Return what the command returns; it is repeated while Redis is away, so it must bear being sent twice.

    Raises JobStoreDownError when `patience` seconds are over (at most one socket timeout and one pause later), and at
    once when Redis refuses for good.
    """
    deadline = time.monotonic() + patience

    def give_up(error: Exception) -> None:
        if time.monotonic() >= deadline:
            raise error

    pauses = ExponentialBackoff(cap=_LONGEST_PAUSE_SECONDS, base=_FIRST_PAUSE_SECONDS)
    try:
        return Retry(pauses, -1, supported_errors=_FAILURES).call_with_retry(command, give_up, is_retryable=_passes)
    except _FAILURES as error:
        raise JobStoreDownError("Redis does not answer or refuses to write.", detail=str(error)) from error


class PatientRedis:
    """A client whose calls go through `call`; nothing connects before the first."""

    def __init__(self, url: str, *, patience: float) -> None:
        self._patience = patience
        self.timeout = socket_timeout(patience)
        # Any: the library types an answer as the union of what all its protocols and options give.
        self.client: Any = redis.Redis.from_url(
            url,
            decode_responses=True,
            protocol=2,  # RESP3 brings only push messages that nobody here reads, and other shapes of answers
            socket_timeout=self.timeout,
            socket_connect_timeout=self.timeout,
            health_check_interval=_HEALTH_CHECK_SECONDS,
            max_connections=_MAX_CONNECTIONS,
            retry=Retry(NoBackoff(), 0),  # the library counts tries, at two levels that multiply; `persevere`, seconds
        )

    def call(self, command: Callable[[], _Answer]) -> _Answer:
        """Return what the command returns, as `persevere` does. Raises JobStoreDownError."""
        return persevere(command, patience=self._patience)


def _passes(error: Exception) -> bool:
    if isinstance(error, _FOR_GOOD):
        return False
    return isinstance(error, _AWAY) or str(error).startswith(_PASSING)
