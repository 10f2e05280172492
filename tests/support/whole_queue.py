"""The queue reckoned from every job in it, as sums of work are to be: the truth that they are compared with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Self

from storage.job_store.contract import JobStore
from storage.scheduling.ahead import OWNER_SHARE, OwnersJobs
from storage.scheduling.costs import NOTHING_MEASURED, Calibration, Work
from storage.scheduling.fairness import LEAD_SECONDS
from storage.scheduling.forecast import Ahead, Forecast, Outlook, estimate, estimated, forecast
from storage.scheduling.line import forecasts
from storage.scheduling.newcomers import NOBODY, Newcomers
from storage.scheduling.work_sums import WorkSums, pieces_of
from storage.services.queue_reading import all_unfinished, works_of


def backlog(store: JobStore) -> tuple[Work, ...]:
    """Return the work of all unfinished jobs that can be read, oldest first."""
    return tuple(work for ids in all_unfinished(store) for work in works_of(store, ids))


def line_of(works: Iterable[Work]) -> WorkSums:
    """Return the sums of these jobs."""
    return WorkSums(map(pieces_of, works))


def outlook_of(
    works: Sequence[Work],
    capacity: float,
    *,
    known: Calibration = NOTHING_MEASURED,
    newcomers: Newcomers = NOBODY,
) -> Outlook:
    """Return what is known of a queue of these jobs."""
    waiting = [work for work in works if work.waits]
    return Outlook(
        capacity=capacity,
        known=known,
        work=sum(work.cost_left for work in works),
        waiting_work=sum(work.cost_left for work in waiting),
        waiting=len(waiting),
        running=len(works) - len(waiting),
        active=tuple(work for work in works if work.out),
        newcomers=newcomers,
    )


def expected(work: Work, capacity: float, known: Calibration = NOTHING_MEASURED) -> Work:
    """Return the job as it counts after an estimate; one without a plan has its target by its bytes."""
    found = estimated(work, estimate(work, Outlook(capacity, known)))
    return found if work.nominal is None else replace(found, target=work.target)


@dataclass(frozen=True, slots=True)
class EstimatedQueue:
    """Unfinished jobs, all estimated, and what is known of them."""

    works: tuple[Work, ...]
    outlook: Outlook

    @classmethod
    def of(
        cls,
        works: Iterable[Work],
        capacity: float,
        *,
        known: Calibration = NOTHING_MEASURED,
        newcomers: Newcomers = NOBODY,
    ) -> Self:
        """Return the queue of these jobs as it is once they are estimated."""
        counted = tuple(expected(work, capacity, known) for work in works)
        return cls(counted, outlook_of(counted, capacity, known=known, newcomers=newcomers))

    @property
    def line(self) -> WorkSums:
        """The sums of the jobs."""
        return line_of(self.works)

    def forecasts(self) -> dict[str, Forecast]:
        """Return the forecast of each job by the sums."""
        found = forecasts(self.line, self.outlook, self.works)
        return {work.job_id: one for work, one in zip(self.works, found, strict=True)}


def true_forecasts(works: Sequence[Work], outlook: Outlook) -> dict[str, Forecast]:
    """Return the forecast of each job, from all of them in the order in which encoders take them."""
    pieces = [(work.start_target, False, place, work) for place, work in enumerate(works) if work.waits]
    pieces += [(work.target, True, place, work) for place, work in enumerate(works)]
    done_before: dict[tuple[str, bool], float] = {}
    done = 0.0
    for _, is_body, _, work in sorted(pieces, key=lambda piece: piece[:3]):
        mine = 0.0 if is_body is False or not work.waits else work.start_left
        done_before[work.job_id, is_body] = done - mine
        done += work.cost_left - work.start_left if is_body else work.start_left
    everything = sum(work.cost_left for work in works)
    return {
        work.job_id: forecast(
            work,
            Ahead(
                start=done_before.get((work.job_id, False), 0.0),
                rest=done_before[work.job_id, True],
                everything=everything - work.cost_left,
            ),
            outlook,
        )
        for work in works
    }


def true_work_before(works: Iterable[Work], owner: str, newcomer: float, *, most: float) -> float:
    """Return the encoder-seconds that count for this owner's newcomer, owner by owner, job by job."""
    before, behind = defaultdict[str, float](float), defaultdict[str, float](float)
    for work in works:
        left, start = work.cost_left, work.start_left
        told = max(min(left, work.told * work.left), start)
        if work.target < newcomer:
            before[work.owner] += left
            continue
        first = start if work.start_target < newcomer else 0.0
        before[work.owner] += first
        behind[work.owner] += told - first
    shares = {one: inf if one == owner else OWNER_SHARE * most for one in before}
    return sum(max(before[one], min(before[one] + behind[one], share)) for one, share in shares.items())


def owners_jobs(works: Iterable[Work], owner: str) -> OwnersJobs:
    """Return what an owner has in a queue of these jobs."""
    unled = [work.start_target + LEAD_SECONDS[work.priority] for work in works if work.owner == owner]
    return OwnersJobs(len(unled), max(unled, default=None))
