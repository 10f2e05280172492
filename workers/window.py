"""The window: how many segments of a job are out at the broker at once (DESIGN §6)."""

from __future__ import annotations

from storage.jobs import window_of
from storage.services import Services


def publish_due(services: Services, job_id: str) -> int:
    """Publish the segments the job has credit for; return how many.

    The shares are those of this moment: encoders come and go, and so do jobs.
    """
    window = window_of(services.jobs.slots(), services.jobs.counts().active)
    tasks = services.jobs.issue(job_id, window)
    for task in tasks:
        services.publisher.publish(task)
    return len(tasks)
