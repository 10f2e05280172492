"""The jobs that are still to come and will go ahead of some that are there. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.scheduling.fairness import START_ALONE_SECONDS, target, target_delay

# How much of their work is counted. A promise is kept if it is off by a quarter at most, either way, and most of the
# time fewer come than on average. Of sixty drawn loads that kept encoders 78 % busy (55 %), 70 (78) % of the ends came
# as promised with nothing counted, 74 (80) % with 0.3, 72 (79) % with 0.5; docs/simulation-why.md.
COUNTED = 0.3
# While a job is made later more of them come, and so on. Each round adds at most a third of the one before it as long
# as no more comes than can be done.
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Newcomers:
    """So many jobs a second from `since` (Unix seconds) on, each of one of these costs in encoder-seconds."""

    since: float = 0.0
    rate: float = 0.0
    costs: tuple[float, ...] = ()


NOBODY = Newcomers()


@dataclass(frozen=True, slots=True)
class Passing:
    """Newcomers of one cost: the `target` of one that came now, and the part of all slots that is counted for them."""

    target: float
    share: float


def passing(newcomers: Newcomers, capacity: float) -> tuple[Passing, ...]:
    """Return what comes, by cost, to slots that deliver `capacity` encoder-seconds a second."""
    start = target(newcomers.since, START_ALONE_SECONDS, in_flight=1.0)
    each = COUNTED * newcomers.rate / capacity / max(1, len(newcomers.costs))
    return tuple(Passing(start + target_delay(cost, capacity, in_flight=1.0), each * cost) for cost in newcomers.costs)


def delayed(ready: float, job_target: float, streams: Sequence[Passing]) -> float:
    """Return in how many seconds a job of this target is ready that would be in `ready` seconds if nobody came.

    Whoever comes goes ahead of it until the target of such a newcomer lies behind the job's own.
    """
    later = ready
    for _ in range(ROUNDS):
        later = ready + sum(each.share * min(later, max(0.0, job_target - each.target)) for each in streams)
    return later
