"""What the in-memory job store keeps of one job."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from storage.job_store.contract import Lease, Notice
from storage.model.job import FailedAttempt, Job, JobError, JobState
from storage.model.job_warnings import Warnings
from storage.model.plan import Plan, Segment
from storage.model.task import WANTED_IN, Stage, Task, single_tasks, wanted_tasks
from storage.scheduling.costs import Work, nominal_cost


@dataclass(slots=True)
class MemoryLease:
    """Who holds something, until when (Unix seconds)."""

    attempt: str
    until: float


@dataclass(slots=True)
class MemoryRecord:
    """A job and what its tasks have come to: by field the segment that each of encoding makes (None if it makes none).

    `frames` are output frames done by task field, `out` the fields of what was issued and is not finished, `handed` of
    what is neither finished nor rests. `queued_at` is when the job came or came back (Unix seconds).
    `frames_finished` are those of finished tasks.
    `due_at` is when the job's webhook is to be told (Unix seconds, None if it need not be), after `tries` that failed;
    `saved` tells that nothing of its end is left to be saved.
    """

    job: Job
    queued_at: float = 0.0
    wanted: dict[str, Segment | None] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)
    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    leases: dict[str, MemoryLease] = field(default_factory=dict)
    interim: dict[str, dict[str, Any]] = field(default_factory=dict)
    out: set[str] = field(default_factory=set)
    handed: set[str] = field(default_factory=set)
    frames_finished: int = 0
    closed_by: str = ""
    due_at: float | None = None
    tries: int = 0
    saved: bool = True

    def wants(self, task: Task) -> bool:
        """Tell whether the job's state and plan want the task."""
        if self.job.state not in WANTED_IN[task.stage]:
            return False
        return self.job.state is not JobState.ENCODING or task.field in self.wanted

    def held_by(self, task: Task, attempt: str) -> bool:
        """Tell whether the task is wanted and this attempt was the last to be granted it, even if its lease ran out."""
        lease = self.leases.get(task.field)
        return lease is not None and lease.attempt == attempt and self.wants(task)

    def count_frames(self, task: Task, frames: int, now: float) -> bool:
        """Raise the task's frames to so many, within its plan; tell whether that changed anything."""
        best = min(max(frames, 0), self.frames_of(task))
        gained = best - self.frames.get(task.field, 0)
        if gained <= 0:
            return False
        self.frames[task.field] = best
        begun_at = now if self.job.begun_at is None else self.job.begun_at
        self.job = replace(self.job, frames_done=self.job.frames_done + gained, begun_at=begun_at)
        return True

    def count_cost(self, task: Task, seconds: float) -> None:
        """Add what a finished task of encoding took."""
        self.frames_finished += self.frames_of(task)
        self.job = replace(self.job, encoder_seconds=self.job.encoder_seconds + seconds)

    def work_at(self, now: float) -> Work:
        """Return what is known of the job's work at a time."""
        job, leases = self.job, self.leases_at(now)
        return Work(
            job_id=job.id,
            owner=job.owner,
            state=job.state,
            size=job.size,
            nominal=None if job.plan is None else nominal_cost(job.plan),
            segments=sum(map(_is_segment, self.wanted)),
            frames=0 if job.plan is None else job.plan.frames,
            frames_done=job.frames_done,
            frames_finished=self.frames_finished,
            measured=job.encoder_seconds,
            in_flight=job.in_flight,
            priority=job.priority,
            start_target=job.start_target,
            target=job.target,
            held=tuple(sorted((name, it.attempt) for name, it in leases.items() if it.live and it.attempt)),
            out=tuple(sorted((name, self.frames_left(name)) for name in self.out & self.wanted.keys())),
        )

    def frames_left(self, name: str) -> int:
        """Return the output frames that the task of this field has still to make."""
        return self.frames_of(Task.of_field(self.job.id, name)) - self.frames.get(name, 0)

    def lend(self, task: Task, attempt: str, until: float) -> None:
        """Give the task to the attempt until then."""
        self.leases[task.field] = MemoryLease(attempt, until)
        if task.stage is Stage.PLAN:
            self.out.add(task.field)
        if task.field in self.out:
            self.handed.add(task.field)

    def end_lease(self, task: Task, *, rest_until: float | None = None) -> None:
        """Take the task from whoever has it; until `rest_until` nobody may have it."""
        if rest_until is None:
            self.leases.pop(task.field, None)
        else:
            self.leases[task.field] = MemoryLease("", rest_until)
            self.handed.discard(task.field)

    def note_failure(self, task: Task, attempt: str, reason: JobError, at: float) -> None:
        """Record that the attempt came to nothing."""
        failed = FailedAttempt(task.field, attempt, at, reason.code, reason.message)
        self.job = replace(self.job, failed_attempts=(*self.job.failed_attempts, failed)[-_FAILED_KEPT:])

    def leases_at(self, now: float) -> dict[str, Lease]:
        """Return the leases by task field as they stand at a time."""
        return {name: Lease(lease.attempt, lease.until > now) for name, lease in self.leases.items()}

    def settle(self, notice: Notice, due_at: float | None, *, failed: bool = False) -> None:
        """Make the notice due at another time, None to end it; nothing if the present one is another or none."""
        present = (self.job.finished_at, self.tries)
        if self.due_at is not None and present == (notice.job.finished_at, notice.tries):
            self.due_at = due_at
            self.tries += int(failed)

    def frames_of(self, task: Task) -> int:
        """Return the output frames that the task makes, 0 for one that makes none or is not wanted."""
        segment = self.wanted.get(task.field)
        return 0 if segment is None else segment.frames

    def want(self, plan: Plan, segments: tuple[Segment, ...]) -> None:
        """Want the tasks of a plan; if some of its segments were issued, then so were sound and poster."""
        self.wanted = wanted_tasks(plan, segments, self.job.id)
        if self.job.issued:
            single = {task.field for task in single_tasks(plan, self.job.id)}
            issued = {Task(self.job.id, Stage.SEGMENT, index).field for index in range(self.job.issued)}
            self.out |= (single | issued) - self.done.keys()

    @property
    def placed_at(self) -> float | None:
        """The target by which the job's next task is handed out; None when there is none."""
        if self.job.state is not JobState.ENCODING or self.job.issued >= sum(map(_is_segment, self.wanted)):
            return None
        return self.job.target if self.job.issued else self.job.start_target

    def hand_out(self, *fields: str) -> tuple[Task, ...]:
        """Note that these of the job's tasks are out from now on; return those that were not, and are not done."""
        new = tuple(field for field in fields if field not in self.done and field not in self.out)
        self.out.update(new)
        self.handed.update(new)
        return tuple(Task.of_field(self.job.id, field) for field in new)

    def hand_out_next(self) -> tuple[Task, ...]:
        """Hand out the next segment; sound and poster with the first one."""
        index = self.job.issued
        fields = [Task(self.job.id, Stage.SEGMENT, index).field]
        if index == 0:
            fields += [Task(self.job.id, stage).field for stage in (Stage.AUDIO, Stage.POSTER)]
        self.job = replace(self.job, issued=index + 1)
        return self.hand_out(*(field for field in fields if field in self.wanted))

    def take_back(self) -> None:
        """Let nothing of the job be out."""
        self.out.clear()
        self.handed.clear()

    def can_play(self) -> bool:
        """Tell whether the first segment is there, with sound its first part too."""
        sound = "audio:0"
        return "segment:0" in self.done and (sound not in self.wanted or sound in self.done or sound in self.interim)

    def plan_anew(self, plan: Plan, segments: tuple[Segment, ...], warnings: Warnings) -> None:
        """Forget everything of segments; sound and poster go on."""
        for kept in (self.done, self.frames, self.attempts, self.leases):
            for name in [name for name in kept if _is_segment(name)]:
                del kept[name]
        for names in (self.out, self.handed):
            names.difference_update([name for name in names if _is_segment(name)])
        self.closed_by = ""
        self.frames_finished = 0
        self.job = replace(
            self.job, plan=plan, warnings=warnings, frames_done=0, issued=0, playable=False, encoder_seconds=0.0
        )
        self.want(plan, segments)


_FAILED_KEPT = 20


def _is_segment(field: str) -> bool:
    return field.startswith(Stage.SEGMENT)
