"""Slots that take what was handed out to them in order, first in, first out, and never stop in the middle of a task."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf

import simpy

from infra.simulation.disciplines import Job

Ended = Callable[[Job, float], None]


@dataclass(frozen=True, slots=True)
class Window:
    """The part of the time, in seconds, that is looked at."""

    since: float = 0.0
    until: float = inf

    def overlap(self, start: float, end: float) -> float:
        """Return how many of the seconds from `start` to `end` lie within."""
        return max(0.0, min(end, self.until) - max(start, self.since))


EVERYTHING = Window()


class Pool:
    """So many slots; `refill` is called when a task has ended, after the task's own `ended(job, seconds)`.

    Utilisation is that of the `window`.
    """

    def __init__(self, env: simpy.Environment, slots: int, refill: Callable[[], None], window: Window) -> None:
        self._env = env
        self._slots = slots
        self._refill = refill
        self._window = window
        self._waiting: deque[tuple[Job, float, Ended]] = deque()
        self._busy = 0
        self._worked = 0.0
        self._changed_at = 0.0
        self.ended = 0

    @property
    def out(self) -> int:
        """Tasks that were handed out and have not ended."""
        return self._busy + len(self._waiting)

    @property
    def utilisation(self) -> float:
        """Which part of the slots' time was worked, 0..1."""
        self._employ(0)
        seconds = self._window.overlap(0.0, self._env.now)
        return self._worked / (self._slots * seconds) if seconds else 0.0

    def hand_out(self, job: Job, seconds: float, ended: Ended) -> None:
        """Give the pool a task that takes a slot so many seconds."""
        if self._busy == self._slots:
            self._waiting.append((job, seconds, ended))
        else:
            self._employ(1)
            self._begin(job, seconds, ended)

    def _begin(self, job: Job, seconds: float, ended: Ended) -> None:
        simpy.Timeout(self._env, seconds).callbacks.append(partial(self._end, job, seconds, ended))

    def _end(self, job: Job, seconds: float, ended: Ended, _: simpy.Event) -> None:
        self.ended += 1
        if self._waiting:
            self._begin(*self._waiting.popleft())
        else:
            self._employ(-1)
        ended(job, seconds)
        self._refill()

    def _employ(self, slots: int) -> None:
        """Change how many slots are busy, none being none."""
        now = self._env.now
        self._worked += self._busy * self._window.overlap(self._changed_at, now)
        self._changed_at = now
        self._busy += slots
