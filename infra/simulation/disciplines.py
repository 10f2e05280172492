"""Whose task is handed out next: Rungs' own rule, and those it is compared with."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from infra.simulation.load import Arrival
from infra.simulation.videos import TaskShape
from storage.scheduling.fairness import START_ALONE_SECONDS, target, target_delay


@dataclass(slots=True)
class SimulatedJob:
    """An accepted upload: `taken` of its shape's tasks were handed out, `open` have not ended.

    `in_flight` is as storage.scheduling.fairness says; `number` is its place in the order of acceptance.
    """

    number: int
    arrival: Arrival
    accepted: float
    in_flight: float
    shape: TaskShape
    taken: int = 0
    open: int = 0

    @property
    def cost(self) -> float:
        """Encoder-seconds of all of its tasks."""
        return self.shape.cost * self.arrival.scale

    @property
    def start_target(self) -> float:
        """The target of its start, which is a small job of its own."""
        priority = self.arrival.priority
        return target(self.accepted, START_ALONE_SECONDS, in_flight=self.in_flight, priority=priority)

    def take(self) -> int:
        """Hand out its next task, all of its start at once; return how many those are."""
        count = self.shape.starts if self.taken == 0 else 1
        self.taken += count
        return count

    @property
    def taken_up(self) -> bool:
        """Tell whether all of its tasks were handed out."""
        return self.taken == len(self.shape.tasks)


class Discipline(Protocol):
    """An order of the jobs that have tasks to hand out.

    `cuts` tells whether a video is more than one task, `starts_first` whether slots take the start of a job before what
    else was handed out.
    """

    cuts: bool
    starts_first: bool

    def rank(self, job: SimulatedJob) -> float:
        """Return by what an accepted job is planned: the lowest first."""

    def add(self, job: SimulatedJob) -> None:
        """Take in a job that was planned."""

    def next(self) -> SimulatedJob | None:
        """Return the job whose next task is due; None if nothing is to be done."""

    def took(self, job: SimulatedJob) -> None:
        """Go on after that job's next task was handed out."""


class EarliestTarget:
    """What Rungs does (storage.scheduling.fairness): the earliest target first; a job's start is a job of its own."""

    cuts = starts_first = True

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._heap: list[tuple[float, int, SimulatedJob]] = []

    def rank(self, job: SimulatedJob) -> float:
        """Return the target of its start."""
        return job.start_target

    def add(self, job: SimulatedJob) -> None:
        """Take in a job by the target of its start."""
        heapq.heappush(self._heap, (job.start_target, job.number, job))

    def next(self) -> SimulatedJob | None:
        """Return the job with the earliest target."""
        return self._heap[0][2] if self._heap else None

    def took(self, job: SimulatedJob) -> None:
        """Once its start was handed out, the job stands where its whole cost puts it."""
        if job.taken_up:
            heapq.heappop(self._heap)
        elif job.taken == job.shape.starts:
            due = job.start_target + target_delay(job.cost, self._slots, in_flight=job.in_flight)
            heapq.heapreplace(self._heap, (due, job.number, job))


class FirstComeFirstServed:
    """One job after the other, in the order in which they came."""

    starts_first = False

    def __init__(self, *, cuts: bool) -> None:
        self.cuts = cuts
        self._jobs: deque[SimulatedJob] = deque()

    def rank(self, job: SimulatedJob) -> float:
        """Return when it came."""
        return job.number

    def add(self, job: SimulatedJob) -> None:
        """Take in a job behind all others."""
        self._jobs.append(job)

    def next(self) -> SimulatedJob | None:
        """Return the first job."""
        return self._jobs[0] if self._jobs else None

    def took(self, job: SimulatedJob) -> None:
        """Go on with the next job when this one has no more tasks."""
        if job.taken_up:
            self._jobs.popleft()


class RoundRobin:
    """A segment of each job in turn; the starts of jobs go ahead of that, in the order in which the jobs came."""

    cuts = starts_first = True

    def __init__(self) -> None:
        self._starts: deque[SimulatedJob] = deque()
        self._turns: deque[SimulatedJob] = deque()

    def rank(self, job: SimulatedJob) -> float:
        """Return when it came."""
        return job.number

    def add(self, job: SimulatedJob) -> None:
        """Take in a job behind those that have not begun."""
        self._starts.append(job)

    def next(self) -> SimulatedJob | None:
        """Return the first job that has not begun, else the one whose turn it is."""
        line = self._starts or self._turns
        return line[0] if line else None

    def took(self, job: SimulatedJob) -> None:
        """Send the job to the end of the line."""
        (self._starts or self._turns).popleft()
        if not job.taken_up:
            self._turns.append(job)


NAMES = {
    "targets": "earliest target first (Rungs)",
    "fifo": "first come, first served",
    "round-robin": "a segment of each job in turn",
    "whole-video": "one task per video, first come, first served",
}


def discipline_of(name: str, slots: int) -> Discipline:
    """Return the discipline of this name, for an installation of so many slots."""
    match name:
        case "targets":
            return EarliestTarget(slots)
        case "fifo":
            return FirstComeFirstServed(cuts=True)
        case "round-robin":
            return RoundRobin()
        case "whole-video":
            return FirstComeFirstServed(cuts=False)
        case _:
            raise ValueError(f"There is no discipline called {name}.")
