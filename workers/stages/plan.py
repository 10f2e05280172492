"""Plan: look at the original, and decide how it is encoded and when."""

from __future__ import annotations

import time
from dataclasses import replace

from storage.model.job import Changes, Job, JobState
from storage.model.plan import Plan, Segment
from storage.objects.manifests import save_planned
from storage.scheduling.costs import calibrate, planned_work
from storage.scheduling.forecast import estimate, estimated, promised
from storage.scheduling.line import forecast_with
from storage.scheduling.work_sums import pieces_of
from storage.services.queue_reading import read_queue
from workers.attempts.attempt import Attempt
from workers.planning.make_plan import PlanLimits
from workers.planning.plan_file import NOTHING_CONCEALED, ConcealError, plan_file
from workers.sandbox.run import Watch
from workers.stages.common import original_of
from workers.stages.early_results import keeps_early_work
from workers.stages.work_budgets import check_affordable, planning_budget


def plan_stage(attempt: Attempt) -> None:
    """Plan the job and take its place among the others; what it costs by its plan is known now."""
    services = attempt.services
    job = services.jobs.move(attempt.job.id, JobState.PLANNING)
    attempt.bound(planning_budget(job.size))
    early = services.jobs.early(job.id)
    limits = plan_limits(attempt)
    if early is not None:
        limits = replace(limits, slots=early.slots, pace=early.pace)
    plan, segments = _planned(attempt, limits)
    check_affordable(plan, attempt.settings.max_job_hours)
    attempt.check_ours()
    kept = early is not None and keeps_early_work(services, job.id, early, plan, segments)
    save_planned(services.objects, job, plan, segments, plan.warnings)
    services.jobs.move(job.id, JobState.ENCODING, replace(_changes(attempt, job, plan, segments), keeps_early=kept))


def _changes(attempt: Attempt, job: Job, plan: Plan, segments: tuple[Segment, ...]) -> Changes:
    """Return what the job has from now on: the plan, a place among all others by its cost, and a truer promise."""
    jobs = attempt.services.jobs
    outlook = read_queue(jobs, encoders=attempt.settings.encoders).outlook
    present = next(iter(jobs.works([job.id])), None)
    told = 0.0 if present is None else present.told
    planned = replace(planned_work(job, plan), told=told)
    expected = estimate(planned, outlook)
    work = estimated(planned, expected)
    later = work.target - work.start_target
    forecast = forecast_with(jobs, outlook, work, None if present is None else pieces_of(present))
    jobs.estimate(job.id, expected)
    return Changes(
        plan=plan,
        segments=segments,
        warnings=plan.warnings,
        after_start=later,
        promise=promised(forecast, now=time.time()),
    )


def plan_limits(attempt: Attempt) -> PlanLimits:
    """Return what the installation takes, and what its encoders do, at this moment."""
    jobs = attempt.services.jobs
    return PlanLimits(
        max_pixels=attempt.settings.max_source_pixels,
        max_seconds=attempt.settings.max_source_seconds,
        preset=attempt.settings.encode_preset,
        # Before the first encoder has announced itself: those that this installation means to have.
        slots=jobs.slots() or attempt.settings.encoders,
        pace=calibrate(jobs.recent_finished()).pace,
    )


def _planned(attempt: Attempt, limits: PlanLimits) -> tuple[Plan, tuple[Segment, ...]]:
    concealed = NOTHING_CONCEALED
    while True:
        try:
            with original_of(attempt, concealed.appended.without, concealed.unlisted.blank) as url:
                return plan_file(url, limits, _watch(attempt, url), concealed)
        except ConcealError as error:  # of more each time: a recording behind the first one, or one more track
            concealed = error.found


def _watch(attempt: Attempt, url: str) -> Watch:
    return replace(attempt.watch, conceal=url)
