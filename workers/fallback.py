"""Falling back to one segment over the whole file: correct first, parallel second (DESIGN §7)."""

from __future__ import annotations

import structlog

from storage import keys
from storage.errors import ConflictError, JobNotFoundError, RungsError
from storage.jobs import Stage, Task
from storage.services import Services
from storage.settings import Settings
from storage.warnings import warning
from workers.planning import without_cuts
from workers.saving import save_planned

NOT_CUT = warning("not_cut")

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
    _log.warning("one segment instead of many", job=task.job_id, task=task.field, error=error.message)
    return True
