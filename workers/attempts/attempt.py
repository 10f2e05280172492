"""One attempt at one task: claim, keep the lease, run the stage, and turn every outcome into the right next step."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from storage.errors import BusyError, ConflictError, JobNotFoundError, LeaseLostError, RungsError
from storage.faults import of_one_job
from storage.job_store.contract import Claim
from storage.model.job import Changes, Job, JobError, JobState
from storage.model.task import Stage, Task
from storage.services import Services
from storage.services.dispatch import dispatch_or_leave
from storage.settings import Settings
from workers.attempts.failure_policy import (
    Outcome,
    last_reason,
    outcome_of,
    reason_of,
    rest_after_failure,
    rest_after_outage,
    verdict,
)
from workers.attempts.fallback import fall_back, go_without
from workers.sandbox.arriving_view import PATIENCE_SECONDS
from workers.sandbox.cpu_watch import WorkBudget
from workers.sandbox.run import ToolLimits, Watch
from workers.sandbox.scratch import attempt_name, scratch_folder

LEASE_SECONDS = 6.0  # how long a dead attempt blocks its task: with the janitor's round it goes on within 10 s
RENEW_SECONDS = 1.0  # five tries before the lease ends; also how soon a cancelled job's ffmpeg is stopped: within 2 s
REPORT_SECONDS = 0.5  # progress is for people: more than two a second is noise in the event log
DEADLINE_SECONDS = 24 * 3600.0  # the stall watchdog is the real guard; this ends what moves but never arrives

# What has come of the sound is read without a pause. Whoever gives up too soon has a little less of it to be heard.
SOUND_PATIENCE_SECONDS = 3.0
_PATIENCE = {
    Stage.EARLY_PLAN: PATIENCE_SECONDS,
    Stage.EARLY_SEGMENT: PATIENCE_SECONDS,
    Stage.EARLY_AUDIO: SOUND_PATIENCE_SECONDS,
}

_log = structlog.get_logger()


@dataclass(slots=True)
class Attempt:
    """What a stage is given: the task and its job, the parts, a scratch folder of its own and the watch over tools."""

    task: Task
    job: Job
    services: Services
    settings: Settings
    scratch: Path
    name: str
    watch: Watch = field(default_factory=Watch)
    frames: int = 0  # how far the stage is, in output frames
    started: float = field(default_factory=time.monotonic)

    @property
    def limits(self) -> ToolLimits:
        """Return the time limits of an ffmpeg of this attempt."""
        stall = min(_PATIENCE.get(self.task.stage, math.inf), self.settings.stall_seconds)
        return ToolLimits(deadline=DEADLINE_SECONDS, stall=stall)

    def bound(self, cpu_seconds: float) -> None:
        """Let all tools of this attempt together take so many CPU seconds, from now on."""
        self.watch.work = WorkBudget(cpu_seconds)

    def keep(self, *, reported: int, renew: bool) -> bool:
        """Pass progress on if there is any since `reported`, renew the lease if told; False when it is lost."""
        jobs = self.services.jobs
        if self.frames > reported and not jobs.report(self.task, self.name, self.frames):
            return False
        return not renew or jobs.renew(self.task, self.name, lease_seconds=LEASE_SECONDS)

    def check_ours(self) -> None:
        """Raise LeaseLostError rather than let an object be published for a job that ended or is another attempt's."""
        if self.watch.cancelled.is_set():
            raise LeaseLostError


StageFunction = Callable[[Attempt], None]


