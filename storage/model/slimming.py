"""What a job's record keeps once it has ended, and how the rest comes back; docs/finished-jobs.md. Pure."""

from __future__ import annotations

from dataclasses import replace

from storage.model.job import Job, JobError, Slim, SlimRung

# What lists show, what a retry begins with, and what webhooks are called by; it stays as it is.
_KEPT = (
    "id",
    "owner",
    "title",
    "filename",
    "size",
    "created_at",
    "webhook_url",
    "priority",
    "state",
    "started_at",
    "finished_at",
    "frames_done",
    "has_poster",
    "playable",
    "has_storyboard",
)


def slimmed(job: Job) -> Job:
    """Return the ended job as its slim record says it: without what only the job's own page shows."""
    rungs = tuple(SlimRung(rung.name, rung.width, rung.height) for rung in job.rungs)
    names = {rung.name for rung in rungs}
    return Job(
        **{name: getattr(job, name) for name in _KEPT},
        outputs=tuple(output for output in job.outputs if output.rung in names),
        error=None if job.error is None else JobError(job.error.code, job.error.message, values=job.error.values),
        slim=Slim(rungs, job.planned_frames),
    )


def is_end_of(ended: Job, job: Job) -> bool:
    """Tell whether `ended` is the whole of this slim job: not another job, nor an end of another run."""
    return (ended.id, ended.state, ended.finished_at, ended.slim) == (job.id, job.state, job.finished_at, None)


def completed(job: Job, ended: Job) -> Job:
    """Return the slim job with the rest that `ended` has; where both say something, its record is right."""
    own = {name: getattr(job, name) for name in _KEPT}
    error = job.error
    if error is not None and ended.error is not None and ended.error.code == error.code:
        error = replace(error, detail=ended.error.detail)
    return replace(ended, **own, outputs=job.outputs, error=error, slim=None)
