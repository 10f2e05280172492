"""What the in-memory job store keeps of one job."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from storage.job_store import Notice
from storage.jobs import WANTED_IN, Job, JobState, Task


@dataclass(slots=True)
class MemoryLease:
    """Who holds something, until when (Unix seconds)."""

    attempt: str
    until: float


@dataclass(slots=True)
class MemoryRecord:
    """A job and what its tasks have come to; `wanted` and `frames` are output frames by task field.

    `due_at` is when the job's webhook is to be told (Unix seconds, None if it need not be), after `tries` that failed.
    """

    job: Job
    queued_at: float
    wanted: dict[str, int] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)
    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    leases: dict[str, MemoryLease] = field(default_factory=dict)
    closed_by: str = ""
    due_at: float | None = None
    tries: int = 0

    def wants(self, task: Task) -> bool:
        """Tell whether the job's state and plan want the task."""
        if self.job.state not in WANTED_IN[task.stage]:
            return False
        return self.job.state is not JobState.ENCODING or task.field in self.wanted

    def held_by(self, task: Task, attempt: str) -> bool:
        """Tell whether the task is wanted and this attempt was the last to be granted it, even if its lease ran out."""
        lease = self.leases.get(task.field)
        return lease is not None and lease.attempt == attempt and self.wants(task)

    def count_frames(self, task: Task, frames: int) -> bool:
        """Raise the task's frames to so many, within its plan; tell whether that changed anything."""
        best = min(max(frames, 0), self.wanted.get(task.field, 0))
        gained = best - self.frames.get(task.field, 0)
        if gained <= 0:
            return False
        self.frames[task.field] = best
        self.job = replace(self.job, frames_done=self.job.frames_done + gained)
        return True

    def settle(self, notice: Notice, due_at: float | None, *, failed: bool = False) -> None:
        """Make the notice due at another time, None to end it; nothing if the present one is another or none."""
        present = (self.job.finished_at, self.tries)
        if self.due_at is not None and present == (notice.job.finished_at, notice.tries):
            self.due_at = due_at
            self.tries += int(failed)