def attempt_task(task: Task, stage: StageFunction, services: Services, settings: Settings) -> None:
    """Try the task once, if it is ours to try; return when the delivery may be acknowledged."""
    name = attempt_name()
    log = _log.bind(job=task.job_id, task=task.field, attempt=name)
    claim = services.jobs.claim(task, name, lease_seconds=LEASE_SECONDS, limit=settings.attempts)
    if claim is Claim.SPENT and not task.stage.is_early:
        _give_up(services, task)
    if claim is not Claim.GRANTED:
        log.info("not ours", claim=str(claim))
        return
    started = time.monotonic()
    try:
        with scratch_folder(settings.scratch_dir, task, name) as folder:
            attempt = Attempt(task, services.jobs.get(task.job_id), services, settings, folder, name)
            with _kept_lease(attempt):
                stage(attempt)
        log.info("done", seconds=round(time.monotonic() - started, 2), **_work_of(attempt.watch))
    except Exception as error:
        # What fails early is done again when the upload is whole, and only then it means something.
        outcome = Outcome.STOP if task.stage.is_early else outcome_of(error)
        expected = isinstance(error, RungsError)
        log.warning("attempt failed", outcome=str(outcome), error=str(error), exc_info=not expected)
        match outcome:
            case Outcome.STOP:
                services.jobs.release(task, name)
            case Outcome.WAIT:
                rest = rest_after_outage(time.monotonic() - started)
                services.jobs.release(task, name, rest=rest)
                _publish_rested(services, task, rest)
            case Outcome.FAIL_JOB | Outcome.RETRY:
                _count_failure(task, name, error, services, settings)
    dispatch_or_leave(services)


def _work_of(watch: Watch) -> dict[str, float]:
    """Return for the log what the attempt's tools took of its budget, in CPU seconds."""
    return {} if watch.work is None else {"cpu": round(watch.work.spent, 2), "budget": round(watch.work.seconds)}


def fail_job(services: Services, task: Task, reason: JobError) -> None:
    """End the job with this reason, unless it ended already; the janitor removes what was made, the original stays."""
    try:
        services.jobs.move(task.job_id, JobState.FAILED, Changes(error=reason))
    except (ConflictError, JobNotFoundError):
        _log.info("job ended before it could fail", job=task.job_id, code=reason.code)


def _give_up(services: Services, task: Task) -> None:
    """End a task whose attempts are spent: its job fails with what the last of them came to, if it needs the task."""
    if go_without(task, services):
        return
    try:
        failed = services.jobs.get(task.job_id).failed_attempts
    except JobNotFoundError:
        return
    fail_job(services, task, last_reason(failed, task.field))


def _count_failure(task: Task, name: str, error: Exception, services: Services, settings: Settings) -> None:
    """Record the failed attempt; then comes the next one, another plan, a job without this or the job's end."""
    spent = services.jobs.attempts(task.job_id).get(task.field, 0)
    over = outcome_of(error) is Outcome.FAIL_JOB
    last = over or spent >= settings.attempts
    rest = 0.0 if last else rest_after_failure(spent)
    if not services.jobs.fail(task, name, reason_of(error), rest=rest):
        return  # whoever owns the task now decides
    if not last:
        _publish_rested(services, task, rest)
        return
    known = verdict(error, task.stage)
    if go_without(task, services) or (not over and fall_back(task, known, services, settings)):
        return
    fail_job(services, task, reason_of(known))


def _publish_rested(services: Services, task: Task, rest: float) -> None:
    """Publish the task's next attempt, unless it rests first: the janitor publishes it when that is over."""
    if not rest:
        services.publisher.publish(task)


@contextmanager
def _kept_lease(attempt: Attempt) -> Iterator[None]:
    """Renew the lease and pass progress on while the stage runs; when the lease is lost, stop the running tool.

    In a thread of its own: a store that is away must not hold up whoever drains the tool's output.
    """
    ended = threading.Event()

    def keep() -> None:
        reported, renewed_at = 0, time.monotonic()
        while not ended.wait(REPORT_SECONDS):
            frames, now = attempt.frames, time.monotonic()
            renew = now - renewed_at >= RENEW_SECONDS
            kept = None
            try:
                # Whatever goes wrong is tried again: a thread that ended would let the lease run out without a word.
                with of_one_job("lease", attempt.task.job_id, attempt.services.jobs.count_fault):
                    kept = attempt.keep(reported=reported, renew=renew)
            except BusyError as error:
                _log.warning("lease could not be renewed", task=attempt.task.field, error=str(error))
            if kept is None:
                continue
            if not kept:
                attempt.watch.cancelled.set()
                return
            reported, renewed_at = frames, now if renew else renewed_at

    keeper = threading.Thread(target=keep, name="lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()
