"""What is asked of the line of jobs: their forecasts, and how much counts for a newcomer at the door. Pure.

Each question is a few sums (storage.scheduling.work_sums), whoever keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence

from storage.model.job import JobState
from storage.scheduling.ahead import OWNER_SHARE, OwnersJobs, newcomer_start, work_before
from storage.scheduling.costs import Estimate, Work
from storage.scheduling.forecast import Forecast, Outlook, ahead_of, estimate, estimated, forecast
from storage.scheduling.work_sums import Pieces, Point, WorkLine, pieces_of


def forecasts(line: WorkLine, outlook: Outlook, works: Sequence[Work]) -> list[Forecast]:
    """Return the forecast of each work that counts in the line."""
    points = [Point(target) for work in works for target in (work.start_target, work.target)]
    sums = iter(line.sums(points))
    return [
        forecast(work, ahead_of(work, next(sums), next(sums), outlook.work, pieces_of(work)), outlook) for work in works
    ]


def estimate_new(outlook: Outlook, size: int) -> Estimate:
    """Return what is expected of a job of so many bytes that has no plan."""
    return estimate(Work("", "", JobState.QUEUED, size), outlook)


def forecast_new(line: WorkLine, outlook: Outlook, size: int, own: OwnersJobs, *, now: float) -> Forecast:
    """Return the forecast of a job of so many bytes that an owner who has these jobs would bring now (Unix seconds)."""
    return forecast_with(line, outlook, _new_work(outlook, size, own, now), None)


def forecast_with(line: WorkLine, outlook: Outlook, work: Work, counted: Pieces | None) -> Forecast:
    """Return the forecast of a job as it is to be, that counts in the line for something else now, None for nothing."""
    at_start, at_target = line.sums([Point(work.start_target), Point(work.target)])
    return forecast(work, ahead_of(work, at_start, at_target, outlook.work, counted), outlook)


def _new_work(outlook: Outlook, size: int, own: OwnersJobs, now: float) -> Work:
    in_flight, start = newcomer_start(own, now=now)
    new = Work("", "", JobState.QUEUED, size, in_flight=in_flight, start_target=start)
    return estimated(new, estimate(new, outlook))


def work_for(line: WorkLine, owner: str, newcomer: float, *, most: float) -> float:
    """Return the encoder-seconds that count for an owner's newcomer, whose target is told (storage.scheduling.ahead).

    `most` are those of the longest wait that anybody is to have.
    """
    others = [one for one in line.owners_over(OWNER_SHARE * most) if one != owner]
    everybody, *sums = line.sums([Point(newcomer), *(Point(newcomer, one) for one in others)])
    return work_before(everybody, sums, most=most)
