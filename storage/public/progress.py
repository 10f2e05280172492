"""How far a job is: pure arithmetic on job records."""

from __future__ import annotations

from storage.model.job import Job, JobState

# Shares of the whole at which the states end: probing and checking take seconds, encoding takes the time.
PLANNED = 0.02
ENCODED = 0.97


def encoded_fraction(job: Job) -> float:
    """Return how much of the job's timeline is encoded, 0..1."""
    if job.state in {JobState.PACKAGING, JobState.READY}:
        return 1.0
    planned = job.planned_frames
    if planned is None or planned <= 0:
        return 0.0
    return min(1.0, max(0.0, job.frames_done / planned))


def progress(job: Job) -> float:
    """Return how much of the whole job is done, 0..1; a job that failed or was cancelled stays where it stopped."""
    if job.state is JobState.READY:
        return 1.0
    if job.planned_frames is None:
        return 0.0
    return PLANNED + (ENCODED - PLANNED) * encoded_fraction(job)
