"""What the in-memory job store keeps of one job."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from storage.codec import wanted_frames
from storage.job_store import Notice
from storage.jobs import WANTED_IN, Job, JobState, Task
from storage.plan import Plan


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
    interim: dict[str, dict[str, Any]] = field(default_factory=dict)
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

    def credit(self, window: int) -> int:
        """Return how many segments may be issued so that `window` are out."""
        segments = len(self.job.plan.segments) if self.job.plan is not None else 0
        done = sum(name.startswith(_SEGMENTS) for name in self.done)
        return max(0, min(window - (self.job.issued - done), segments - self.job.issued))

    def can_play(self) -> bool:
        """Tell whether the first segment is there, with sound its first part too."""
        sound = "audio:0"
        return "segment:0" in self.done and (sound not in self.wanted or sound in self.done or sound in self.interim)

    def plan_anew(self, plan: Plan, warnings: tuple[str, ...]) -> None:
        """Forget everything of segments; finished sound and poster stay."""
        for name in [name for name in self.done if name.startswith(_SEGMENTS)]:
            del self.done[name]
        for kept in (self.frames, self.attempts, self.leases):
            kept.clear()
        self.closed_by = ""
        self.job = replace(self.job, plan=plan, warnings=warnings, frames_done=0, issued=0, playable=False)
        self.wanted = wanted_frames(plan, self.job.id)


_SEGMENTS = "segment:"
