"""What counts as standing before a newcomer at the door. Pure.

Four rules:

    before it by order      all of it: encoders do it first (storage.scheduling.fairness)
    behind it, as told      what the bytes of a job told when it was accepted: else ever more would be taken that passes
                            what is here, and what is here would wait without end (docs/simulation-why.md)
    behind it, not told     nothing: a small file that turns out to be twelve hours keeps nobody waiting who passes it
    of one other owner      what is behind counts for no more than OWNER_SHARE of the longest wait, so that one owner's
                            films close the door for nobody else

All of it is made of sums (storage.scheduling.work_sums): those of all jobs reach behind the newcomer's target as far as
was told, and what an owner has too much of that is taken off. Only who has more than the share can have too much.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from storage.scheduling.fairness import START_ALONE_SECONDS, in_flight_after, target, target_delay
from storage.scheduling.work_sums import Sums

# As much of the longest wait as everybody is taken up to, whatever was promised (web.admission.decision BUSY_SHARE).
OWNER_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class OwnersJobs:
    """How many unfinished jobs an owner has, and the latest target of their starts without the leads; None of none."""

    count: int = 0
    latest_start: float | None = None


def newcomer_target(own: OwnersJobs, cost: float, *, capacity: float, now: float) -> float:
    """Return the target of a job of so many encoder-seconds that their owner would bring now (Unix seconds)."""
    in_flight, start = newcomer_start(own, now=now)
    return start + target_delay(cost, capacity, in_flight=in_flight)


def newcomer_start(own: OwnersJobs, *, now: float) -> tuple[float, float]:
    """Return in flight and the start's target of a job that their owner would bring now (Unix seconds)."""
    in_flight = in_flight_after(now, own.count + 1, own.latest_start)
    return in_flight, target(now, START_ALONE_SECONDS, in_flight=in_flight)


def work_before(everybody: Sums, others: Iterable[Sums], *, most: float) -> float:
    """Return the encoder-seconds that count for a newcomer, from the sums at its target.

    `others` are those of each other owner who has more than OWNER_SHARE of `most`, which are the encoder-seconds of the
    longest wait that anybody is to have.
    """
    share = OWNER_SHARE * most
    return everybody.reach - sum(max(0.0, one.reach - max(one.before, share)) for one in others)
