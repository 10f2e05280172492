"""A segment that fails for good: the job is planned anew as one piece, once, and only where that is a way out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from storage import keys
from storage.errors import DecodeError, OutputMismatchError, RungsError
from storage.jobs import Job, JobState, Stage, Task
from storage.manifests import read_manifest
from storage.services import Services
from storage.settings import Settings
from tests.support.driving import resume
from tests.support.jobs import claim, counted, encoding
from workers.attempt import Attempt, attempt_task
from workers.fallback import NOT_CUT

MISMATCH = OutputMismatchError("49 frames were encoded, 50 were planned.")


@pytest.fixture
def job(twin_services: Services) -> Job:
    """Give a job of two segments that are both out, with its sound made and the first segment's fragments stored."""
    job = encoding(twin_services.jobs)
    twin_services.jobs.announce("encoder", 2, seconds=600.0)  # its poster, still in work, takes one of the slots
    twin_services.jobs.issue(plans=0, tasks=9)
    audio = Task(job.id, Stage.AUDIO)
    claim(twin_services.jobs, audio)
    twin_services.jobs.finish(audio, "a", {"made": True})
    for key in (keys.segment(job.id, "480p", 0), keys.audio_part(job.id, 0)):
        twin_services.objects.put_bytes(key, b"x", content_type="video/mp4")
    return twin_services.jobs.get(job.id)


def failing(error: RungsError) -> Callable[[Attempt], None]:
    """Return a stage that ends with this error."""

    def stage(attempt: Attempt) -> None:  # noqa: ARG001 - a stage's signature
        raise error

    return stage


def spend(services: Services, settings: Settings, task: Task, error: RungsError) -> None:
    """Fail at the task as often as it may be tried."""
    for _ in range(settings.attempts):
        attempt_task(task, failing(error), services, settings)
        resume(services, services.jobs.get(task.job_id))


def test_a_job_whose_segment_fails_for_good_starts_again_in_one_piece(
    twin_services: Services, settings: Settings, job: Job
) -> None:
    """One segment over all frames is out, with a warning and all attempts; the sound is kept, old fragments are not."""
    spend(twin_services, settings, Task(job.id, Stage.SEGMENT, 1), MISMATCH)
    anew = twin_services.jobs.get(job.id)
    assert anew.plan is not None
    assert job.plan is not None
    (whole,) = twin_services.jobs.segments(job.id)
    assert (whole.first_frame, whole.frames, whole.seek, whole.threads) == (0, 200, None, settings.encoders)
    assert anew.plan == replace(job.plan, segment_count=1)
    assert (anew.state, anew.error, anew.warnings) == (JobState.ENCODING, None, (*job.warnings, NOT_CUT))
    assert (anew.id, "segment:0") in twin_services.publisher.pending()
    assert counted(twin_services.jobs, Task(job.id, Stage.SEGMENT, 0)) == 0
    assert set(twin_services.jobs.results(job.id)) == {"audio:0"}
    assert list(twin_services.objects.keys(keys.fragments(job.id))) == [keys.audio_part(job.id, 0)]
    kept = read_manifest(twin_services.objects, keys.planned(job.id), job.id)
    assert (kept.job.plan, kept.job.warnings, kept.segments) == (anew.plan, anew.warnings, (whole,))


def test_before_the_limit_the_segment_is_only_tried_again(
    twin_services: Services, settings: Settings, job: Job
) -> None:
    """One bad attempt changes no plan."""
    attempt_task(Task(job.id, Stage.SEGMENT, 1), failing(MISMATCH), twin_services, settings)
    assert resume(twin_services, job)
    assert replace(twin_services.jobs.get(job.id), failed_attempts=()) == job
    assert (job.id, "segment:1") in twin_services.publisher.pending()


def test_one_piece_that_fails_as_well_fails_the_job(twin_services: Services, settings: Settings, job: Job) -> None:
    """There is nothing left to fall back to: the job says what was wrong with the whole file."""
    spend(twin_services, settings, Task(job.id, Stage.SEGMENT, 1), MISMATCH)
    error = OutputMismatchError("190 frames were encoded, 200 were planned.")
    spend(twin_services, settings, Task(job.id, Stage.SEGMENT, 0), error)
    failed = twin_services.jobs.get(job.id)
    assert failed.error is not None
    assert (failed.state, failed.error.message) == (JobState.FAILED, error.message)


@pytest.mark.parametrize(
    ("stage", "error"), [(Stage.POSTER, MISMATCH), (Stage.SEGMENT, DecodeError("No."))], ids=["poster", "decode"]
)
def test_what_cutting_did_not_cause_fails_the_job(
    stage: Stage, error: RungsError, twin_services: Services, settings: Settings, job: Job
) -> None:
    """Another stage's failure, or a verdict on the file itself, is not mended by one piece."""
    spend(twin_services, settings, Task(job.id, stage), error)
    failed = twin_services.jobs.get(job.id)
    assert failed.error is not None
    assert (failed.state, failed.error.code) == (JobState.FAILED, error.code)
    assert NOT_CUT not in failed.warnings


def test_a_job_that_was_cancelled_meanwhile_stays_so(twin_services: Services, settings: Settings, job: Job) -> None:
    """The last attempt fails after the job ended: nothing is planned or published."""
    task = Task(job.id, Stage.SEGMENT, 1)
    for _ in range(settings.attempts - 1):
        attempt_task(task, failing(MISMATCH), twin_services, settings)
        resume(twin_services, job)
    before = twin_services.publisher.pending()

    def cancelled_meanwhile(attempt: Attempt) -> None:
        attempt.services.jobs.move(job.id, JobState.CANCELLED)
        raise MISMATCH

    attempt_task(task, cancelled_meanwhile, twin_services, settings)
    ended = twin_services.jobs.get(job.id)
    assert (ended.state, ended.warnings, ended.plan) == (JobState.CANCELLED, job.warnings, job.plan)
    assert twin_services.publisher.pending() == before
