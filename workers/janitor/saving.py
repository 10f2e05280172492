"""Saving beside its original how a job ended, so that a rebuild knows how far it got.

It is saved after the move, since Redis decides who moves a job; should it be lost in between, the job's last steps are
done again.
"""

from __future__ import annotations

from storage.faults import of_one_job
from storage.model.job import Job
from storage.objects import keys
from storage.objects.manifests import Manifest, put_manifest
from storage.services import Services

SAVED_AT_ONCE = 100  # in one round: the backlog of an outage must not keep the janitor from its other repairs


def save_ended(services: Services) -> int:
    """Write the manifests of jobs that ended lately; return how many. Raises BusyError while a store is away."""
    ended = services.jobs.unsaved(SAVED_AT_ONCE)
    for job in ended:
        with of_one_job("saving", job.id, services.jobs.count_fault):
            _save(services, job)
    return len(ended)


def _save(services: Services, job: Job) -> None:
    put_manifest(services.objects, keys.ended(job.id), Manifest(job=job))
    if not services.jobs.saved(job):
        # Started again meanwhile: this end is history.
        services.objects.delete_prefix(keys.ended(job.id))
