"""Saving beside its original how a job ended, so that a rebuild knows how far it got and its record can be small.

It is saved after the move, since Redis decides who moves a job; should it be lost in between, the job's last steps are
done again. Only then the record becomes slim (docs/finished-jobs.md); whoever dies in between, the next round does both
again.
"""

from __future__ import annotations

from storage.faults import of_one_job
from storage.model.job import Job
from storage.objects import keys
from storage.objects.manifests import Manifest, put_manifest
from storage.services import Services
from storage.services.all_events import all_events

SAVED_AT_ONCE = 100  # in one round: the backlog of an outage must not keep the janitor from its other repairs


def save_ended(services: Services) -> int:
    """Write the manifests of jobs that ended lately; return how many. Raises BusyError while a store is away."""
    ended = services.jobs.unsaved(SAVED_AT_ONCE)
    for job in ended:
        with of_one_job("saving", job.id, services.jobs.count_fault):
            _save(services, job)
    return len(ended)


def _save(services: Services, job: Job) -> None:
    jobs = services.jobs
    if jobs.get(job.id).finished_at != job.finished_at:
        return  # it went on since it was read, and another end may be saved already
    if job.incomplete:  # nothing is left of it, and a rebuild would not know it
        jobs.saved(job)
        return
    ended = Manifest(job=job, events=all_events(jobs, job.id), attempts=jobs.attempts(job.id))
    put_manifest(services.objects, keys.ended(job.id), ended)
    if not jobs.saved(job) and not jobs.get(job.id).state.finished:
        # Started again meanwhile: this end is history. Where it ended anew, its new end is saved here too.
        services.objects.delete_prefix(keys.ended(job.id))
