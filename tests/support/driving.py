"""Driving a job through all stages in this process: the real stages and ffmpeg, the twins of stores and broker."""

from __future__ import annotations

from pathlib import Path

from storage import keys
from storage.jobs import Job, Stage, Task
from storage.memory_publisher import MemoryPublisher
from storage.publishing import QUEUES
from storage.services import Services
from storage.settings import Settings
from tests.support.jobs import make_job
from workers.attempt import attempt_task
from workers.stages import STAGES


def submit(services: Services, path: Path) -> Job:
    """Store the original, create its job and publish its plan, as the web service does; return the job."""
    job = make_job(title=path.name, filename=path.name, size=path.stat().st_size)
    services.objects.put_file(keys.original(job.id), path, content_type="application/octet-stream")
    services.jobs.create(job)
    services.publisher.publish(Task(job.id, Stage.PLAN))
    return job


def drive(services: Services, settings: Settings, path: Path) -> Job:
    """Take the file from upload to the job's end, one delivery after another; return the job as it ended."""
    job = submit(services, path)
    while step(services, settings):
        pass
    return services.jobs.get(job.id)


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
