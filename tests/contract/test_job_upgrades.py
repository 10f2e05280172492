"""What versions before this one kept otherwise goes on, and becomes what this one keeps, on a real Redis."""

from __future__ import annotations

import json

import pytest
from pydantic import TypeAdapter

from storage.errors import RecordError
from storage.job_store import redis_keys
from storage.job_store.codec import cursor_of
from storage.job_store.packed import pack, unpack
from storage.model.job import JobState, Priority
from storage.model.task import Stage, Task
from storage.objects.manifests import Manifest
from storage.scheduling.costs import Estimate
from storage.scheduling.work_sums import MICROSECONDS
from tests.support.job_store import OwnJobStore
from tests.support.jobs import claim, created, encoding
from tests.support.sums_right import wrong_sums

_ESTIMATE = Estimate(40.0, 2.5, 30.0, 100.0)


@pytest.fixture
def store() -> OwnJobStore:
    """A store of its own, whose keys are put back as they were."""
    return OwnJobStore()


def test_events_that_were_a_stream_become_a_list(store: OwnJobStore) -> None:
    """Whether they are read, the job goes on, or the end makes it slim; nothing of them is lost."""
    for by_reading in (True, False):
        job = encoding(store, segments=1)
        before = store.events(job.id, "0")
        key = redis_keys.of_job("events", job.id)
        store._client.delete(key)
        for event in before:
            fields = {"job": job.id, "type": event.type, "data": json.dumps(event.data)}
            store._client.xadd(key, fields, id=event.id)
        if by_reading:
            assert store.events(job.id, before[0].id) == before[1:]
        store.move(job.id, JobState.CANCELLED)
        assert store.events(job.id, "0")[:-1] == before
        assert store._client.type(key) == "list"


def test_sums_by_the_millisecond_become_sums_by_the_tick(store: OwnJobStore) -> None:
    """As the janitor counts each job in its turn, also where some of them ended meanwhile."""
    jobs = [created(store) for _ in range(3)]
    for job in jobs:
        store.estimate(job.id, _ESTIMATE)
    rest = [store.works([job.id])[0] for job in jobs]
    store.lose_sums()
    for work in rest:
        first, second = (f"{int(target * 1000):011x}" for target in (work.start_target, work.target))
        start, left = (round(amount * MICROSECONDS) for amount in (2.5, 37.5))
        kept = f"1 {first} {start} {second} {left} {10 * MICROSECONDS} {work.owner}"
        store._client.hset(redis_keys.COUNTED, work.job_id, kept)
        for owner in ("", work.owner):
            trees = redis_keys.trees_of(owner)
            for tree, key, amount in ((0, first, start), (0, second, left), (1, second, 10 * MICROSECONDS)):
                for length in range(1, 12):
                    store._client.hincrby(trees[tree], key[:length], amount)
        store._client.hincrby(redis_keys.FIGURES, "waiting", 1)
        store._client.hincrby(redis_keys.FIGURES, "waiting_work", start + left)
        store._client.zincrby(redis_keys.OWNERS, start + left, work.owner)
    store.move(jobs[0].id, JobState.CANCELLED)
    for job in jobs[1:]:
        store.estimate(job.id, None)
    assert list(wrong_sums(store)) == []
    for job in jobs[1:]:
        store.delete(job.id)
    assert store._client.exists(redis_keys.WORK, redis_keys.EXCESS, redis_keys.COUNTED, redis_keys.OWNERS) == 0


def test_attempts_at_the_plan_are_forgotten_with_the_run(store: OwnJobStore) -> None:
    """They stand in the record, which a new run keeps."""
    job = created(store)
    store.move(job.id, JobState.PLANNING)
    claim(store, Task(job.id, Stage.PLAN), "a")
    assert store.attempts(job.id) == {"plan:0": 1}
    store.release(Task(job.id, Stage.PLAN), "a")
    assert store.attempts(job.id) == {"plan:0": 0}
    store.move(job.id, JobState.CANCELLED)
    store.move(job.id, JobState.QUEUED)
    assert store.attempts(job.id) == {}


def test_records_that_had_defaults_and_a_cursor_go_on(store: OwnJobStore) -> None:
    """They are read as they were, listed where they were, urgent when told so, and become slim in the end."""
    job = encoding(store, segments=1)
    before, cursor = store.get(job.id), cursor_of(job)
    intake = {"title": job.title, "filename": job.filename, "created_at": job.created_at, "webhook_url": None}
    key = redis_keys.of_job("job", job.id)
    unled = store._client.hget(key, "start_target")
    old = {"cursor": cursor, "intake": json.dumps(intake), "warnings": "[]", "after_start": "0.0", "unled": unled}
    store._client.hset(key, mapping=old)
    store._client.hdel(key, "created_at")
    assert store.get(job.id) == before
    store.prioritise(job.id, Priority.HIGH)
    assert store.get(job.id).start_target < before.start_target
    assert list(wrong_sums(store)) == []
    assert [one.id for one in store.page(owner=job.owner, state=JobState.ENCODING, limit=1, cursor=None).jobs] == [
        job.id
    ]
    ended = store.move(job.id, JobState.CANCELLED)
    assert store.saved(ended)
    assert (store.get(job.id).title, store.get(job.id).created_at) == (before.title, before.created_at)


@pytest.mark.parametrize("audio", [True, False], ids=["sound", "silent"])
def test_a_plan_with_one_track_or_none_is_read(store: OwnJobStore, *, audio: bool) -> None:
    """Of the record, packed or not, and of the manifest beside the original."""
    job = encoding(store, segments=1, audio=audio)
    key = redis_keys.of_job("job", job.id)
    kept = json.loads(unpack(store._client.hget(key, "plan")))
    kept["audio"] = kept["audio"][0] if audio else None
    for text in (json.dumps(kept), pack(json.dumps(kept))):
        store._client.hset(key, "plan", text)
        assert store.get(job.id) == job
    manifest = json.loads(TypeAdapter(Manifest).dump_json(Manifest(job=job)))
    manifest["job"]["plan"]["audio"] = kept["audio"]
    assert TypeAdapter(Manifest).validate_json(json.dumps(manifest)).job.plan == job.plan


def test_a_job_whose_intake_was_spoiled_can_be_ended(store: OwnJobStore) -> None:
    """It cannot be read, but it is not in everybody's way for ever: lists and sums let it go."""
    job = encoding(store, segments=1)
    store._client.hset(redis_keys.of_job("job", job.id), "intake", "5")
    with pytest.raises(RecordError):
        store.get(job.id)
    with pytest.raises(RecordError):
        store.move(job.id, JobState.CANCELLED)
    store.delete(job.id)
    assert store._client.zcard(redis_keys.owned(job.owner, JobState.CANCELLED)) == 0
    assert store._client.exists(redis_keys.WORK, redis_keys.EXCESS, redis_keys.COUNTED, redis_keys.OWNERS) == 0
