"""Removing objects that no job has a use for any more.

Nothing is ever removed because Redis does not know it: Redis may have come back empty, and `rungs rebuild` restores
its jobs from what lies in the object store. What goes is what Redis says an ended job left, and an original that could
not be made a job again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from storage.errors import ObjectNotFoundError
from storage.faults import of_one_job
from storage.job_store.contract import Leftovers
from storage.model.event import NO_EVENT
from storage.objects import keys
from storage.objects.manifests import delete_originals
from storage.services import Services
from storage.services.uploads import job_of, remove_incomplete
from workers.janitor.repairs import ABANDONED_SECONDS, lone_originals, may_be_cleared

CLEARED_AT_ONCE = 100
BUDGET_SECONDS = 1.0  # begun in one call: a thousand cancelled jobs must not hold up the lost messages of others
CLEARING_SECONDS = 60.0  # no removal takes longer; so long a job cannot be started again whose janitor died at it


def clear_leftovers(services: Services) -> Iterator[str]:
    """Remove what failed, cancelled and deleted jobs left, as far as it is due; yield whose is gone."""
    deadline = time.monotonic() + BUDGET_SECONDS
    for job_id in services.jobs.leftovers(CLEARED_AT_ONCE):
        cleared = False
        with of_one_job("clearing", job_id, services.jobs.count_fault):
            cleared = _clear(services, job_id)
        if cleared:
            yield job_id
        if time.monotonic() > deadline:
            return


def _clear(services: Services, job_id: str) -> bool:
    jobs, objects = services.jobs, services.objects
    if not may_be_cleared(jobs.leases(job_id)):
        return False
    leftovers = jobs.begin_clearing(job_id, seconds=CLEARING_SECONDS)
    if leftovers is None:
        return False
    try:
        objects.delete_prefix(keys.renditions(job_id))
        if leftovers is Leftovers.ALL or jobs.get(job_id).incomplete:
            remove_incomplete(services, job_id)  # with an upload, or it would become the job once more
    except Exception:
        jobs.end_clearing(job_id, gone=False)
        raise
    jobs.end_clearing(job_id, gone=True)
    return True


def remove_orphans(services: Services, *, now: float) -> Iterator[str]:
    """Remove the originals whose upload died before it became a job; yield whose. `now` is Unix seconds."""
    if services.jobs.last_event_id() == NO_EVENT:
        return
    for job_id in lone_originals(services.objects.keys(keys.ORIGINALS)):
        removed = False
        with of_one_job("orphan", job_id, services.jobs.count_fault):
            removed = _remove_orphan(services, job_id, now)
        if removed:
            yield job_id


def remove_lone_parts(services: Services) -> Iterator[str]:
    """Remove the parts of uploads that ended while one was still on its way to the store; yield whose.

    An upload's record is written before its parts, and its original before that record goes. So whatever neither tells
    of, looked for in this order, is told of by nothing.
    """
    objects = services.objects
    lone = set(objects.folders(keys.PARTS))
    lone -= set(objects.folders(keys.UPLOADS))
    lone -= set(objects.folders(keys.ORIGINALS))
    for upload_id in lone:
        objects.delete_prefix(keys.upload_parts(upload_id))
        yield upload_id


def _remove_orphan(services: Services, job_id: str, now: float) -> bool:
    try:
        age = now - services.objects.stat(keys.original(job_id)).modified_at
    except ObjectNotFoundError:
        return False
    if age < ABANDONED_SECONDS:
        return False
    job = job_of(services, job_id)
    if job is None or (job.incomplete and job.state.finished):
        delete_originals(services.objects, job_id)
        return True
    return False
