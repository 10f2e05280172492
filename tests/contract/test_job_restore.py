"""Restoring jobs in the JobStore contract, on a real Redis."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from storage.job_store.contract import Claim, JobStore, Notice
from storage.job_store.queue_contract import QueueCounts
from storage.model.job import Job, JobError, JobState, Output
from storage.model.job_warnings import warning
from storage.model.task import Stage, Task
from tests.support.ended import slimmed
from tests.support.jobs import CREATED_AT, claim, created, make_job, make_plan, make_segments, position

DONE = {"frames": 100, "rungs": {"480p": {"codec": "avc1.640028", "fragments": [1, 2]}}}


def restored(store: JobStore, job: Job, done: tuple[str, ...] = (), *, tell: bool = False) -> Job:
    """Restore a job with its segments and a result for each of these fields; return it as the store has it."""
    segments = () if job.plan is None else make_segments(job.plan)
    assert store.restore(job, segments, dict.fromkeys(done, DONE), tell=tell)
    return store.get(job.id)


def half_encoded(store: JobStore, *, audio: bool = False, **fields: Any) -> Job:
    """Restore a job of six segments of which the first, the second and the fourth are there."""
    plan = make_plan(segments=6, audio=audio)
    job = make_job(state=JobState.ENCODING, plan=plan, frames_done=300, issued=4, started_at=CREATED_AT + 1, **fields)
    return restored(store, job, ("segment:0", "segment:1", "segment:3"))


def test_a_finished_job_comes_back_slim(job_store: JobStore) -> None:
    """In every field that lists show; it neither waits nor runs, wants nothing, and is in the lists of its state."""
    job = make_job(
        state=JobState.READY,
        webhook_url="https://example.org/hook",
        started_at=CREATED_AT + 1.5,
        encoding_at=CREATED_AT + 2.125,
        finished_at=CREATED_AT + 9.000001,
        plan=make_plan(),
        frames_done=200,
        issued=2,
        has_poster=True,
        playable=True,
        outputs=(Output("1080p", 10**12),),
        warnings=(warning("pixel_shape"), warning("cut_short", done=1.5, whole=4.0)),
    )
    assert restored(job_store, job) == slimmed(job)
    assert (job_store.results(job.id), job_store.segments(job.id), job_store.out(job.id)) == ({}, (), frozenset())
    assert (job_store.unfinished(), job_store.counts()) == ((), QueueCounts(0, 0))
    for state in (None, JobState.READY):
        assert job_store.page(owner=job.owner, state=state, limit=9, cursor=None).jobs == (slimmed(job),)
    assert job_store.recent_finished() == ()
    assert (job_store.unsaved(9), job_store.leftovers(9)) == ((), ())
    assert [(event.type, event.data) for event in job_store.events(job.id, "0")] == [("state", {"state": "ready"})]
    assert [(event.type, event.data) for event in job_store.events(None, "0")] == [("created", {"state": "ready"})]


def test_a_failed_job_can_be_started_again(job_store: JobStore) -> None:
    """Its reason is there, what it left is to be removed, and a retry begins from the beginning."""
    error = JobError("decode_failed", "It broke.", "x" * 5000)
    job = make_job(state=JobState.FAILED, finished_at=CREATED_AT, error=error, plan=make_plan(), frames_done=17)
    assert restored(job_store, job) == slimmed(job)
    assert job_store.leftovers(9) == (job.id,)
    assert job_store.move(job.id, JobState.QUEUED).error is None
    assert claim(job_store, Task(job.id, Stage.PLAN)) is Claim.GRANTED


def test_a_job_that_has_a_record_is_left_alone(job_store: JobStore) -> None:
    """Nothing of it changes, and nobody hears of it."""
    job = created(job_store)
    last = job_store.last_event_id()
    other = replace(job, state=JobState.READY, plan=make_plan())
    assert not job_store.restore(other, (), {"segment:0": DONE}, tell=True)
    assert job_store.get(job.id) == job
    assert job_store.results(job.id) == {}
    assert job_store.last_event_id() == last


def test_of_many_that_restore_a_job_one_does(job_store: JobStore) -> None:
    """Rebuilds that run side by side make one record and one event."""
    job = make_job()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: job_store.restore(job, (), {}, tell=False), range(8)))
    assert answers.count(True) == 1
    assert len(job_store.events(job.id, "0")) == 1


def test_restored_jobs_wait_by_their_creation(job_store: JobStore) -> None:
    """Whatever order they are restored in, and in front of those that came afterwards."""
    new = created(job_store, created_at=CREATED_AT + 10)
    third, first, second = (restored(job_store, make_job(created_at=CREATED_AT + place)) for place in (3, 1, 2))
    assert [position(job_store, job.id) for job in (first, second, third, new)] == [1, 2, 3, 4]
    assert job_store.unfinished() == tuple(job.id for job in (first, second, third, new))
    assert job_store.counts() == QueueCounts(4, 0)


def test_what_is_done_is_done(job_store: JobStore) -> None:
    """Results, frames and progress are there; a delivery of what is done is acknowledged, of the rest granted."""
    job = half_encoded(job_store)
    assert (job.state, job.frames_done, job.issued) == (JobState.ENCODING, 300, 4)
    assert job_store.counts() == QueueCounts(0, 1)
    claims = [claim(job_store, Task(job.id, Stage.SEGMENT, index)) for index in range(5)]
    assert claims == [Claim.DONE, Claim.DONE, Claim.GRANTED, Claim.DONE, Claim.GRANTED]
    assert job_store.report(Task(job.id, Stage.SEGMENT, 2), "a", 40)
    assert job_store.get(job.id).frames_done == 340


def test_the_gaps_are_out_and_the_rest_is_issued_behind_them(job_store: JobStore) -> None:
    """What lies between finished segments is out, and counts as soon as it is claimed; then come the next ones."""
    job = half_encoded(job_store)
    assert job_store.out(job.id) == {"poster:0", "segment:2"}
    claim(job_store, Task(job.id, Stage.SEGMENT, 2))
    assert job_store.issue(plans=0, tasks=1) == ()
    assert job_store.issue(plans=0, tasks=2) == (Task(job.id, Stage.SEGMENT, 4),)


def test_the_last_of_a_restored_job_is_the_last(job_store: JobStore) -> None:
    """Whoever finishes what was left learns that everything is encoded."""
    job = half_encoded(job_store)
    job_store.issue(plans=0, tasks=9)
    left = [Task(job.id, Stage.POSTER), *(Task(job.id, Stage.SEGMENT, index) for index in (2, 4, 5))]
    for task in left:
        claim(job_store, task)
    assert [job_store.finish(task, "a", {"made": True}) for task in left] == [False, False, False, True]
    assert (job_store.get(job.id).frames_done, job_store.out(job.id)) == (600, frozenset())


@pytest.mark.parametrize("audio", [False, True])
def test_what_can_be_played_is_playable(job_store: JobStore, *, audio: bool) -> None:
    """With the first segment a silent job can be; one with sound only when that is there again."""
    job = half_encoded(job_store, audio=audio)
    assert job.playable is not audio
    types = [event.type for event in job_store.events(job.id, "0")]
    assert types == (["created"] if audio else ["created", "playable"])


def test_a_webhook_is_told_if_it_is_wanted(job_store: JobStore) -> None:
    """A ready or failed job that has one makes a notice; a cancelled one does not, nor what is not to be told."""
    ended: dict[str, Any] = {"finished_at": CREATED_AT, "webhook_url": "https://example.org/hook"}
    told = restored(job_store, make_job(state=JobState.READY, **ended), tell=True)
    restored(job_store, make_job(state=JobState.READY, **ended))
    restored(job_store, make_job(state=JobState.CANCELLED, **ended), tell=True)
    restored(job_store, make_job(state=JobState.FAILED, finished_at=CREATED_AT), tell=True)
    assert job_store.due_notices(9) == (Notice(told, 0),)
