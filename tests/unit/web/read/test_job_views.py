"""Facts about the other jobs, as they are put into a job's public JSON."""

from __future__ import annotations

from pathlib import Path

from storage.job_store.contract import JobStore
from storage.model.job import JobState, Promise
from storage.objects.local import LocalObjectStore
from storage.services.queue_reading import estimate_all
from tests.support.job_store import OwnJobStore
from tests.support.jobs import CREATED_AT, make_job, make_plan
from web.read.job_views import JobViews
from web.read.queue_snapshot import QueueSnapshot
from web.routes.uploading import new_job_id


def views(store: JobStore) -> JobViews:
    """Return views of the store's jobs where two slots are meant to be."""
    return JobViews(store, LocalObjectStore(Path("/nonexistent")), QueueSnapshot(store, encoders=2), lambda: CREATED_AT)


def test_a_queued_job_has_its_place() -> None:
    """The place counts from one and is gone once the job has started."""
    store = OwnJobStore()
    jobs = [make_job(created_at=CREATED_AT + number) for number in range(3)]
    for job in jobs:
        store.create(job)
    shown = views(store)
    assert [shown.by_id(job.id)["queue_position"] for job in jobs] == [1, 2, 3]
    store.move(jobs[0].id, JobState.PLANNING)
    assert [shown.by_id(job.id)["queue_position"] for job in jobs] == [None, 1, 2]


def test_a_planned_job_has_its_place_until_an_encoder_begins() -> None:
    """It is counted with those that are not planned yet; what an encoder has begun with is in nobody's way."""
    store = OwnJobStore()
    plan = make_plan()
    begun = make_job(state=JobState.ENCODING, plan=plan, frames_done=1, begun_at=CREATED_AT)
    first, second = (make_job(state=JobState.ENCODING, plan=plan) for _ in range(2))
    for job in (begun, first, second):
        store.create(job)
    queued = make_job()
    store.create(queued)
    shown = views(store)
    places = [shown.by_id(job.id)["queue_position"] for job in (begun, first, second, queued)]
    assert places == [None, 1, 2, 3]


def test_a_waiting_job_has_a_forecast() -> None:
    """Later ones start and are ready later; one that has begun has no start, one that ended no forecast."""
    store = OwnJobStore()
    running = make_job(state=JobState.ENCODING, plan=make_plan(), frames_done=50, begun_at=CREATED_AT)
    waiting = [make_job(created_at=CREATED_AT + 1 + number) for number in range(2)]
    ended = make_job(state=JobState.FAILED, promise=Promise(CREATED_AT + 5, CREATED_AT + 9))
    for job in (running, *waiting, ended):
        store.create(job)
    estimate_all(store)
    shown = views(store)
    assert shown.by_id(running.id)["starts_in_seconds"] is None
    assert shown.by_id(running.id)["eta_seconds"] > 0
    first, second = (shown.by_id(job.id) for job in waiting)
    assert first["starts_in_seconds"] < second["starts_in_seconds"] < second["eta_seconds"]
    assert shown.by_id(ended.id)["eta_seconds"] is None


def test_a_job_that_came_this_very_moment_has_its_promise() -> None:
    """The snapshot may be a second old; what was said when the job was accepted holds until then."""
    store = OwnJobStore()
    shown = views(store)
    shown.of(make_job())
    job = make_job(promise=Promise(CREATED_AT + 5, CREATED_AT + 9))
    store.create(job)
    seen = shown.by_id(job.id)
    assert (seen["starts_in_seconds"], seen["eta_seconds"]) == (5, 9)
    assert seen["promise"] == {"starts_at": "2026-09-21T14:13:25.250Z", "ready_at": "2026-09-21T14:13:29.250Z"}


def test_a_job_that_is_gone_is_none() -> None:
    """Looking at a deleted job is no error where events are handed out."""
    assert views(OwnJobStore()).present(new_job_id()) is None
