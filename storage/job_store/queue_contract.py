"""The part of the job store's contract that is about the queue as a whole: its work, its workers, its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from storage.model.layers import Layer
from storage.model.task import Task
from storage.scheduling.ahead import OwnersJobs
from storage.scheduling.costs import Estimate, FinishedJob, Work
from storage.scheduling.queue_rates import Sample, Totals
from storage.scheduling.work_sums import Point, Sums

# What one script reads at most: it takes Redis some milliseconds, and nobody else is served then. More is read in
# several calls.
WORKS_READ = 200
POINTS_READ = 40
UNFINISHED_READ = 1000
ACTIVE_READ = 1000  # jobs with tasks out are hardly more than there are slots
# Only who has more than half of the longest wait is asked for, so that a handful fills it.
OWNERS_READ = 100
FINISHED_KEPT = 100  # ready jobs that forecasts are compared with; the newest of them set the pace


class Pause(StrEnum):
    """Why an encoder takes no work for the moment."""

    SCRATCH = "scratch"  # too little of its scratch disk is free
    MEMORY = "memory"  # too little memory can be had without swapping
    OVERLOAD = "overload"  # its machine has far more to do than it can


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """Jobs by state, unfinished ones only (waiting = queued), as the stores' indices count them."""

    waiting: int
    active: int


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """What unfinished jobs come to: encoder-seconds of all and of the waiting ones, and how many of both there are."""

    work: float = 0.0
    waiting_work: float = 0.0
    waiting: int = 0
    unfinished: int = 0


class QueueStore(Protocol):
    """The queue of all jobs: which tasks are due, the work ahead, the workers, and the figures of the last hour.

    Every method is atomic; all raise JobStoreDownError when Redis is away.
    """

    def issue(self, *, plans: int, tasks: int) -> tuple[Task, ...]:
        """Return the tasks to publish now, those of the earliest target first (storage.scheduling.fairness).

        At most `plans` jobs are being planned and `tasks` tasks of encoding out at once, of all jobs together; a job's
        start (first segment, sound, poster, subtitles) goes out as one. A task counts from now until it is finished or
        its job leaves the state that wants it, but not while it rests; a plan until its job encodes.
        """

    def places(self, starts: Mapping[str, float]) -> dict[str, int]:
        """Return the places, from 1 on, of jobs that have not begun, by their ids; given the targets of their starts.

        What is planned and not begun counts by its target, and what is to be planned by its position.
        """

    def counts(self) -> QueueCounts:
        """Return how many jobs wait and how many are being worked on."""

    def unfinished(self, limit: int = UNFINISHED_READ, *, behind: int = 0) -> tuple[str, ...]:
        """Return the ids of up to `limit` jobs that are not finished, oldest first, without the oldest `behind`."""

    def works(self, job_ids: Sequence[str]) -> tuple[Work, ...]:
        """Return the work of those of the jobs that can be read, WORKS_READ at most."""

    def active(self) -> tuple[str, ...]:
        """Return the ids of jobs of which something is out, or that are between encoding and their end; sorted.

        No more than the first ACTIVE_READ of them.
        """

    def last_planned(self, limit: int) -> tuple[str, ...]:
        """Return the ids of the unfinished jobs with a plan that were created last, oldest first."""

    def estimate(self, job_id: str, estimate: Estimate | None) -> bool:
        """Take in what is expected of the job; False where it has ended.

        The first estimate sets the target of a job without a plan. None only counts the job anew.
        """

    def figures(self) -> QueueFigures:
        """Return what all unfinished jobs come to, at one moment."""

    def sums(self, points: Sequence[Point]) -> tuple[Sums, ...]:
        """Return what stands before each point, and reaches behind it (storage.scheduling.work_sums)."""

    def owners_over(self, seconds: float) -> tuple[str, ...]:
        """Return the owners whose unfinished jobs have more than so many encoder-seconds, OWNERS_READ at most.

        Those with the most come first.
        """

    def owners_jobs(self, owner: str) -> OwnersJobs:
        """Return how many unfinished jobs the owner has, and where the last of them begins."""

    def first_of(self, owner: str) -> str | None:
        """Return the id of the owner's unfinished job whose start stands before all others; None if there is none."""

    def recent_finished(self) -> tuple[FinishedJob, ...]:
        """Return what the last ready jobs took, newest first (at most 100).

        A restored job's cost was not measured in whole, and one that waited through the loss of the store was not kept
        from starting by others, so neither is among them.
        """

    def announce(
        self, worker: str, slots: int, *, seconds: float, pause: Pause | None = None, lacks: Sequence[Layer] = ()
    ) -> None:
        """Say that this worker has so many encoder slots, for so long; one that takes no work says why.

        `lacks` are the layers that the sandbox around its tools has not.
        """

    def workers(self) -> dict[str, int]:
        """Return the encoder slots of the workers that announced themselves lately, by worker."""

    def pauses(self) -> dict[str, Pause]:
        """Return why workers take no work, by worker; those that do are not among them."""

    def lacking(self) -> dict[str, tuple[Layer, ...]]:
        """Return which layers sandboxes lack, by worker; those that lack none are not among them."""

    def slots(self) -> int:
        """Return the encoder slots of all of them."""

    def totals(self) -> Totals:
        """Return what was counted since the store was new; a restored job that goes on counts as one that came."""

    def count_refusals(self, codes: Mapping[str, int]) -> None:
        """Add refused uploads, by the code of the refusal."""

    def record_sample(self, sample: Sample) -> None:
        """Append a sample; the last SAMPLES_KEPT are kept."""

    def samples(self, limit: int) -> tuple[Sample, ...]:
        """Return the newest samples, up to `limit` of them, oldest first."""
