"""What can be played of a job: its plan, and what there is by it. Before a job is planned, that is its early work."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from storage.job_store.contract import TaskStore
from storage.job_store.early_contract import EarlyStore
from storage.model.job import Job
from storage.model.plan import Plan
from storage.model.task import Results
from storage.public.job_json import EARLY_PLAYED, PLAYED

_EARLY = "early-"  # begins the names of early tasks


class _Store(TaskStore, EarlyStore, Protocol):
    """What is asked of the job store."""


def as_played(store: EarlyStore, job: Job) -> Job:
    """Return the job with the plan by which it is played; as it is where nothing of it can be.

    Raises JobStoreDownError, and RecordError for what nobody wrote.
    """
    if job.plan is not None or not job.playable or job.state not in EARLY_PLAYED:
        return job
    return replace(job, plan=store.planned_early(job.id))


def playing(store: _Store, job: Job) -> tuple[Plan, Results] | None:
    """Return the plan of a job that can be played and the results so far by task field, None where it cannot.

    Raises as `as_played` does.
    """
    played = as_played(store, job)
    if played.plan is None or job.state not in PLAYED | EARLY_PLAYED:
        return None
    results = store.results(job.id, interim=True)
    return played.plan, {field.removeprefix(_EARLY): result for field, result in results.items()}
