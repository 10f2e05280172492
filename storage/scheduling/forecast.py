"""When waiting jobs will start and be ready, and how long a new one would wait. Pure.

Encoders take the job with the earliest target (storage.scheduling.fairness), each job's start being a small job of its
own. So what is done before a job's next task is the work of all that stand before it, which is one sum
(storage.scheduling.work_sums). Beside it count the tasks that were handed out already, of whichever job, as nothing
interrupts them, and what smaller jobs bring that are still to come (storage.scheduling.newcomers).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, inf

from storage.model.job import Promise
from storage.scheduling.costs import (
    FIRST_SECONDS,
    NOTHING_MEASURED,
    Calibration,
    Estimate,
    Work,
    cost_of_bytes,
    whole_cost,
)
from storage.scheduling.fairness import target_delay
from storage.scheduling.newcomers import NOBODY, Newcomers, delayed, passing
from storage.scheduling.work_sums import MICROSECONDS, Pieces, Sums, key_of

SEGMENT_SECONDS = 10.0  # of a job without a plan: segments have 15 s at most, and smaller ones come at the end
PLAN_SECONDS = 1.0  # probing and reading the packets' times
PACKAGE_SECONDS = 1.0  # checking, joining and storing; and for each encoder-second that the job cost:
PACKAGE_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class Forecast:
    """Seconds from now until an encoder begins with a job (0 once one has), and until it is ready."""

    start: float
    ready: float


@dataclass(frozen=True, slots=True)
class Ahead:
    """Encoder-seconds of other jobs: those before a job's start, before its rest, and all there are."""

    start: float = 0.0
    rest: float = 0.0
    everything: float = 0.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known of the queue at a moment: its unfinished jobs in sums, and who does them.

    `work` are their encoder-seconds, `waiting_work` those of the `waiting` ones, with which encoders have still to
    begin; the others are `running`. Of the `active` jobs something was handed out. `capacity` is what all slots
    together deliver, in encoder-seconds a second; above 0. `newcomers` are expected.
    """

    capacity: float
    known: Calibration = NOTHING_MEASURED
    work: float = 0.0
    waiting_work: float = 0.0
    waiting: int = 0
    running: int = 0
    active: tuple[Work, ...] = ()
    newcomers: Newcomers = NOBODY

    @property
    def wait(self) -> float:
        """Seconds until all of it is done: the predicted wait of a job that comes now."""
        return self.work / self.capacity


def ahead_of(work: Work, at_start: Sums, at_target: Sums, everything: float, counted: Pieces | None) -> Ahead:
    """Return what other jobs have before this one, from the sums before its two targets and the work of all.

    `counted` is what the job itself counts for in these sums, None for one that is not in them.
    """
    own = [] if counted is None else [(counted.start_key, counted.start), (counted.target_key, counted.rest)]

    def others(found: float, key: float) -> float:
        return max(0.0, found - sum(amount for at, amount in own if at < key) / MICROSECONDS)

    return Ahead(
        start=others(at_start.before, key_of(work.start_target)),
        rest=others(at_target.before, key_of(work.target)),
        everything=others(everything, inf),
    )


def forecast(work: Work, ahead: Ahead, outlook: Outlook) -> Forecast:
    """Return the forecast of a job that has so much work of others ahead."""
    handed_out, streams = _handed_out(outlook), passing(outlook.newcomers, outlook.capacity)
    start = 0.0
    if work.waits:
        begins = max(_planning(work), handed_out.free_in, ahead.start / outlook.capacity)
        start = begins + work.start_left / outlook.capacity
    done = ahead.rest + work.cost_left + handed_out.behind(work)
    encoded = _encoded(work, outlook, done=done, start=start, beside=ahead.everything)
    return Forecast(start, delayed(encoded, work.target, streams) + _packaging(work, outlook))


@dataclass(frozen=True, slots=True)
class _HandedOut:
    """What slots do first, whoever comes: encoder-seconds by the targets of jobs; seconds until a slot is free."""

    jobs: tuple[tuple[int, str, float], ...] = ()
    free_in: float = 0.0

    def behind(self, work: Work) -> float:
        """Return the encoder-seconds of jobs that stand behind this one otherwise."""
        key = key_of(work.target)
        return sum(seconds for at, job_id, seconds in self.jobs if at > key and job_id != work.job_id)


def _handed_out(outlook: Outlook) -> _HandedOut:
    """Return what is at the broker and in work; nothing while a slot is free, as nobody waits for it then."""
    jobs, in_work = [], []
    for work in (work for work in outlook.active if work.out):
        held, picture = {field for field, _ in work.held}, _picture_seconds(work)
        in_work += [frames * picture for field, frames in work.out if field in held]
        jobs.append((key_of(work.target), work.job_id, picture * sum(frames for _, frames in work.out)))
    return _HandedOut(tuple(jobs), min(in_work)) if len(in_work) >= outlook.capacity else _HandedOut()


def _picture_seconds(work: Work) -> float:
    """Return what a picture of the job costs once it is begun."""
    return max(0.0, work.cost - work.start_cost) / max(1, work.frames)


def _encoded(work: Work, outlook: Outlook, *, done: float, start: float, beside: float) -> float:
    """Return when the job is encoded: with itself and all before it `done`, and `beside` of other jobs."""
    left = work.cost_left
    segments = _segments_left(work, outlook)
    # No two slots share the last segment, which may end by so much later than the work does (Graham, "Bounds on
    # multiprocessing timing anomalies", 1969). A job that is alone ends with small ones, and threads for idle cores.
    last = min(left / segments, beside) * max(0.0, 1.0 - 1.0 / outlook.capacity)
    # Towards its end a job has fewer segments than there are slots.
    return max(done / outlook.capacity + last, start + left / min(outlook.capacity, segments))


def _packaging(work: Work, outlook: Outlook) -> float:
    return PACKAGE_SECONDS + PACKAGE_SHARE * work.cost / outlook.capacity


def promised(forecast: Forecast, *, now: float) -> Promise:
    """Return the forecast as times on the clock of `now` (Unix seconds)."""
    return Promise(now + forecast.start, now + forecast.ready)


def estimate(work: Work, outlook: Outlook) -> Estimate:
    """Return what is expected of a job by what is known now; what its bytes told once stays."""
    known, cost = outlook.known, whole_cost(work, outlook.known)
    return Estimate(
        cost=cost,
        start=FIRST_SECONDS * known.pace,
        told=work.told or cost_of_bytes(work.size, known),
        delay=target_delay(cost, outlook.capacity, in_flight=1.0),
    )


def estimated(work: Work, expected: Estimate) -> Work:
    """Return a job as it counts once so much is expected of it, with the target that follows from that."""
    later = work.start_target + expected.delay * work.in_flight
    return replace(work, cost=expected.cost, start_cost=expected.start, told=expected.told, target=later)


def _planning(work: Work) -> float:
    return PLAN_SECONDS if work.nominal is None else 0.0


def _segments_left(work: Work, outlook: Outlook) -> int:
    """Return how many segments the job still needs; at least one."""
    by_cost = work.cost_left / (SEGMENT_SECONDS * outlook.known.pace)
    return max(1, ceil(work.segments * work.left if work.segments else by_cost))
