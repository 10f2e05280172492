"""Records of ended jobs whose end was saved, of the JobStore contract, on a real Redis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from storage.job_store import redis_keys
from storage.job_store.contract import JobStore, Leftovers, Notice
from storage.job_store.redis_store import RedisJobStore
from storage.model.job import Changes, Job, JobError, JobState, Output, Priority
from storage.model.job_warnings import warning
from storage.model.plan import Rung
from storage.model.task import Stage, Task
from tests.support.ended import slimmed
from tests.support.job_store import OwnJobStore
from tests.support.jobs import WHY, claim, created, encoding, finish_all, make_plan, make_segments, position, with_plan

MANY = 100
# A finished job takes so much of Redis, its place in a list included: with a name of usual length and three rungs.
FINISHED_BYTES = 600
URL = "https://example.org/hook"
RUNGS = (*make_plan().rungs, Rung("360p", 640, 360, 23, 800_000, 1_600_000))
OUTPUTS = tuple(Output(rung.name, 123_456_789) for rung in RUNGS)


def ready(store: JobStore, **fields: object) -> Job:
    """Bring a job through all of its life; one attempt failed on the way."""
    job = created(store, **fields)
    store.move(job.id, JobState.PLANNING)
    plan = replace(make_plan(segments=4), rungs=RUNGS)
    job = store.move(job.id, JobState.ENCODING, Changes(plan=plan, segments=make_segments(plan)))
    store.issue(plans=0, tasks=MANY)
    claim(store, Task(job.id, Stage.SEGMENT, 0), "lost")
    store.fail(Task(job.id, Stage.SEGMENT, 0), "lost", WHY)
    finish_all(store, job)
    store.move(job.id, JobState.PACKAGING)
    found = Changes(outputs=OUTPUTS, has_storyboard=True, warnings=(warning("not_cut"),))
    return store.move(job.id, JobState.READY, found)


def failed(store: JobStore, **fields: object) -> Job:
    """Let a job fail while it is encoding, for a reason with many words."""
    job = created(store, **fields)
    store.move(job.id, JobState.PLANNING)
    store.move(job.id, JobState.ENCODING, with_plan())
    return store.move(job.id, JobState.FAILED, Changes(error=JobError("decode_failed", "It broke.", "line\n" * 500)))


def keys_of(store: RedisJobStore, job: Job) -> set[str]:
    """Return the names of the keys that the job has of its own."""
    return {key.split(":")[1] for key in store._client.scan_iter(f"rungs:*:{job.id}")}


@pytest.mark.parametrize("end", [ready, failed])
def test_a_saved_end_makes_the_record_slim(end: Callable[[JobStore], Job]) -> None:
    """What lists show stays, everywhere; the rest is gone from Redis, and nothing can be claimed."""
    store = OwnJobStore()
    job = end(store)
    assert store.saved(job)
    assert store.get(job.id) == slimmed(job)
    for state in (None, job.state):
        assert store.page(owner=job.owner, state=state, limit=9, cursor=None).jobs == (slimmed(job),)
    assert (store.segments(job.id), store.results(job.id), store.attempts(job.id)) == ((), {}, {})
    assert keys_of(store, job) == {"job"}
    assert store.move(job.id, job.state) == slimmed(job)
    assert store.unsaved(MANY) == ()


def test_a_finished_job_is_small() -> None:
    """As Redis measures the keys of its own, and its place in a list that is long."""
    store = OwnJobStore()
    jobs = [
        ready(store, created_at=1.79e9 + number * 0.9876543, filename=f"holiday-{number:04}.mp4", title="holiday")
        for number in range(100)
    ]
    client = store._client

    def weight() -> float:
        lists = client.memory_usage(redis_keys.owned("local", JobState.READY), samples=0)
        own = sum(client.memory_usage(f"rungs:{name}:{job.id}", 0) for job in jobs for name in keys_of(store, job))
        return float(lists + own) / len(jobs)

    before = weight()
    assert all(store.saved(job) for job in jobs)
    after = weight()
    print(f"bytes of a finished job: {before:.0f} before, {after:.0f} after")
    assert after <= FINISHED_BYTES < before


def test_saving_twice_is_saving_once(job_store: JobStore) -> None:
    """An answer that was lost is asked for again, also while the record is slim already."""
    job = failed(job_store)
    assert job_store.saved(job)
    assert job_store.saved(job)
    assert job_store.get(job.id) == slimmed(job)


def test_a_job_that_began_again_stays_whole(job_store: JobStore) -> None:
    """Neither its new run nor the end of that is touched by the saving of the one before."""
    first = failed(job_store)
    running = job_store.move(first.id, JobState.QUEUED)
    assert not job_store.saved(first)
    assert job_store.get(first.id) == running
    second = job_store.move(first.id, JobState.FAILED)
    assert not job_store.saved(first)
    assert job_store.get(first.id) == second


def test_a_slim_job_begins_again_as_a_whole_one(job_store: JobStore) -> None:
    """With all that came with the upload and its priority; then it runs to the end as any job."""
    whole, slim = (failed(job_store, webhook_url=URL, priority=Priority.LOW) for _ in range(2))
    assert job_store.saved(slim)
    again, other = (job_store.move(job.id, JobState.QUEUED) for job in (slim, whole))
    other = replace(other, in_flight=again.in_flight, start_target=again.start_target, target=again.target)
    assert again == replace(other, id=slim.id)
    assert again.slim is None
    assert (position(job_store, slim.id), position(job_store, whole.id)) == (1, 2)
    job_store.move(slim.id, JobState.PLANNING)
    ended = job_store.move(slim.id, JobState.FAILED, Changes(error=WHY))
    assert Notice(ended, 0) in job_store.due_notices(MANY)
    assert job_store.saved(ended)
    assert job_store.get(slim.id) == slimmed(ended)


def test_a_slim_job_is_deleted_wholly() -> None:
    """From every list, with all keys but the events for those who watched; its objects are to be removed."""
    store = OwnJobStore()
    job = ready(store)
    assert store.saved(job)
    store.delete(job.id)
    assert store.page(owner=job.owner, state=None, limit=9, cursor=None).jobs == ()
    assert keys_of(store, job) == {"events"}
    assert store._client.ttl(redis_keys.of_job("events", job.id)) > 0
    assert [event.type for event in store.events(job.id, "0")] == ["deleted"]
    assert store._client.zscore(redis_keys.LEFTOVERS, job.id) is not None


def test_a_slim_job_is_still_to_be_told_of(job_store: JobStore) -> None:
    """Its notice has the slim job; tries are counted, and another end's notice is another one."""
    job = failed(job_store, webhook_url=URL)
    (before,) = job_store.due_notices(MANY)
    job_store.postpone_notice(before, seconds=0, failed=True)
    assert job_store.saved(job)
    assert job_store.due_notices(MANY) == (Notice(slimmed(job), 1),)
    job_store.end_notice(replace(before, job=replace(job, finished_at=1.0), tries=1))
    (due,) = job_store.due_notices(MANY)
    job_store.postpone_notice(due, seconds=0, failed=True)
    job_store.end_notice(due)
    assert job_store.due_notices(MANY) == (Notice(slimmed(job), 2),)
    job_store.end_notice(Notice(slimmed(job), 2))
    assert job_store.due_notices(MANY) == ()
    assert job_store.get(job.id) == slimmed(job)


