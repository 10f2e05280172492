"""Redis with patience: every call perseveres through an outage for as long as its process was told to."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any, TypeVar

import redis
from kombu.exceptions import OperationalError
from redis.backoff import NoBackoff
from redis.retry import Retry

from storage.errors import JobStoreDownError, RecordError
from storage.retrying import Outage, retry_until, socket_timeout

_Answer = TypeVar("_Answer")

_HEALTH_CHECK_SECONDS = 15  # a connection idle for longer is asked before it is used
_MAX_CONNECTIONS = 1024  # above the threads of any process; the library's 100 would refuse a busy web service

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

_OF_DATA = ("WRONGTYPE", "user_script:", "hash value is not")


def _passes(error: Exception) -> bool:
    if isinstance(error, _FOR_GOOD):
        return False
    return isinstance(error, _AWAY) or str(error).startswith(_PASSING)


REDIS_AWAY = Outage(
    # OperationalError is what kombu makes of a connection error while it publishes.
    failures=(redis.RedisError, OperationalError, OSError),
    passes=_passes,
    error=JobStoreDownError,
    detail="Redis does not answer or refuses to write.",
)


class PatientRedis:
    """A client whose calls go through `call`; nothing connects before the first."""

    def __init__(self, url: str, *, patience: float) -> None:
        self.patience = patience
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
            retry=Retry(
                NoBackoff(), 0
            ),  # the library counts tries, at two levels that multiply; `retry_until`, seconds
        )

    def now(self) -> float:
        """Return Unix seconds by Redis' own clock. Raises JobStoreDownError."""
        seconds, microseconds = self.call(self.client.time)
        return float(seconds) + float(microseconds) / 1_000_000

    def call(self, command: Callable[[], _Answer]) -> _Answer:
        """Return what the command returns, as `retry_until` does.

        Raises JobStoreDownError, and RecordError where it is the data that Redis could not work with.
        """
        try:
            return retry_until(command, REDIS_AWAY, patience=self.patience)
        except JobStoreDownError as error:
            if _is_of_data(error.__cause__):
                raise RecordError(detail=str(error.__cause__)) from error
            raise


def _is_of_data(error: BaseException | None) -> bool:
    """Tell whether a key holds something of another type, or a script stumbled over what it read: no outage."""
    return isinstance(error, redis.ResponseError) and any(word in str(error) for word in _OF_DATA)


def load_script(package: str, name: str) -> str:
    """Return the text of a Lua script in the package's folder `lua`."""
    return files(package).joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
