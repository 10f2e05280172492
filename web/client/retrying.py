"""Whether a request is tried again, and when: pure decisions on what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from web.client.statuses import Status

BASE_SECONDS = 0.5  # a line that broke is often there again at once
LONGEST_SECONDS = 15.0  # a server that is started again should not wait longer for its clients
# A machine is started again in less; whoever waits longer for a server wants to know that it is away.
PATIENCE_SECONDS = 300.0
MOST_UPLOADS = 5  # uploads of one file that the server lost: more is no accident

# What passes by itself: too slow, another request holds the upload, its offset or checksum is another one, faults of
# the server or of what stands in front of it.
_PASSING = frozenset(
    {
        Status.REQUEST_TIMEOUT,
        Status.CONFLICT,
        Status.LOCKED,
        Status.CHECKSUM_MISMATCH,
        Status.TOO_MANY_REQUESTS,
        Status.INTERNAL_SERVER_ERROR,
        Status.BAD_GATEWAY,
        Status.SERVICE_UNAVAILABLE,
        Status.GATEWAY_TIMEOUT,
    }
)
_TOLD = frozenset({Status.TOO_MANY_REQUESTS, Status.SERVICE_UNAVAILABLE})
_GONE = frozenset({Status.NOT_FOUND, Status.GONE})


@dataclass(frozen=True, slots=True)
class Failed:
    """What came of a request: the answer's status, None where there was none, and the seconds of its Retry-After."""

    status: int | None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Tries:
    """What came before: failures in a row without progress, for how many seconds there was none, uploads begun.

    `reached` tells whether the server has ever answered; `waited` are seconds waited because it said so.
    """

    failures: int = 0
    stuck_seconds: float = 0.0
    begun: int = 0
    reached: bool = False
    waited: float = 0.0


@dataclass(frozen=True, slots=True)
class Again:
    """Try again in so many seconds; `anew` with another upload. `asked` tells that the server named the time."""

    seconds: float
    anew: bool = False
    asked: bool = False


def decide(failed: Failed, tries: Tries, *, chance: float, most_wait: float | None = None) -> Again | None:
    """Return when to try again, None to give up.

    A server that says when is believed, as long as that is within `most_wait` seconds altogether (None: always): it
    keeps a turn for this client. `chance`, 0 to 1, spreads clients that were cut off together.
    """
    if failed.status in _GONE:
        return Again(0.0, anew=True) if 0 < tries.begun < MOST_UPLOADS else None
    if failed.status in _TOLD and failed.retry_after is not None:
        within = most_wait is None or tries.waited + failed.retry_after <= most_wait
        return Again(failed.retry_after, asked=True) if within else None
    passing = tries.reached if failed.status is None else failed.status in _PASSING
    if not passing or tries.stuck_seconds > PATIENCE_SECONDS:
        return None
    return Again(max(backoff(tries.failures, chance), failed.retry_after or 0.0))


def backoff(failures: int, chance: float) -> float:
    """Return the seconds before the next try: twice as many after each failure, half of them by chance."""
    seconds = min(LONGEST_SECONDS, BASE_SECONDS * 2.0 ** min(failures, 16))
    return seconds * (0.5 + chance / 2)
