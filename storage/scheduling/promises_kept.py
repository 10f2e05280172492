"""How true the promises came that were made when jobs were accepted. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from storage.scheduling.costs import FinishedJob

# A promise came true if it was missed by no more than this part of the time until then, or by so many seconds.
TOLERANCE = 0.25
TOLERANCE_SECONDS = 5.0
LEAST_COMPARED = 5  # of fewer jobs any part would say more than is known


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Of `compared` jobs, the parts whose start and end came as promised (0..1), and by how much ends were missed.

    `late` is the median in seconds, negative where jobs are ready earlier than promised. None of too few jobs.
    """

    compared: int
    start: float | None = None
    ready: float | None = None
    late: float | None = None


def accuracy(finished: Sequence[FinishedJob]) -> Accuracy:
    """Return how true the promises of these jobs came; those that were promised nothing do not count."""
    starts, ends, late = [], [], []
    for job in finished:
        if job.promised_start is None or job.promised_ready is None or job.begun_at is None:
            continue
        starts.append(_came_true(job.queued_at, job.promised_start, job.begun_at))
        ends.append(_came_true(job.queued_at, job.promised_ready, job.ready_at))
        late.append(job.ready_at - job.promised_ready)
    if len(ends) < LEAST_COMPARED:
        return Accuracy(len(ends))
    return Accuracy(len(ends), sum(starts) / len(starts), sum(ends) / len(ends), median(late))


def _came_true(accepted: float, promised: float, came: float) -> bool:
    return abs(came - promised) <= max(TOLERANCE_SECONDS, TOLERANCE * (promised - accepted))
