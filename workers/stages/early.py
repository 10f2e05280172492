"""Early work: planning and encoding an upload whose last byte has not come (storage/model/early.py)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial

from storage.errors import LeaseLostError, UploadPausedError
from storage.model.early import EarlyPlan
from storage.model.upload import Upload
from storage.objects import keys
from storage.services.arriving import ArrivingUpload
from storage.services.upload_index import index_of
from storage.services.uploads import upload_of
from storage.upload_errors import UploadNotFoundError
from workers.attempts.attempt import Attempt
from workers.ffmpeg.needed_bytes import needed_of_segments
from workers.planning.early import early_plan
from workers.sandbox.arriving_view import GuessingView, StandingView, WaitingView
from workers.sandbox.relay import Relay
from workers.stages.audio import encode_audio_that_came
from workers.stages.common import checked, original_of
from workers.stages.early_poster import early_poster
from workers.stages.plan import plan_limits
from workers.stages.segment import encode_segment
from workers.stages.work_budgets import planning_budget

# CPU seconds of a guess: several times what the index of a film of twelve hours takes, and no more of a process that
# plans whole uploads.
LONGEST_PLAN = 60.0


def early_plan_stage(attempt: Attempt) -> None:
    """Plan what has come of an upload, if that can be done; nothing is lost if not."""
    services, job_id = attempt.services, attempt.job.id
    upload = upload_of(services.objects, job_id)
    if upload.length is not None and attempt.settings.early_encoding:
        attempt.bound(min(planning_budget(upload.length), LONGEST_PLAN))
        found = _planned(attempt, upload, upload.length)
        if found is not None:
            services.jobs.save_early(job_id, found)
    services.jobs.release(attempt.task, attempt.name)


def _planned(attempt: Attempt, upload: Upload, length: int) -> EarlyPlan | None:
    objects, limits = attempt.services.objects, plan_limits(attempt)
    index = index_of(objects, upload.id)
    view = GuessingView(objects, ArrivingUpload(objects, upload), length, index)
    found = early_plan(view, limits, attempt.watch)
    if found is None:
        return None
    needs = needed_of_segments(found.plan, found.segments, found.listing, length)
    if needs[0] == length:
        return None
    return EarlyPlan(found.plan, found.segments, needs, index, limits.slots, limits.pace)


def early_segment_stage(attempt: Attempt) -> None:
    """Encode a segment of the early plan, unless whole uploads need the slot by now."""
    jobs = attempt.services.jobs
    if jobs.others_wait():
        jobs.give_back_early(attempt.task)
        raise LeaseLostError(detail="Whole uploads wait for this slot.")
    early = jobs.early(attempt.job.id)
    if early is None or attempt.task.index >= len(early.segments):
        raise LeaseLostError(detail="This upload is not encoded early any more.")
    attempt.job = replace(attempt.job, plan=early.plan)
    segment, also = early.segments[attempt.task.index], partial(early_poster, attempt, early.plan)
    encode_segment(attempt, early.plan, segment, _original_of(attempt, early), beside=also)


def early_audio_stage(attempt: Attempt) -> None:
    """Encode the sound as far as it has come, from its beginning on, so that the video can be watched by now.

    All of it is encoded again when the upload is whole: to the same bytes, as far as this one went.
    """
    if attempt.services.jobs.others_wait():
        raise LeaseLostError(detail="Whole uploads wait for this slot.")
    early = attempt.services.jobs.early(attempt.job.id)
    # What brings sound to a loudness is known only once all of it is.
    if early is None or not early.plan.audio or attempt.job.loudness is not None:
        raise LeaseLostError(detail="This upload has no sound that is encoded early.")
    attempt.job = replace(attempt.job, plan=early.plan)
    upload = upload_of(attempt.services.objects, attempt.job.id)
    encode_audio_that_came(attempt, early.plan, _served(attempt, upload, early, StandingView))


def _original_of(attempt: Attempt, early: EarlyPlan) -> AbstractContextManager[str]:
    """Give what a tool opens: what has come of the upload, or the original if that is there by now."""
    try:
        upload = upload_of(attempt.services.objects, attempt.job.id)
    except UploadNotFoundError:
        return original_of(attempt)
    return _served(attempt, upload, early, WaitingView)


@contextmanager
def _served(attempt: Attempt, upload: Upload, early: EarlyPlan, view_of: type[WaitingView]) -> Iterator[str]:
    objects, plan = attempt.services.objects, early.plan
    view = view_of(objects, ArrivingUpload(objects, upload), upload.length or 0, early.index)
    with (
        Relay(view, keys.original(upload.id), plan.without, plan.blank, away=UploadPausedError) as relay,
        checked(relay) as url,
    ):
        yield url
