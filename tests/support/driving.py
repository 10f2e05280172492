"""Driving a job through all stages in this process: the real stages and ffmpeg, the twin of the broker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from storage.broker.contract import QUEUES
from storage.model.job import Job
from storage.model.task import Task
from storage.objects import keys
from storage.objects.manifests import Manifest, put_manifest
from storage.services import Services
from storage.services.dispatch import dispatch
from storage.settings import Settings
from tests.support.job_store import OwnJobStore
from tests.support.jobs import make_job
from tests.support.memory_publisher import MemoryPublisher
from workers.attempts.attempt import attempt_task
from workers.stages import STAGES


def submit(services: Services, path: Path, **fields: Any) -> Job:
    """Store original and manifest, create the job and dispatch, as the web service does; return the job.

    The arguments replace the job's fields.
    """
    job = make_job(title=path.name, filename=path.name, size=path.stat().st_size, **fields)
    services.objects.put_file(keys.original(job.id), path, content_type="application/octet-stream")
    put_manifest(services.objects, keys.manifest(job.id), Manifest(job=job))
    services.jobs.create(job)
    dispatch(services)
    return job


def drive(services: Services, settings: Settings, path: Path) -> Job:
    """Take the file from upload to the job's end, one delivery after another; return the job as it ended."""
    return drive_on(services, settings, submit(services, path))


def drive_on(services: Services, settings: Settings, job: Job) -> Job:
    """Take a job that has begun to its end."""
    while step(services, settings) or resume(services, job):
        pass
    return services.jobs.get(job.id)


def resume(services: Services, job: Job) -> bool:
    """Publish the job's tasks that rest after a failed attempt, as if the time were over; False when there are none."""
    assert isinstance(services.jobs, OwnJobStore)
    rested = services.jobs.end_rests(job.id)
    for field in rested:
        services.publisher.publish(Task.of_field(job.id, field))
    return bool(rested)


def step(services: Services, settings: Settings) -> bool:
    """Deliver the next message of the first queue that has one and work on it; False when there is none."""
    assert isinstance(services.publisher, MemoryPublisher)
    for queue in QUEUES:
        task = services.publisher.deliver(queue)
        if task is not None:
            attempt_task(task, STAGES[task.stage], services, settings)
            services.publisher.acknowledge(task)
            return True
    return False