def test_who_may_still_write_to_a_slim_job_is_known() -> None:
    """Its leases hold until they run out; what such an attempt says then leaves nothing behind."""
    store = OwnJobStore()
    job = encoding(store)
    first, second, third = (Task(job.id, Stage.SEGMENT, index) for index in range(3))
    for task in (first, second, third):
        claim(store, task)
    job = store.move(job.id, JobState.CANCELLED)
    assert store.saved(job)
    assert {field for field, lease in store.leases(job.id).items() if lease.live} == {first.field, second.field}
    assert 0 < store._client.ttl(redis_keys.of_job("leases", job.id)) <= 30
    assert not store.renew(first, "a", lease_seconds=30)
    store.release(first, "a", rest=30.0)
    assert store.fail(second, "a", WHY, rest=30.0)
    assert not store.fail(third, "a", WHY, rest=30.0)
    assert keys_of(store, job) == {"job"}
    assert store.get(job.id) == slimmed(job)
    assert store.begin_clearing(job.id, seconds=9) is Leftovers.MADE


def test_the_last_event_of_a_slim_job_stays(job_store: JobStore) -> None:
    """Whoever knows an earlier one learns how the job ended; whoever knows the last one learns nothing new."""
    job = ready(job_store)
    before = job_store.events(job.id, "0")
    assert job_store.saved(job)
    for known in ("0", before[0].id, before[-2].id):
        assert job_store.events(job.id, known) == (before[-1],)
    assert job_store.events(job.id, before[-1].id) == ()
    assert job_store.events(None, "0") == before


def test_a_job_of_a_slim_ones_id_exists(job_store: JobStore) -> None:
    """Neither an upload nor a rebuild takes its place."""
    job = failed(job_store)
    assert job_store.saved(job)
    assert not job_store.restore(job, (), {}, tell=False)
    assert job_store.get(job.id) == slimmed(job)
