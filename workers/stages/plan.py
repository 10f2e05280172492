"""Plan: look at the original, decide how it is encoded, publish what follows."""

from __future__ import annotations

from storage.jobs import Changes, JobState, Stage, tasks_of
from storage.plan import Plan
from workers.attempt import Attempt
from workers.planning import PlanLimits, choose_video, make_plan
from workers.probe import packet_times, probe
from workers.stages.common import input_of
from workers.tool import Watch
from workers.window import publish_due


def plan_stage(attempt: Attempt) -> None:
    """Plan the job and publish poster, sound and the first segments; the rest stays in the plan."""
    services = attempt.services
    services.jobs.move(attempt.job.id, JobState.PLANNING)
    plan = _planned(attempt)
    job = services.jobs.move(attempt.job.id, JobState.ENCODING, Changes(plan=plan, warnings=plan.warnings))
    for task in tasks_of(plan, job.id):
        if task.stage is not Stage.SEGMENT:
            services.publisher.publish(task)
    publish_due(services, job.id)


def _planned(attempt: Attempt) -> Plan:
    url = input_of(attempt)
    watch = Watch(cancelled=attempt.watch.cancelled, conceal=url)
    facts = probe(url, watch)
    video = choose_video(facts)
    limits = PlanLimits(
        max_pixels=attempt.settings.max_source_pixels,
        max_seconds=attempt.settings.max_source_seconds,
        preset=attempt.settings.encode_preset,
        # Before the first encoder has announced itself: those that this installation means to have.
        slots=attempt.services.jobs.slots() or attempt.settings.encoders,
    )
    return make_plan(facts, video, packet_times(url, video.index, watch), limits)
