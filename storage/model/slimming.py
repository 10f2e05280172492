"""What an ended job's record keeps as it is, and how the rest comes back; docs/finished-jobs.md. Pure."""

from __future__ import annotations

from dataclasses import replace

from storage.model.job import Job

# What lists show, what a retry begins with, and what webhooks are called by; it stays as it is.
KEPT = (
    "id",
    "owner",
    "title",
    "filename",
    "size",
    "created_at",
    "webhook_url",
    "loudness",
    "priority",
    "state",
    "started_at",
    "finished_at",
    "frames_done",
    "has_poster",
    "playable",
    "has_storyboard",
    "incomplete",
    "added",
)


def is_end_of(ended: Job, job: Job) -> bool:
    """Tell whether `ended` is the whole of this slim job: not another job, nor an end of another run."""
    return (ended.id, ended.state, ended.finished_at, ended.slim) == (job.id, job.state, job.finished_at, None)


def completed(job: Job, ended: Job) -> Job:
    """Return the slim job with the rest that `ended` has; where both say something, its record is right."""
    own = {name: getattr(job, name) for name in KEPT}
    error = job.error
    if error is not None and ended.error is not None and ended.error.code == error.code:
        error = replace(error, detail=ended.error.detail)
    return replace(ended, **own, outputs=job.outputs, error=error, slim=None)
