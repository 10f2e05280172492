"""When waiting jobs will start and be ready, and how long a new one would wait. Pure.

Encoders take the job with the earliest target (storage.fairness), each job's start being a small job of its own. So
what is done before a job's next task is the work of all that stand before it, and nothing else but the tasks that were
handed out already, of whichever job: nothing interrupts them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from statistics import fmean

from storage.costs import Calibration, Work, cost_left, whole_cost
from storage.fairness import (
    START_ALONE_SECONDS,
    after_start,
    budget,
    in_flight_beside,
    target,
)
from storage.jobs import JobState, Promise, Stage

# On the machine of storage.costs: poster, sound and the short first segment, the start of a job.
FIRST_SECONDS = 2.5
# A segment that is found in work is a long one: sizes fall from the longest to short ones (workers.segments), and of
# sizes spread evenly the one that a moment meets is 4/3 of the average.
LONGER = 4 / 3
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

    `capacity` is what all slots together deliver, in encoder-seconds a second; above 0.
    """

    backlog: tuple[Work, ...]
    known: Calibration
    capacity: float

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
    in_work, done, starts, made = _in_work(outlook), 0.0, dict[str, float](), {}
    free_in, handed_out = _free_in(in_work), _handed_out(in_work, outlook.capacity)
    behind = sum(handed_out.values())
    for _, is_body, _, work in sorted(_pieces(outlook)):
        left = cost_left(work, outlook.known)
        first = min(left, FIRST_SECONDS * outlook.known.pace) if work.waits else 0.0
        if not is_body:
            begins = max(_planning(work), free_in, done / outlook.capacity)
            starts[work.job_id] = begins + first / outlook.capacity
            done += first
            continue
        done += left - first
        behind -= handed_out.get(work.job_id, 0.0)
        start = starts.get(work.job_id, 0.0)
        made[work.job_id] = Forecast(start, _ready(work, outlook, left=left, done=done + behind, start=start))
    return made


def _in_work(outlook: Outlook) -> dict[str, tuple[float, ...]]:
    """Return what each segment in work costs, by job; nothing while a slot is free, as nobody waits for them then."""
    found = {
        work.job_id: (_segment_in_work(work, outlook.known),) * count
        for work in outlook.backlog
        if (count := sum(task.startswith(Stage.SEGMENT) for task, _ in work.held))
    }
    return found if sum(map(len, found.values())) >= outlook.capacity else {}


def _segment_in_work(work: Work, known: Calibration) -> float:
    """Return what a segment of the job costs that is found in work; not the short first one, as a rule."""
    if work.segments <= 1:
        return whole_cost(work, known)
    return LONGER * max(0.0, whole_cost(work, known) - FIRST_SECONDS * known.pace) / (work.segments - 1)


def _handed_out(in_work: Mapping[str, Sequence[float]], capacity: float) -> dict[str, float]:
    """Return what is to be done by job of segments in work, on average half, and of those at the broker for each."""
    slots = ceil(capacity)
    part = 0.5 + (budget(slots) / slots - 1) / LONGER
    return {job_id: part * sum(costs) for job_id, costs in in_work.items()}


def _free_in(in_work: Mapping[str, Sequence[float]]) -> float:
    """Return when the first slot is free: each is anywhere within its segment."""
    segments = [cost for costs in in_work.values() for cost in costs]
    return fmean(segments) / (len(segments) + 1) if segments else 0.0


def _ready(work: Work, outlook: Outlook, *, left: float, done: float, start: float) -> float:
    """Return when the job is ready: it has `left` to do, which with all before it is `done` encoder-seconds."""
    cost = whole_cost(work, outlook.known)
    # Towards its end a job has fewer segments than there are slots.
    encoded = max(done / outlook.capacity, start + left / min(outlook.capacity, _segments_left(work, left, outlook)))
    return encoded + PACKAGE_SECONDS + PACKAGE_SHARE * cost / outlook.capacity


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
        yield _target(work, outlook), True, place, work


def behind_start(work: Work, outlook: Outlook) -> float:
    """Return by how many seconds the job's target lies behind that of its start, by what is known of its cost."""
    return after_start(whole_cost(work, outlook.known), outlook.capacity, in_flight=work.in_flight)


def _target(work: Work, outlook: Outlook) -> float:
    """Return the target of the whole job; of one without a plan that which its bytes let expect."""
    return work.target if work.nominal is not None else work.start_target + behind_start(work, outlook)


def _planning(work: Work) -> float:
    return PLAN_SECONDS if work.nominal is None else 0.0


def _segments_left(work: Work, left: float, outlook: Outlook) -> int:
    """Return how many segments the job still needs, which cost `left` together; at least one."""
    segments = work.segments * work.left if work.segments else left / (SEGMENT_SECONDS * outlook.known.pace)
    return max(1, ceil(segments))
