"""Dispatch: tasks go to the broker in the order of their jobs' targets, and no more of them than the encoders need.

Whoever earns the queue room calls this: a job that was accepted, an attempt that ended; the janitor does in every
round, for encoders that came and jobs that went.
"""

from __future__ import annotations

from storage.scheduling.fairness import budget, plans_budget
from storage.services import Services


def dispatch(services: Services) -> None:
    """Publish the tasks that are due, of all jobs. Raises BusyError.

    What was issued and could not be published is found by the janitor.
    """
    slots = services.jobs.slots()
    for task in services.jobs.issue(plans=plans_budget(slots), tasks=budget(slots)):
        services.publisher.publish(task)
