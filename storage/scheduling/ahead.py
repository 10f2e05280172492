"""What stands before a newcomer: the work that encoders do first, in the order of targets. Pure.

A newcomer is kept waiting by what is worked on before it, and by nothing else. So another owner's film is
no reason to refuse a clip that passes it (storage.scheduling.fairness), nor is a small file that is twelve hours long.

An owner's own jobs count for as much as their bytes told when they were accepted, even those that the newcomer passes:
else somebody could bring film after film, each a little shorter than the last. What only the plan told counts by order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from storage.scheduling.costs import cost_left, cost_of_bytes
from storage.scheduling.fairness import LEAD_SECONDS, START_ALONE_SECONDS, in_flight_after, target, target_delay
from storage.scheduling.forecast import FIRST_SECONDS, Outlook, target_of


@dataclass(frozen=True, slots=True)
class Placed:
    """An unfinished job in the order: what is left of its start and of its rest, in encoder-seconds, and their targets.

    Of the rest its owner was `told` so much when it was accepted. `unled` is the start's target without its lead.
    """

    owner: str
    start_target: float
    unled: float
    start: float
    target: float
    rest: float
    told: float


def placed(outlook: Outlook) -> tuple[Placed, ...]:
    """Return all jobs of the queue in their places."""
    found = []
    for work in outlook.backlog:
        left = cost_left(work, outlook.known)
        start = min(left, FIRST_SECONDS * outlook.known.pace) if work.waits else 0.0
        found.append(
            Placed(
                owner=work.owner,
                start_target=work.start_target,
                unled=work.start_target + LEAD_SECONDS[work.priority],
                start=start,
                target=target_of(work, outlook),
                rest=left - start,
                told=cost_of_bytes(work.size, outlook.known) * work.left,
            )
        )
    return tuple(found)


def newcomer_target(jobs: Iterable[Placed], owner: str, cost: float, *, capacity: float, now: float) -> float:
    """Return the target of a job of so many encoder-seconds that this owner would bring now (Unix seconds)."""
    own = [job.unled for job in jobs if job.owner == owner]
    in_flight = in_flight_after(now, len(own) + 1, max(own, default=None))
    start = target(now, START_ALONE_SECONDS, in_flight=in_flight)
    return start + target_delay(cost, capacity, in_flight=in_flight)


def work_before(jobs: Iterable[Placed], owner: str, newcomer: float = inf) -> float:
    """Return the encoder-seconds that stand before this owner's newcomer, whose target is told."""
    return sum(_counted(job, owner, newcomer) for job in jobs)


def _counted(job: Placed, owner: str, newcomer: float) -> float:
    if job.target < newcomer:
        return job.start + job.rest
    if job.owner == owner:
        return job.start + min(job.rest, job.told)
    return job.start if job.start_target < newcomer else 0.0
