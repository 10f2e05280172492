"""What the in-memory job store knows of workers: who holds a role, and their slots."""

from __future__ import annotations

from collections.abc import Callable

from storage.memory_record import MemoryLease


class MemoryRegistry:
    """Roles and announcements; `clock` returns Unix seconds. The store's lock guards it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._roles: dict[str, MemoryLease] = {}
        self._slots: dict[str, tuple[float, int]] = {}

    def hold(self, name: str, holder: str, *, seconds: float) -> bool:
        """See JobStore.hold."""
        now = self._clock()
        present = self._roles.get(name)
        if present is not None and present.attempt != holder and present.until > now:
            return False
        self._roles[name] = MemoryLease(holder, now + seconds)
        return True

    def announce(self, worker: str, slots: int, *, seconds: float) -> None:
        """See JobStore.announce."""
        self._slots[worker] = (self._clock() + seconds, slots)

    def slots(self) -> int:
        """See JobStore.slots."""
        return sum(slots for until, slots in self._slots.values() if until > self._clock())
