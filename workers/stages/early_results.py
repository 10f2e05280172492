"""What was encoded early: kept if the plan of the whole file is the early one, else thrown away."""

from __future__ import annotations

import time

from storage.model.early import EarlyPlan
from storage.model.plan import Plan, Segment
from storage.model.task import Task
from storage.objects import keys
from storage.services import Services
from storage.services.upload_index import index_agrees
from workers.attempts.attempt import LEASE_SECONDS

_LOOK_SECONDS = 0.1


def keeps_early_work(
    services: Services, job_id: str, early: EarlyPlan, plan: Plan, segments: tuple[Segment, ...]
) -> bool:
    """Tell whether the early results of a job are those of its plan; if not, nothing of them is left on return."""
    agrees = early.index is None or index_agrees(services.objects, job_id, early.index)
    if agrees and early.same_as(plan, segments):
        return True
    services.jobs.forget_early(job_id)
    _wait_for_attempts(services, job_id)
    services.objects.delete_prefix(keys.fragments(job_id))
    services.objects.delete_prefix(keys.early_poster(job_id))
    return False


def _wait_for_attempts(services: Services, job_id: str) -> None:
    """Wait until no early attempt can store anything any more: its lease is refused, or has run out."""
    deadline = time.monotonic() + LEASE_SECONDS
    while _is_at_work(services, job_id) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)


def _is_at_work(services: Services, job_id: str) -> bool:
    leases = services.jobs.leases(job_id).items()
    return any(lease.live and Task.of_field(job_id, field).stage.is_early for field, lease in leases)
