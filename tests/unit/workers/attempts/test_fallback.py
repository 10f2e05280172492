"""What fails for good: a segment has its job planned anew as one piece where that helps; a poster is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from storage.errors import OutputMismatchError, RungsError
from storage.media_errors import DecodeError
from storage.model.job import Changes, Job, JobState
from storage.model.plan import AUDIO
from storage.model.task import Stage, Task
from storage.model.timed_text import SubtitleSource, SubtitleTrack
from storage.objects import keys
from storage.objects.manifests import read_manifest
from storage.services import Services
from storage.settings import Settings
from tests.support.driving import resume
from tests.support.jobs import claim, counted, created, encoding, make_plan, make_segments
from workers.attempts.attempt import Attempt, attempt_task
from workers.attempts.fallback import NOT_CUT

MISMATCH = OutputMismatchError(detail="49 frames were encoded, 50 were planned.")


@pytest.fixture
def job(own_services: Services) -> Job:
    """Give a job of two segments that are both out, with its sound made and the first segment's fragments stored."""
    job = encoding(own_services.jobs)
    own_services.jobs.announce("encoder", 2, seconds=600.0)  # its poster, still in work, takes one of the slots
    own_services.jobs.issue(plans=0, tasks=9)
    audio = Task(job.id, Stage.AUDIO)
    claim(own_services.jobs, audio)
    own_services.jobs.finish(audio, "a", {"made": True})
    for key in (keys.segment(job.id, "480p", 0), keys.segment(job.id, AUDIO, 0)):
        own_services.objects.put_bytes(key, b"x", content_type="video/mp4")
    return own_services.jobs.get(job.id)


def failing(error: Exception) -> Callable[[Attempt], None]:
    """Return a stage that ends with this error."""

    def stage(attempt: Attempt) -> None:  # noqa: ARG001 - a stage's signature
        raise error

    return stage


def spend(services: Services, settings: Settings, task: Task, error: Exception) -> None:
    """Fail at the task as often as it may be tried."""
    for _ in range(settings.attempts):
        attempt_task(task, failing(error), services, settings)
        resume(services, services.jobs.get(task.job_id))


def test_a_job_whose_segment_fails_for_good_starts_again_in_one_piece(
    own_services: Services, settings: Settings, job: Job
) -> None:
    """One segment over all frames is out, with a warning and all attempts; the sound is kept, old fragments are not."""
    spend(own_services, settings, Task(job.id, Stage.SEGMENT, 1), MISMATCH)
    anew = own_services.jobs.get(job.id)
    assert anew.plan is not None
    assert job.plan is not None
    (whole,) = own_services.jobs.segments(job.id)
    assert (whole.first_frame, whole.frames, whole.seek, whole.threads) == (0, 200, None, settings.encoders)
    assert anew.plan == replace(job.plan, segment_count=1)
    assert (anew.state, anew.error, anew.warnings) == (JobState.ENCODING, None, (*job.warnings, NOT_CUT))
    assert (anew.id, "segment:0") in own_services.publisher.pending()
    assert counted(own_services.jobs, Task(job.id, Stage.SEGMENT, 0)) == 0
    assert set(own_services.jobs.results(job.id)) == {"audio:0"}
    assert list(own_services.objects.keys(keys.fragments(job.id))) == [keys.segment(job.id, AUDIO, 0)]
    kept = read_manifest(own_services.objects, keys.planned(job.id), job.id)
    assert (kept.job.plan, kept.job.warnings, kept.segments) == (anew.plan, anew.warnings, (whole,))


def test_before_the_limit_the_segment_is_only_tried_again(own_services: Services, settings: Settings, job: Job) -> None:
    """One bad attempt changes no plan."""
    attempt_task(Task(job.id, Stage.SEGMENT, 1), failing(MISMATCH), own_services, settings)
    assert resume(own_services, job)
    assert replace(own_services.jobs.get(job.id), failed_attempts=()) == job
    assert (job.id, "segment:1") in own_services.publisher.pending()


def test_one_piece_that_fails_as_well_fails_the_job(own_services: Services, settings: Settings, job: Job) -> None:
    """There is nothing left to fall back to: the job says what was wrong with the whole file."""
    spend(own_services, settings, Task(job.id, Stage.SEGMENT, 1), MISMATCH)
    error = OutputMismatchError(detail="190 frames were encoded, 200 were planned.")
    spend(own_services, settings, Task(job.id, Stage.SEGMENT, 0), error)
    failed = own_services.jobs.get(job.id)
    assert failed.error is not None
    assert (failed.state, failed.error.message) == (JobState.FAILED, error.message)


