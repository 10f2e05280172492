"""What the in-memory job store keeps of one job."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from storage.jobs import WANTED_IN, Job, JobState, Task


@dataclass(slots=True)
class MemoryLease:
    """Who holds something, until when (Unix seconds)."""

    attempt: str
    until: float


@dataclass(slots=True)
class MemoryNotice:
    """When a job's webhook is to be told (Unix seconds), and how many tries failed."""

    due_at: float
    tries: int = 0


@dataclass(slots=True)
class MemoryRecord:
    """A job and what its tasks have come to; `wanted` and `frames` are output frames by task field."""

    job: Job
    queued_at: float
    wanted: dict[str, int] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)
    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    leases: dict[str, MemoryLease] = field(default_factory=dict)
    closed_by: str = ""
    notice: MemoryNotice | None = None

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
