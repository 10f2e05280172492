"""The queue as a queue: how many jobs come, how many are served, and whether the figures agree. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean

SAMPLE_SECONDS = 10.0  # a burst of a minute shows; an hour of them is some kilobytes
SAMPLES_KEPT = 360  # an hour
GAP_SECONDS = 60.0  # between two samples further apart nobody looked, and anything may have happened
# Less of a full queue than this says more of when segments happened to end than of the rate.
MEASURED_SECONDS = 60.0
LEAST_EFFICIENCY, MOST_EFFICIENCY = 0.2, 1.2  # beyond them something was disturbed, not measured


@dataclass(frozen=True, slots=True)
class Totals:
    """Counted since the job store was new: jobs that came and ended, seconds those were there, what encoders delivered.

    `delivered` are encoder-seconds of finished tasks; `refused` are uploads by the code of the refusal.
    """

    arrived: int = 0
    ended: int = 0
    stayed: float = 0.0
    delivered: float = 0.0
    refused: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """The queue at a moment (Unix seconds): jobs, encoder-seconds, predicted wait, slots; and the totals until then."""

    at: float
    waiting: int
    running: int
    waiting_work: float
    running_work: float
    wait: float
    slots: int
    busy: int
    arrived: int
    ended: int
    stayed: float
    delivered: float
    refused: int

    @property
    def jobs(self) -> int:
        """Jobs in the system."""
        return self.waiting + self.running


@dataclass(frozen=True, slots=True)
class Rates:
    """What the samples of `seconds` say: rates in jobs a second, jobs on average, seconds that a job stayed on average.

    None where nothing happened that it could be measured by.
    """

    seconds: float
    arrival: float | None = None
    finished: float | None = None
    jobs: float | None = None
    stay: float | None = None

    @property
    def jobs_by_little(self) -> float | None:
        """Little's law: on average as many jobs are there as come while one stays."""
        return None if self.arrival is None or self.stay is None else self.arrival * self.stay


def before_first(sample: Sample) -> Sample:
    """Return what a new store's first sample is compared with: the empty queue, one interval earlier.

    What came and went until then was counted from nothing, so without it the first jobs would belong to no rate.
    """
    return Sample(
        at=sample.at - SAMPLE_SECONDS,
        waiting=0,
        running=0,
        waiting_work=0.0,
        running_work=0.0,
        wait=0.0,
        slots=sample.slots,
        busy=0,
        arrived=0,
        ended=0,
        stayed=0.0,
        delivered=0.0,
        refused=0,
    )


def rates(samples: Sequence[Sample]) -> Rates:
    """Return what the samples (oldest first) say; counters that went back belong to another store."""
    seconds = samples[-1].at - samples[0].at if samples else 0.0
    if seconds <= 0:
        return Rates(0.0)
    first, last = samples[0], samples[-1]
    ended = last.ended - first.ended
    if ended < 0 or last.arrived < first.arrived:
        return Rates(seconds)
    return Rates(
        seconds=seconds,
        arrival=(last.arrived - first.arrived) / seconds,
        finished=ended / seconds,
        jobs=fmean(sample.jobs for sample in samples),
        stay=(last.stayed - first.stayed) / ended if ended else None,
    )


def efficiency(samples: Sequence[Sample]) -> float:
    """Return what a slot delivers in encoder-seconds a second while all are busy, as the samples (oldest first) show.

    Below 1 where time goes into failed attempts and between tasks; 1 as long as too little of it was seen.
    """
    offered = delivered = 0.0
    for before, after in pairwise(samples):
        seconds = after.at - before.at
        if _is_full(before) and _is_full(after) and before.slots == after.slots and 0 < seconds < GAP_SECONDS:
            offered += before.slots * seconds
            delivered += max(0.0, after.delivered - before.delivered)
    if offered < MEASURED_SECONDS * max((1, *(sample.slots for sample in samples))):
        return 1.0
    return min(MOST_EFFICIENCY, max(LEAST_EFFICIENCY, delivered / offered))


def _is_full(sample: Sample) -> bool:
    return 0 < sample.slots <= sample.busy
