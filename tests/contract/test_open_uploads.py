"""Who receives which upload, of the JobStore contract, on a real Redis."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from storage.job_store import redis_keys
from storage.job_store.contract import JobStore
from storage.job_store.upload_contract import TOLD_SECONDS
from storage.model.job import JobState
from storage.model.upload import OpenUpload
from tests.support.job_store import OwnJobStore
from tests.support.jobs import created, make_job

UPLOAD = "0123456789abcdef0123456789abcdef"
OPEN = OpenUpload(UPLOAD, "127.0.0.1", 5, 10, 1_790_000_000.0)


def test_the_newest_holder_goes_on(job_store: JobStore) -> None:
    """The older one is told so, and what it says is not noted."""
    assert job_store.take_upload(UPLOAD, "old") is None
    assert job_store.hold_upload(OPEN, "old")
    assert job_store.take_upload(UPLOAD, "new") == "old"
    assert not job_store.hold_upload(replace(OPEN, size=6), "old")
    assert job_store.hold_upload(replace(OPEN, size=7), "new")
    assert job_store.open_uploads() == (replace(OPEN, size=7),)


def test_a_holder_that_leaves_is_gone_at_once(job_store: JobStore) -> None:
    """And remains the one that had it last: an older one does not come back when it has left."""
    job_store.take_upload(UPLOAD, "old")
    job_store.take_upload(UPLOAD, "new")
    assert not job_store.has_left("old")
    job_store.leave_upload("old")
    assert job_store.has_left("old")
    job_store.leave_upload("new")
    assert not job_store.hold_upload(OPEN, "old")
    assert job_store.take_upload(UPLOAD, "third") == "new"
    assert job_store.has_left("new")


def test_a_holder_that_is_silent_counts_as_dead() -> None:
    """Nobody waits for it; that it had the upload is known for longer."""
    store = OwnJobStore()
    store.take_upload(UPLOAD, "old")
    for key, least, most in ((redis_keys.receiving("old"), 5, 10), (redis_keys.holder_of(UPLOAD), 3000, 3600)):
        assert least < store._client.ttl(key) <= most


def test_a_holder_goes_on_when_redis_was_lost() -> None:
    """Nobody took the upload from it."""
    store = OwnJobStore()
    store.take_upload(UPLOAD, "one")
    store._client.flushdb()
    assert store.hold_upload(OPEN, "one")
    assert store.take_upload(UPLOAD, "two") == "one"


def test_open_uploads_are_those_that_were_noted(job_store: JobStore) -> None:
    """Until they are forgotten, each once."""
    other = replace(OPEN, id=UPLOAD[::-1])
    for upload in (OPEN, other, replace(OPEN, size=9)):
        job_store.note_upload(upload)
    assert set(job_store.open_uploads()) == {replace(OPEN, size=9), other}
    job_store.forget_upload(OPEN.id)
    job_store.forget_upload(OPEN.id)
    assert job_store.open_uploads() == (other,)


def test_some_of_the_open_uploads(job_store: JobStore) -> None:
    """Those that are known, by id."""
    job_store.note_upload(OPEN)
    assert job_store.uploads_of([UPLOAD[::-1], UPLOAD]) == {UPLOAD: OPEN}
    assert job_store.uploads_of([]) == {}


def test_watchers_are_told_how_far_an_upload_is() -> None:
    """At most once a second, and whatever is told is not kept among the events of the job."""
    store = OwnJobStore()
    store.create(make_job(id=UPLOAD, state=JobState.UPLOADING, incomplete=True))
    store.take_upload(UPLOAD, "one")
    for size in (5, 6, 7):
        store.hold_upload(replace(OPEN, size=size), "one")
    store._client.set(redis_keys.receiving("one"), str(round((time.time() - 1.1 * TOLD_SECONDS) * 1000)))
    store.hold_upload(replace(OPEN, size=8), "one")
    told = [(event.type, event.data) for event in store.events(None, "0")]
    assert told == [("created", {"state": "uploading"}), ("progress", {"received": 5}), ("progress", {"received": 8})]
    assert [event.type for event in store.events(UPLOAD, "0")] == ["created"]


@pytest.mark.parametrize("state", [None, JobState.CANCELLED, JobState.QUEUED])
def test_nobody_is_told_of_an_upload_whose_job_is_not_uploading(state: JobState | None) -> None:
    """Neither where it was lost, nor where it went on, or ended."""
    store = OwnJobStore()
    created(store, id=UPLOAD if state else UPLOAD[::-1], state=state or JobState.QUEUED)
    store.take_upload(UPLOAD, "one")
    assert store.hold_upload(OPEN, "one")
    assert [event.type for event in store.events(None, "0")] == ["created"]


def test_an_emptied_store_stays_without_events() -> None:
    """An upload that goes on is no sign that its jobs were rebuilt."""
    store = OwnJobStore()
    store.restore(make_job(id=UPLOAD, state=JobState.UPLOADING, incomplete=True), (), {}, tell=False)
    store.take_upload(UPLOAD, "one")
    assert store.hold_upload(OPEN, "one")
    assert store.last_event_id() == "0-0"


@pytest.mark.parametrize(
    "spoil", ["", "{", "{}", '{"id":"x"}', f'{{"id":"{UPLOAD}","client":"","size":-1,"left":0,"at":0}}']
)
def test_a_spoiled_note_hides_no_other(spoil: str) -> None:
    """It is left out, and counted."""
    store = OwnJobStore()
    store.note_upload(replace(OPEN, id=UPLOAD[::-1]))
    store._client.hset(redis_keys.UPLOADS, UPLOAD, spoil)
    assert [upload.id for upload in store.open_uploads()] == [UPLOAD[::-1]]
    assert store.faults() == {"record": 1}