@pytest.mark.parametrize(
    ("stage", "error"), [(Stage.AUDIO, MISMATCH), (Stage.SEGMENT, DecodeError(detail="No."))], ids=["audio", "decode"]
)
def test_what_cutting_did_not_cause_fails_the_job(
    stage: Stage, error: RungsError, own_services: Services, settings: Settings, job: Job
) -> None:
    """Another stage's failure, or a verdict on the file itself, is not mended by one piece."""
    if stage is Stage.AUDIO:
        job = encoding(own_services.jobs)
    spend(own_services, settings, Task(job.id, stage), error)
    failed = own_services.jobs.get(job.id)
    assert failed.error is not None
    assert (failed.state, failed.error.code) == (JobState.FAILED, error.code)
    assert NOT_CUT not in failed.warnings


@pytest.mark.parametrize("error", [KeyError("unforeseen"), MISMATCH, DecodeError(detail="No.")], ids=type)
def test_a_job_goes_on_without_a_poster_that_cannot_be_made(
    error: Exception, own_services: Services, settings: Settings, job: Job
) -> None:
    """The task is finished as not made and the rest of the job is as it was: a video without one is still a video."""
    poster = Task(job.id, Stage.POSTER)
    spend(own_services, settings, poster, error)
    assert own_services.jobs.results(job.id)[poster.field] == {"made": False}
    after = own_services.jobs.get(job.id)
    assert (after.state, after.error, after.warnings, after.has_poster) == (
        JobState.ENCODING,
        None,
        job.warnings,
        False,
    )
    assert after.plan == job.plan


def test_a_job_goes_on_without_subtitles_that_cannot_be_read(own_services: Services, settings: Settings) -> None:
    """As without a poster; nobody waits for them any more."""
    plan = replace(make_plan(), subtitles=(SubtitleSource(SubtitleTrack("0", "en"), 2, "subrip"),))
    job = created(own_services.jobs)
    own_services.jobs.move(job.id, JobState.PLANNING)
    own_services.jobs.move(job.id, JobState.ENCODING, Changes(plan=plan, segments=make_segments(plan)))
    texts = Task(job.id, Stage.SUBTITLES)
    spend(own_services, settings, texts, MISMATCH)
    assert own_services.jobs.results(job.id)[texts.field] == {"made": False}
    after = own_services.jobs.get(job.id)
    assert (after.state, after.subtitles_made) == (JobState.ENCODING, ())


def test_a_poster_whose_attempts_all_died_is_done_without(own_services: Services, settings: Settings, job: Job) -> None:
    """Pictures that kill each worker that looks at them cost the poster, not the job."""
    poster = Task(job.id, Stage.POSTER)
    for attempt in range(settings.attempts):
        claim(own_services.jobs, poster, f"dead{attempt}", lease=-1.0)
    attempt_task(poster, failing(MISMATCH), own_services, settings)
    assert own_services.jobs.results(job.id)[poster.field] == {"made": False}
    assert own_services.jobs.get(job.id).state is JobState.ENCODING


def test_a_poster_that_is_the_last_task_moves_the_job_on(own_services: Services, settings: Settings, job: Job) -> None:
    """Packaging begins, as it would after a poster that was made."""
    for segment in range(2):
        task = Task(job.id, Stage.SEGMENT, segment)
        claim(own_services.jobs, task)
        own_services.jobs.finish(task, "a", {})
    spend(own_services, settings, Task(job.id, Stage.POSTER), MISMATCH)
    assert own_services.jobs.get(job.id).state is JobState.PACKAGING
    assert (job.id, "package:0") in own_services.publisher.pending()


@pytest.mark.parametrize("stage", [Stage.SEGMENT, Stage.POSTER])
def test_a_job_that_was_cancelled_meanwhile_stays_so(
    stage: Stage, own_services: Services, settings: Settings, job: Job
) -> None:
    """The last attempt fails after the job ended: nothing is planned or published."""
    task = Task(job.id, stage)
    for _ in range(settings.attempts - 1):
        attempt_task(task, failing(MISMATCH), own_services, settings)
        resume(own_services, job)
    before = own_services.publisher.pending()

    def cancelled_meanwhile(attempt: Attempt) -> None:
        attempt.services.jobs.move(job.id, JobState.CANCELLED)
        raise MISMATCH

    attempt_task(task, cancelled_meanwhile, own_services, settings)
    ended = own_services.jobs.get(job.id)
    assert (ended.state, ended.warnings, ended.plan) == (JobState.CANCELLED, job.warnings, job.plan)
    assert own_services.publisher.pending() == before
