"""Tasks: the pieces of work of a job, and which of them it has when. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Any, Self

from storage.model.job import Job, JobState
from storage.model.loudness import Loudness, Measured
from storage.model.plan import AUDIO, Plan, Segment

Result = Mapping[str, Any]  # what a finished task says of what it made
Results = Mapping[str, Result]  # by task field


class Stage(StrEnum):
    """One kind of work; every task is a stage of a job, and of a segment for `segment`."""

    PLAN = "plan"
    SEGMENT = "segment"
    AUDIO = "audio"
    POSTER = "poster"
    SUBTITLES = "subtitles"
    PACKAGE = "package"
    EARLY_PLAN = "early-plan"
    EARLY_SEGMENT = "early-segment"
    EARLY_AUDIO = "early-audio"

    @property
    def is_early(self) -> bool:
        """Tell whether it is work that nobody waits for: before the upload is whole (storage/model/early.py)."""
        return self in _EARLY


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of work of one job; `index` counts segments and is 0 for other stages."""

    job_id: str
    stage: Stage
    index: int = 0

    @property
    def field(self) -> str:
        """Name inside the job's record, unique within the job."""
        return field_of(self.stage, self.index)

    @property
    def is_encoding(self) -> bool:
        """Tell whether it takes a slot of an encoder: planning and packaging are short, and done elsewhere."""
        return self.stage not in {Stage.PLAN, Stage.PACKAGE, Stage.EARLY_PLAN}

    @property
    def fields(self) -> tuple[str, ...]:
        """Names under which its lease may stand: early work may become the job's own."""
        own = (field_of(Stage.SEGMENT, self.index),) if self.stage is Stage.EARLY_SEGMENT else ()
        return (self.field, *own)

    @classmethod
    def of_field(cls, job_id: str, field: str) -> Self:
        """Return the job's task of this name."""
        stage, _, index = field.partition(":")
        return cls(job_id, Stage(stage), int(index))


_EARLY = frozenset({Stage.EARLY_PLAN, Stage.EARLY_SEGMENT, Stage.EARLY_AUDIO})
WANTED_IN: dict[Stage, frozenset[JobState]] = {
    Stage.PLAN: frozenset({JobState.QUEUED, JobState.PLANNING}),
    Stage.SEGMENT: frozenset({JobState.ENCODING}),
    Stage.AUDIO: frozenset({JobState.ENCODING}),
    Stage.POSTER: frozenset({JobState.ENCODING}),
    Stage.SUBTITLES: frozenset({JobState.ENCODING}),
    Stage.PACKAGE: frozenset({JobState.PACKAGING}),
    Stage.EARLY_PLAN: frozenset({JobState.UPLOADING}),
    Stage.EARLY_AUDIO: frozenset({JobState.UPLOADING}),
    # What has begun goes on when the upload is whole, and if its plan is the same it is the job's own task then.
    Stage.EARLY_SEGMENT: frozenset({JobState.UPLOADING, JobState.QUEUED, JobState.PLANNING, JobState.ENCODING}),
}


def sounds_of(results: Results) -> dict[str, Mapping[str, Any]]:
    """Return what is made so far of a job's tracks of sound that have any, by name and in their order.

    Each has its `codec` and `parts`. What versions before this one made is one track.
    """
    made = results.get(field_of(Stage.AUDIO), {})
    tracks = {AUDIO: made, **made.get("tracks", {})} if made.get("made") else {}
    return {name: track for name, track in tracks.items() if track.get("parts")}


def measured_of(results: Results) -> tuple[Measured, ...]:
    """Return what was measured of a job's tracks of sound, and of their versions in 5.1."""
    tracks = [track for track in sounds_of(results).values() if "loudness" in track]
    return tuple(Measured(track["track"], Loudness(**track["loudness"]), track["gain"]) for track in tracks)


def field_of(stage: Stage, index: int = 0) -> str:
    """Return the name inside a job's record of its task of this stage, such as `segment:3`."""
    return f"{stage}:{index}"


def single_tasks(plan: Plan, job_id: str) -> tuple[Task, ...]:
    """Return the tasks of encoding that a job has once: sound and subtitles, if there are any, and its poster."""
    poster = Task(job_id, Stage.POSTER)
    sounds = (Task(job_id, Stage.AUDIO), poster) if plan.audio else (poster,)
    return (*sounds, Task(job_id, Stage.SUBTITLES)) if plan.subtitles else sounds


def wanted_tasks(plan: Plan, segments: tuple[Segment, ...], job_id: str) -> dict[str, Segment | None]:
    """Return all tasks between planning and packaging: by field, each with the segment it makes if it makes one."""
    single = dict.fromkeys(task.field for task in single_tasks(plan, job_id))
    return single | {Task(job_id, Stage.SEGMENT, segment.index).field: segment for segment in segments}


def outstanding(job: Job, out: frozenset[str]) -> tuple[Task, ...]:
    """Return the tasks the job should have out now, given the fields of those that were issued (TaskStore.out)."""
    match job.state:
        case JobState.PLANNING:
            return (Task(job.id, Stage.PLAN),)
        case JobState.QUEUED | JobState.ENCODING:
            return tuple(sorted((Task.of_field(job.id, field) for field in out), key=attrgetter("stage", "index")))
        case JobState.PACKAGING:
            return (Task(job.id, Stage.PACKAGE),)
        case _:
            return ()


def is_encoded(job: Job, out: frozenset[str]) -> bool:
    """Tell whether a job that is still encoding has nothing out and nothing to come, so that it is to be packaged."""
    if job.state is not JobState.ENCODING or job.plan is None:
        return False
    return job.issued == job.plan.segment_count and not out
