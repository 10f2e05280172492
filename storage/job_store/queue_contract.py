"""The part of the job store's contract that is about the queue as a whole: its work, its workers, its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from storage.model.layers import Layer
from storage.model.task import Task
from storage.scheduling.costs import FinishedJob, Work
from storage.scheduling.queue_rates import Sample, Totals

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


class QueueStore(Protocol):
    """The queue of all jobs: which tasks are due, the work ahead, the workers, and the figures of the last hour.

    Every method is atomic; all raise JobStoreDownError when Redis is away.
    """

    def issue(self, *, plans: int, tasks: int) -> tuple[Task, ...]:
        """Return the tasks to publish now, those of the earliest target first (storage.scheduling.fairness).

        At most `plans` jobs are being planned and `tasks` tasks of encoding out at once, of all jobs together; a job's
        start (first segment, sound, poster) goes out as one. A task counts from now until it is finished or its job
        leaves the state that wants it, but not while it rests; a plan until its job encodes.
        """

    def position(self, job_id: str) -> int | None:
        """Return how many jobs are to be planned before this one, plus one; None once it has started."""

    def counts(self) -> QueueCounts:
        """Return how many jobs wait and how many are being worked on."""

    def unfinished(self) -> tuple[str, ...]:
        """Return the ids of all jobs that are not finished, oldest first."""

    def backlog(self) -> tuple[Work, ...]:
        """Return the work of all jobs that are not finished, oldest first."""

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
