"""Saving beside its original how a job was planned and how it ended, so that a rebuild knows how far it got.

The plan before its first segment is made, or segments would be found that belong to no plan. The end after the move,
since Redis decides who moves a job; should it be lost in between, the job's last steps are done again.
"""

from __future__ import annotations

from dataclasses import replace

from storage.model.job import Job, JobState
from storage.model.job_warnings import Warnings
from storage.model.plan import Plan, Segment
from storage.objects import keys
from storage.objects.contract import ObjectStore
from storage.objects.manifests import Manifest, put_manifest
from storage.services import Services

SAVED_AT_ONCE = 100  # in one round: the backlog of an outage must not keep the janitor from its other repairs


def save_planned(objects: ObjectStore, job: Job, plan: Plan, segments: tuple[Segment, ...], warnings: Warnings) -> None:
    """Write the manifest of a job that is about to be encoded by this plan."""
    planned = replace(job, state=JobState.ENCODING, plan=plan, warnings=warnings)
    put_manifest(objects, keys.planned(job.id), Manifest(job=planned, segments=segments))


def save_ended(services: Services) -> int:
    """Write the manifests of jobs that ended lately; return how many. Raises BusyError while a store is away."""
    ended = services.jobs.unsaved(SAVED_AT_ONCE)
    for job in ended:
        _save(services, job)
    return len(ended)


def _save(services: Services, job: Job) -> None:
    put_manifest(services.objects, keys.ended(job.id), Manifest(job=job))
    if not services.jobs.saved(job):
        # Started again meanwhile: this end is history.
        services.objects.delete_prefix(keys.ended(job.id))
