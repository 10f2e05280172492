"""When waiting jobs will start and be ready, and how long a new one would wait. Pure.

Encoders take the job with the earliest target (storage.scheduling.fairness), each job's start being a small job of its
own. So what is done before a job's next task is the work of all that stand before it, and nothing else but the tasks
that were handed out already, of whichever job, as nothing interrupts them, and what smaller jobs bring that are still
to come (storage.scheduling.newcomers).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil

from storage.model.job import JobState, Promise
from storage.scheduling.costs import Calibration, Work, cost_left, whole_cost
from storage.scheduling.fairness import (
    START_ALONE_SECONDS,
    in_flight_beside,
    target,
    target_delay,
)
from storage.scheduling.newcomers import NOBODY, Newcomers, delayed, passing

# On the machine of storage.scheduling.costs: poster, sound and the short first segment, the start of a job.
FIRST_SECONDS = 2.5
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
class Outlook:
    """What is known of the queue at a moment: the work of the unfinished jobs, oldest first, and who does it.

    `capacity` is what all slots together deliver, in encoder-seconds a second; above 0. `newcomers` are expected.
    """

    backlog: tuple[Work, ...]
    known: Calibration
    capacity: float
    newcomers: Newcomers = NOBODY

    @property
    def work(self) -> float:
        """Encoder-seconds that are still to be done."""
        return self._cost_of(self.backlog)

    @property
    def waiting(self) -> tuple[Work, ...]:
        """Jobs with which encoders have still to begin."""
        return tuple(work for work in self.backlog if work.waits)

    @property
    def waiting_work(self) -> float:
        """Encoder-seconds of those."""
        return self._cost_of(self.waiting)

    def _cost_of(self, works: Iterable[Work]) -> float:
        return sum(cost_left(work, self.known) for work in works)

    @property
    def wait(self) -> float:
        """Seconds until all of it is done: the predicted wait of a job that comes now."""
        return self.work / self.capacity


def forecasts(outlook: Outlook) -> dict[str, Forecast]:
    """Return the forecast of each job in the backlog by its id."""
    handed_out, streams = _handed_out(outlook), passing(outlook.newcomers, outlook.capacity)
    total, behind = outlook.work, sum(handed_out.by_job.values())
    done, starts, made = 0.0, dict[str, float](), {}
    for due, is_body, _, work in sorted(_pieces(outlook)):
        left = cost_left(work, outlook.known)
        first = min(left, FIRST_SECONDS * outlook.known.pace) if work.waits else 0.0
        if not is_body:
            begins = max(_planning(work), handed_out.free_in, done / outlook.capacity)
            starts[work.job_id] = begins + first / outlook.capacity
            done += first
            continue
        done += left - first
        behind -= handed_out.by_job.get(work.job_id, 0.0)
        start = starts.get(work.job_id, 0.0)
        encoded = _encoded(work, outlook, left=left, done=done + behind, start=start, beside=total - left)
        made[work.job_id] = Forecast(start, delayed(encoded, due, streams) + _packaging(work, outlook))
    return made


@dataclass(frozen=True, slots=True)
class _HandedOut:
    """What slots do first, whoever comes: encoder-seconds by job; and seconds until the first slot is free."""

    by_job: Mapping[str, float]
    free_in: float


def _handed_out(outlook: Outlook) -> _HandedOut:
    """Return what is at the broker and in work; nothing while a slot is free, as nobody waits for it then."""
    by_job, in_work = dict[str, float](), []
    for work in (work for work in outlook.backlog if work.out):
        held, picture = {field for field, _ in work.held}, _picture_seconds(work, outlook.known)
        in_work += [frames * picture for field, frames in work.out if field in held]
        by_job[work.job_id] = picture * sum(frames for _, frames in work.out)
    return _HandedOut(by_job, min(in_work)) if len(in_work) >= outlook.capacity else _HandedOut({}, 0.0)


def _picture_seconds(work: Work, known: Calibration) -> float:
    """Return what a picture of the job costs once it is begun."""
    return max(0.0, whole_cost(work, known) - FIRST_SECONDS * known.pace) / max(1, work.frames)


def _encoded(work: Work, outlook: Outlook, *, left: float, done: float, start: float, beside: float) -> float:
    """Return when the job is encoded: it has `left` to do, with all before it `done`, and `beside` is of other jobs."""
    segments = _segments_left(work, left, outlook)
    # No two slots share the last segment, which may end by so much later than the work does (Graham, "Bounds on
    # multiprocessing timing anomalies", 1969). A job that is alone ends with small ones, and threads for idle cores.
    last = min(left / segments, beside) * max(0.0, 1.0 - 1.0 / outlook.capacity)
    # Towards its end a job has fewer segments than there are slots.
    return max(done / outlook.capacity + last, start + left / min(outlook.capacity, segments))


def _packaging(work: Work, outlook: Outlook) -> float:
    return PACKAGE_SECONDS + PACKAGE_SHARE * whole_cost(work, outlook.known) / outlook.capacity


def promised(forecast: Forecast, *, now: float) -> Promise:
    """Return the forecast as times on the clock of `now` (Unix seconds)."""
    return Promise(now + forecast.start, now + forecast.ready)


def forecast_new(outlook: Outlook, size: int, *, owner: str, now: float) -> Forecast:
    """Return the forecast of a job of so many bytes that this owner would bring now (Unix seconds)."""
    others = [(work.start_target, work.priority) for work in outlook.backlog if work.owner == owner]
    in_flight = in_flight_beside(now, others)
    start = target(now, START_ALONE_SECONDS, in_flight=in_flight)
    new = Work("new", owner, JobState.QUEUED, size, in_flight=in_flight, start_target=start)
    return forecasts(replace(outlook, backlog=(*outlook.backlog, new)))[new.job_id]


def _pieces(outlook: Outlook) -> Iterator[tuple[float, bool, int, Work]]:
    """Yield the starts to come and what follows them, by the targets they go by; False for a start.

    The place in the backlog keeps works from being compared.
    """
    for place, work in enumerate(outlook.backlog):
        if work.waits:
            yield work.start_target, False, place, work
        yield target_of(work, outlook), True, place, work


def target_delay_of(work: Work, outlook: Outlook) -> float:
    """Return by how many seconds the job's target lies behind that of its start, by what is known of its cost."""
    return target_delay(whole_cost(work, outlook.known), outlook.capacity, in_flight=work.in_flight)


def target_of(work: Work, outlook: Outlook) -> float:
    """Return the target of the whole job; of one without a plan that which its bytes let expect."""
    return work.target if work.nominal is not None else work.start_target + target_delay_of(work, outlook)


def _planning(work: Work) -> float:
    return PLAN_SECONDS if work.nominal is None else 0.0


def _segments_left(work: Work, left: float, outlook: Outlook) -> int:
    """Return how many segments the job still needs, which cost `left` together; at least one."""
    segments = work.segments * work.left if work.segments else left / (SEGMENT_SECONDS * outlook.known.pace)
    return max(1, ceil(segments))
