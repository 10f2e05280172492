"""The installation, simulated: arrivals, admission, planning, dispatch, encoders, packaging.

Events are those of simpy; every decision is made by the function that makes it in Rungs.
"""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from random import Random

import simpy

from infra.simulation.disciplines import Discipline, SimulatedJob
from infra.simulation.figures import Figures, size_of
from infra.simulation.load import Arrival
from infra.simulation.pool import EVERYTHING, SlotPool, Window
from infra.simulation.videos import Videos, in_one_piece, package_seconds
from storage.errors import BusyError, RungsError
from storage.model.job import JobState
from storage.scheduling.ahead import OwnersJobs, newcomer_target
from storage.scheduling.costs import FIRST_SECONDS, SECONDS_PER_BYTE, Work
from storage.scheduling.fairness import LEAD_SECONDS, budget, in_flight_after, plans_budget, target_delay
from storage.scheduling.forecast import PLAN_SECONDS
from storage.scheduling.line import work_for
from storage.scheduling.work_sums import Pieces, WorkSums, microseconds, pieces_of
from web.admission.decision import BUSY_SHARE, Limits, QueueState
from web.admission.gate import Gate

MOST_RETURNS = 10  # whoever was sent away so often does not come again


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all disciplines.

    `encoders` and `control` are slots. Of those who are refused, `returning` (0..1) come back when they were told to.
    Jobs that came before the window warm up and are not counted.
    """

    encoders: int
    control: int
    limits: Limits
    returning: float = 1.0
    window: Window = EVERYTHING
    seed: int = 0


class Model:
    """One run of one discipline."""

    def __init__(self, setting: Setting, discipline: Discipline, videos: Videos) -> None:
        self._setting = setting
        self._discipline = discipline
        self._videos = videos
        self._env = simpy.Environment()
        self._gate = Gate(setting.limits, clock=lambda: self._env.now)
        self._encoders = SlotPool(self._env, setting.encoders, self._dispatch, setting.window)
        self._control = SlotPool(self._env, setting.control, self._plan, setting.window)
        self._room, self._plans = budget(setting.encoders), plans_budget(setting.encoders)
        self._unplanned: list[tuple[float, int, SimulatedJob]] = []
        self._planning = 0
        self._unfinished: Counter[str] = Counter()
        self._latest: dict[str, float] = {}  # the start target, without its lead, of an owner's last job
        self._work = 0.0
        self._sums = WorkSums()
        self._pieces: dict[int, Pieces] = {}
        self._chance = Random(setting.seed)  # noqa: S311 (chance, not secrets)
        self.figures = Figures()

    def run(self, arrivals: Iterable[Arrival]) -> Figures:
        """Run until all that was accepted is ready; return what was counted. `arrivals` are in order."""
        began = time.perf_counter()
        self._env.process(self._arrive(arrivals))
        self._env.run()
        figures = self.figures
        figures.took = time.perf_counter() - began
        figures.events = self._encoders.ended + self._control.ended
        figures.utilisation, figures.control = self._encoders.utilisation, self._control.utilisation
        return figures

    def _arrive(self, arrivals: Iterable[Arrival]) -> Generator[simpy.Event, None, None]:
        for arrival in arrivals:
            # What the clock adds up may lie a rounding behind.
            yield self._env.timeout(max(0.0, arrival.at - self._env.now))
            self.figures.offered += self._counts(arrival)
            self._offer(arrival)

    def _offer(self, arrival: Arrival, returns: int = 0) -> None:
        """Ask admission, for the time of an upload that takes none."""
        per_byte = SECONDS_PER_BYTE / self._setting.encoders
        wait = self._wait(arrival)
        queue = QueueState(wait=wait, per_byte=per_byte, owner_jobs=self._unfinished[arrival.owner])
        try:
            with self._gate.enter(arrival.size, None, queue, client=f"{arrival.owner} {arrival.at}"):
                self._accept(arrival)
        except BusyError as refusal:
            self._refuse(arrival, returns, refusal.retry_after)
        except RungsError:
            self._refuse(arrival, returns, None)
        else:
            self.figures.kept += returns == 1 and self._counts(arrival)

    def _wait(self, arrival: Arrival) -> float:
        """Return the seconds of work that stand before the arrival, as storage.scheduling.ahead counts them."""
        everything = max(0.0, self._work) / self._setting.encoders
        if everything <= self._setting.limits.wait * BUSY_SHARE:
            return everything  # whoever comes is taken; what stands before it need not be known
        cost = self._videos.shape(arrival.step).cost * arrival.scale
        own = OwnersJobs(self._unfinished[arrival.owner], self._latest.get(arrival.owner))
        newcomer = newcomer_target(own, cost, capacity=self._setting.encoders, now=self._env.now)
        most = self._setting.limits.wait * self._setting.encoders
        return work_for(self._sums, arrival.owner, newcomer, most=most) / self._setting.encoders

    def _place(self, job: SimulatedJob) -> None:
        """Note where a new job stands; its bytes told all of it."""
        work = Work(
            job_id=str(job.number),
            owner=job.arrival.owner,
            state=JobState.QUEUED,
            size=job.arrival.size,
            start_target=job.start_target,
            target=job.start_target + target_delay(job.cost, self._setting.encoders, in_flight=job.in_flight),
            cost=job.cost,
            start_cost=FIRST_SECONDS,
            told=job.cost,
        )
        self._count(job.number, pieces_of(work))

    def _count(self, number: int, pieces: Pieces) -> None:
        """Put what a job counts for in place of what it counted for."""
        self._sums.change(self._pieces.pop(number, None), pieces)
        self._pieces[number] = pieces

    def _note_done(self, job: SimulatedJob, seconds: float) -> None:
        """Take a task's seconds off what is left of its job."""
        known, done = self._pieces[job.number], microseconds(seconds)
        start = max(0, known.start - done)
        rest = max(0, known.rest - (done - (known.start - start)))
        if job.open:
            self._count(job.number, replace(known, start=start, rest=rest))
        else:
            self._sums.change(self._pieces.pop(job.number), None)

    def _refuse(self, arrival: Arrival, returns: int, retry_after: int | None) -> None:
        counted = self._counts(arrival)
        self.figures.refused += returns == 0 and counted
        honours = retry_after is not None and (returns > 0 or self._chance.random() < self._setting.returning)
        if retry_after is None or not honours or returns == MOST_RETURNS:
            self.figures.lost += counted
            return
        self.figures.returned += returns == 0 and counted
        again = self._env.timeout(retry_after)
        again.callbacks.append(lambda _: self._offer(arrival, returns + 1))

    def _accept(self, arrival: Arrival) -> None:
        self._unfinished[arrival.owner] += 1
        shape = self._videos.shape(arrival.step)
        if not self._discipline.cuts:
            shape = in_one_piece(shape)
        self.figures.accepted += 1
        job = SimulatedJob(self.figures.accepted, arrival, self._env.now, self._in_flight(arrival.owner), shape)
        self._latest[arrival.owner] = job.start_target + LEAD_SECONDS[arrival.priority]
        self._work += job.cost
        self._place(job)
        heapq.heappush(self._unplanned, (self._discipline.rank(job), job.number, job))
        self._plan()

    def _in_flight(self, owner: str) -> float:
        return in_flight_after(self._env.now, self._unfinished[owner], self._latest.get(owner))

    def _plan(self) -> None:
        """Hand out plans, until as many jobs as may be are being planned."""
        while self._unplanned and self._planning < self._plans:
            self._planning += 1
            self._control.hand_out(heapq.heappop(self._unplanned)[2], PLAN_SECONDS, self._planned)

    def _planned(self, job: SimulatedJob, _seconds: float) -> None:
        self._planning -= 1
        job.open = len(job.shape.tasks)
        self._discipline.add(job)
        self._dispatch()

    def _dispatch(self) -> None:
        """Hand out tasks of encoding, until the budget is out or nothing is due."""
        while self._encoders.out < self._room and (job := self._discipline.next()) is not None:
            first = self._discipline.starts_first and job.taken == 0
            for place in range(job.taken, job.taken + job.take()):
                seconds = job.shape.tasks[place] * job.arrival.scale
                self._encoders.hand_out(job, seconds, self._encoded if place else self._begun, first=first)
            self._discipline.took(job)

    def _begun(self, job: SimulatedJob, seconds: float) -> None:
        """Count the first task of a job, which is what a player shows first."""
        if self._counts(job.arrival):
            now = self._env.now
            self.figures.begun.add(now - seconds - job.accepted)
            self.figures.playable.add(now - job.accepted)
        self._encoded(job, seconds)

    def _encoded(self, job: SimulatedJob, seconds: float) -> None:
        self._work -= seconds
        job.open -= 1
        self._note_done(job, seconds)
        if not job.open:
            self._control.hand_out(job, package_seconds(job.cost, self._setting.encoders), self._ready)

    def _ready(self, job: SimulatedJob, _seconds: float) -> None:
        owner, arrival = job.arrival.owner, job.arrival
        self._unfinished[owner] -= 1
        if not self._unfinished[owner]:
            del self._unfinished[owner], self._latest[owner]
        self.figures.finished += 1
        if not self._counts(arrival):
            return
        took = self._env.now - job.accepted
        stretch = took / self._videos.alone(arrival.step, arrival.scale)
        self.figures.ready.add(took)
        self.figures.stretch[size_of(self._videos.shape(arrival.step).cost * arrival.scale)].add(stretch)
        if job.in_flight == 1:
            self.figures.single.add(stretch)

    def _counts(self, arrival: Arrival) -> bool:
        return arrival.at >= self._setting.window.since
