"""What the in-memory job store knows beside jobs: who holds a role, workers' slots, leftovers, counted repairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from storage.job_store.queue_contract import Pause
from tests.twins.record import MemoryLease


@dataclass(frozen=True, slots=True)
class _Announced:
    """What a worker said of itself; it holds until a Unix time."""

    until: float
    slots: int
    pause: Pause | None


class MemoryRegistry:
    """Roles, announcements, leftovers (ids of ended jobs by when they are due) and repairs made, by name.

    `clock` returns Unix seconds. The store's lock guards it.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._roles: dict[str, MemoryLease] = {}
        self._announced: dict[str, _Announced] = {}
        self._leftovers: dict[str, float] = {}
        self.repairs: Counter[str] = Counter()

    def hold(self, name: str, holder: str, *, seconds: float) -> bool:
        """See JobStore.hold."""
        now = self._clock()
        present = self._roles.get(name)
        if present is not None and present.attempt != holder and present.until > now:
            return False
        self._roles[name] = MemoryLease(holder, now + seconds)
        return True

    def announce(self, worker: str, slots: int, *, seconds: float, pause: Pause | None) -> None:
        """See QueueStore.announce."""
        self._announced[worker] = _Announced(self._clock() + seconds, slots, pause)

    def workers(self) -> dict[str, int]:
        """See QueueStore.workers."""
        return {worker: said.slots for worker, said in self._holding()}

    def pauses(self) -> dict[str, Pause]:
        """See QueueStore.pauses."""
        return {worker: said.pause for worker, said in self._holding() if said.pause is not None}

    def leave(self, job_id: str, *, seconds: float = 0.0) -> None:
        """Note that a job left objects, to be removed in so many seconds."""
        self._leftovers[job_id] = self._clock() + seconds

    def leftovers(self, limit: int) -> tuple[str, ...]:
        """See JobStore.leftovers."""
        now = self._clock()
        due = sorted((when, job_id) for job_id, when in self._leftovers.items() if when <= now)
        return tuple(job_id for _, job_id in due[:limit])

    def is_clearing(self, job_id: str) -> bool:
        """Tell whether somebody removes the job's leftovers at this moment."""
        return self._leftovers.get(job_id, 0.0) > self._clock()

    def begin_clearing(self, job_id: str, *, seconds: float) -> bool:
        """Take on the removal of a job's leftovers; False when there are none, or none due, any more."""
        if job_id not in self._leftovers or self.is_clearing(job_id):
            return False
        self.leave(job_id, seconds=seconds)
        return True

    def end_clearing(self, job_id: str, *, gone: bool) -> None:
        """See JobStore.end_clearing."""
        if self._leftovers.pop(job_id, None) is not None and not gone:
            self.leave(job_id)

    def _holding(self) -> Iterator[tuple[str, _Announced]]:
        now = self._clock()
        return ((worker, said) for worker, said in self._announced.items() if said.until > now)
