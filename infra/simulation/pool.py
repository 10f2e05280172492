"""Slots that take what was handed out to them, first in, first out, and never stop in the middle of a task."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf

import simpy

from infra.simulation.disciplines import SimulatedJob

Ended = Callable[[SimulatedJob, float], None]


@dataclass(frozen=True, slots=True)
class Window:
    """The part of the time, in seconds, that is looked at."""

    since: float = 0.0
    until: float = inf

    def overlap(self, start: float, end: float) -> float:
        """Return how many of the seconds from `start` to `end` lie within."""
        return max(0.0, min(end, self.until) - max(start, self.since))


EVERYTHING = Window()


class SlotPool:
    """So many slots; `refill` is called when a task has ended, after the task's own `ended(job, seconds)`.

    As at the broker (storage.broker.contract) there are two queues: slots take from the first one before the other.
    Utilisation is that of the `window`.
    """

    def __init__(self, env: simpy.Environment, slots: int, refill: Callable[[], None], window: Window) -> None:
        self._env = env
        self._slots = slots
        self._refill = refill
        self._window = window
        self._first: deque[tuple[SimulatedJob, float, Ended]] = deque()
        self._other: deque[tuple[SimulatedJob, float, Ended]] = deque()
        self._busy = 0
        self._worked = 0.0
        self._changed_at = 0.0
        self.ended = 0

    @property
    def out(self) -> int:
        """Tasks that were handed out and have not ended."""
        return self._busy + len(self._first) + len(self._other)

    @property
    def utilisation(self) -> float:
        """Which part of the slots' time was worked, 0..1."""
        self._employ(0)
        seconds = self._window.overlap(0.0, self._env.now)
        return self._worked / (self._slots * seconds) if seconds else 0.0

    def hand_out(self, job: SimulatedJob, seconds: float, ended: Ended, *, first: bool = False) -> None:
        """Give the pool a task that takes a slot so many seconds; `first` ones are taken before others."""
        (self._first if first else self._other).append((job, seconds, ended))
        self._begin_next()

    def _begin_next(self) -> None:
        while self._busy < self._slots and (waiting := self._first or self._other):
            job, seconds, ended = waiting.popleft()
            self._employ(1)
            simpy.Timeout(self._env, seconds).callbacks.append(partial(self._end, job, seconds, ended))

    def _end(self, job: SimulatedJob, seconds: float, ended: Ended, _: simpy.Event) -> None:
        self.ended += 1
        self._employ(-1)
        # As an attempt does: what comes of the task is handed out before its slot takes the next one.
        ended(job, seconds)
        self._refill()
        self._begin_next()

    def _employ(self, slots: int) -> None:
        """Change how many slots are busy, none being none."""
        now = self._env.now
        self._worked += self._busy * self._window.overlap(self._changed_at, now)
        self._changed_at = now
        self._busy += slots
