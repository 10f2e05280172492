"""How far a job is and when it will be done: pure arithmetic on job records, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from storage.jobs import Job, JobState

# Shares of the whole at which the states end: probing and checking take seconds, encoding takes the time.
PLANNED = 0.02
ENCODED = 0.97

# A speed measured over less time than this mostly measures ffmpeg's start.
MEASURED_AFTER_SECONDS = 3.0


def encoded_fraction(job: Job) -> float:
    """Return how much of the job's timeline is encoded, 0..1."""
    if job.state in {JobState.PACKAGING, JobState.READY}:
        return 1.0
    if job.plan is None or job.plan.frames <= 0:
        return 0.0
    return min(1.0, max(0.0, job.frames_done / job.plan.frames))


def progress(job: Job) -> float:
    """Return how much of the whole job is done, 0..1; a job that failed or was cancelled stays where it stopped."""
    if job.state is JobState.READY:
        return 1.0
    if job.plan is None:
        return 0.0
    return PLANNED + (ENCODED - PLANNED) * encoded_fraction(job)


def eta_seconds(job: Job, *, ahead: Sequence[Job], rates: Sequence[float], now: float) -> float | None:
    """Return in how many seconds the job will be ready, None when that is not known.

    `ahead` are the unfinished jobs that came before it, `rates` the seconds of work per second of video of recent
    jobs, `now` Unix seconds. A job's length is known once it is planned, so before that there is no estimate.
    """
    if job.state is not JobState.ENCODING or job.plan is None:
        return None
    speed = _frames_per_second(job, now)
    if speed is not None:
        return _frames_left(job) / speed + _packaging(job.plan.frames / speed)
    if not rates:
        return None
    waiting = _seconds_of_others(ahead, median(rates), now)
    return None if waiting is None else waiting + job.plan.duration * median(rates)


def _frames_left(job: Job) -> int:
    return 0 if job.plan is None else max(0, job.plan.frames - job.frames_done)


def _packaging(encoding: float) -> float:
    return encoding * (1 - ENCODED) / (ENCODED - PLANNED)


def _frames_per_second(job: Job, now: float) -> float | None:
    if job.encoding_at is None or job.frames_done <= 0:
        return None
    elapsed = now - job.encoding_at
    return job.frames_done / elapsed if elapsed >= MEASURED_AFTER_SECONDS else None


def _seconds_of_others(ahead: Sequence[Job], rate: float, now: float) -> float | None:
    """Return how long the jobs ahead still keep the encoders busy; None if one of them has no known length."""
    encoding = [job for job in ahead if job.state is JobState.ENCODING]
    if any(job.state in {JobState.QUEUED, JobState.PLANNING} for job in ahead):
        return None
    # As many jobs move at once as there are encoders for them.
    lanes = max(1, sum(job.frames_done > 0 for job in encoding))
    return sum(_seconds_left(job, rate, now) for job in encoding) / lanes


def _seconds_left(job: Job, rate: float, now: float) -> float:
    speed = _frames_per_second(job, now)
    if speed is not None:
        return _frames_left(job) / speed
    return 0.0 if job.plan is None else float(_frames_left(job) / job.plan.rate) * rate
