"""How much processor time tools take, and when it is enough.

Processor time, not time on a clock: a machine that is paused, frozen or overloaded does no work, and no honest job may
fail for it.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from storage.media_errors import TooMuchWorkError

_TICKS = os.sysconf("SC_CLK_TCK")  # of /proc, a second
_USER, _CHILDREN = 11, 15  # in /proc/<pid>/stat behind the name: user and system time, its own and its ended children's


class WorkBudget:
    """The CPU seconds that all tools of one piece of work may take together, one after another or beside each other."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.spent = 0.0
        self._lock = threading.Lock()

    @property
    def left(self) -> float:
        """CPU seconds that tools may still take, 0 when it is used up."""
        return max(0.0, self.seconds - self.spent)

    def take(self, seconds: float) -> None:
        """Count so many CPU seconds. Raises TooMuchWorkError once they are more than the budget."""
        with self._lock:
            self.spent += seconds
        if self.spent > self.seconds:
            raise TooMuchWorkError(detail=f"It took more than {self.seconds:.0f} s of processor time.")


class CpuWatch:
    """Counts what one process takes against a budget, None for no bound."""

    def __init__(self, pid: int, budget: WorkBudget | None) -> None:
        self._pid = pid
        self._budget = budget
        self._seen = 0.0

    def look(self) -> None:
        """Count what was taken since the last look. Raises TooMuchWorkError."""
        if self._budget is None:
            return
        taken = cpu_seconds(self._pid)
        if taken is not None and taken > self._seen:
            fresh, self._seen = taken - self._seen, taken
            self._budget.take(fresh)


def cpu_seconds(pid: int) -> float | None:
    """Return the CPU seconds that a process and its ended children took; None for one that is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name may hold anything, brackets too
    return sum(map(int, fields[_USER:_CHILDREN])) / _TICKS
