"""What counts as standing before a newcomer at the door. Pure.

Four rules:

    before it by order      all of it: encoders do it first (storage.scheduling.fairness)
    behind it, as told      what the bytes of a job told when it was accepted: else ever more would be taken that passes
                            what is here, and what is here would wait without end (docs/simulation-why.md)
    behind it, not told     nothing: a small file that turns out to be twelve hours keeps nobody waiting who passes it
    of one other owner      what is behind counts for no more than OWNER_SHARE of the longest wait, so that one owner's
                            films close the door for nobody else
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from storage.scheduling.costs import cost_left, cost_of_bytes
from storage.scheduling.fairness import LEAD_SECONDS, START_ALONE_SECONDS, in_flight_after, target, target_delay
from storage.scheduling.forecast import FIRST_SECONDS, Outlook, target_of

# As much of the longest wait as everybody is taken up to, whatever was promised (web.admission.decision BUSY_SHARE).
OWNER_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Placed:
    """An unfinished job in the order: what is left of its start and of its rest, in encoder-seconds, and their targets.

    Its bytes `told` so much of both when it was accepted. `unled` is the start's target without its lead.
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


def work_before(jobs: Iterable[Placed], owner: str, newcomer: float = inf, *, most: float = inf) -> float:
    """Return the encoder-seconds that count for this owner's newcomer, whose target is told.

    `most` are those of the longest wait that anybody is to have.
    """
    before, behind = defaultdict[str, float](float), defaultdict[str, float](float)
    for job in jobs:
        if job.target < newcomer:
            before[job.owner] += job.start + job.rest
            continue
        first = job.start if job.start_target < newcomer else 0.0
        before[job.owner] += first
        behind[job.owner] += min(job.start + job.rest, job.told) - first
    return sum(_counted(before[one], behind[one], inf if one == owner else OWNER_SHARE * most) for one in before)


def _counted(before: float, behind: float, most: float) -> float:
    """Return what counts of an owner's work: of what stands behind the newcomer no more than fills up to `most`."""
    return max(before, min(before + max(0.0, behind), most))
