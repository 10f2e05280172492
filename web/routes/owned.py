"""The caller's own jobs: the one thing that routes share."""

from __future__ import annotations

from storage.errors import JobNotFoundError
from storage.model.job import Job, is_job_id
from web.context import Web

OWNER = "local"  # an open installation has one owner, who has every job


def owned_job(web: Web, job_id: str) -> Job:
    """Return the caller's job. Raises JobNotFoundError, also for somebody else's job and for what is no id."""
    if not is_job_id(job_id):
        raise JobNotFoundError
    job = web.services.jobs.get(job_id)
    if job.owner != OWNER:
        raise JobNotFoundError
    return job
