"""When no attempt at a task succeeds: one segment over the whole file, or a job without poster or subtitles.

docs/design.md#encoding says why: correct first, parallel second.
"""

from __future__ import annotations

import sys
from contextlib import suppress

import structlog

from storage.errors import ConflictError, JobNotFoundError, LeaseLostError, RungsError
from storage.job_store.contract import Claim
from storage.model.job_warnings import warning
from storage.model.task import Stage, Task
from storage.objects import keys
from storage.objects.manifests import save_planned
from storage.services import Services
from storage.services.dispatch import finish_task
from storage.settings import Settings
from workers.planning.segments import without_cuts
from workers.sandbox.scratch import attempt_name

NOT_CUT = warning("not_cut")
_FINISHING_SECONDS = 5.0  # of the lease; should this process die in it, the janitor delivers the task once more

_log = structlog.get_logger()


def fall_back(task: Task, error: RungsError, services: Services, settings: Settings) -> bool:
    """Plan the job anew without cuts if one of its segments failed for good; False where that is no way out.

    The job's other attempts lose their leases with the old plan.
    """
    if task.stage is not Stage.SEGMENT:
        return False
    try:
        job = services.jobs.get(task.job_id)
        if job.plan is None or job.plan.segment_count == 1:
            return False
        plan, segments = without_cuts(job.plan, threads=settings.encoders)
        warnings = (*job.warnings, NOT_CUT)
        save_planned(services.objects, job, plan, segments, warnings)
        services.jobs.replan(job.id, plan, segments, warnings)
        for rung in plan.rungs:
            services.objects.delete_prefix(keys.track(job.id, rung.name))
    except (ConflictError, JobNotFoundError):
        return True
    _log.warning("one segment instead of many", job=task.job_id, task=task.field, error=str(error))
    return True


def go_without(task: Task, services: Services) -> bool:
    """Finish a poster or subtitles as not made, since a video without is still a video; False for any other task.

    The attempt that only says so is granted however many were spent.
    """
    if task.stage not in {Stage.POSTER, Stage.SUBTITLES}:
        return False
    name = attempt_name()
    claim = services.jobs.claim(task, name, lease_seconds=_FINISHING_SECONDS, limit=sys.maxsize)
    if claim is Claim.GRANTED:
        _log.warning("gone without", job=task.job_id, task=task.field)
        with suppress(LeaseLostError, ConflictError, JobNotFoundError):  # it was cancelled or deleted just now
            finish_task(services, task, name, {"made": False})
    return True
