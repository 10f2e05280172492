"""Events of the JobStore contract, on a real Redis."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from storage.errors import InvalidRequestError
from storage.job_store.contract import JobStore
from storage.model.job import JobState
from tests.support.jobs import created, encoding, finish_all


def test_a_jobs_events_tell_its_story(job_store: JobStore) -> None:
    """Every change has its event, in order, with its data; ids only grow."""
    job = encoding(job_store, segments=1, audio=False)
    finish_all(job_store, job)
    job_store.move(job.id, JobState.PACKAGING)
    events = job_store.events(job.id, "0")
    assert [(event.type, event.data) for event in events] == [
        ("created", {"state": "queued"}),
        ("state", {"state": "planning"}),
        ("state", {"state": "encoding"}),
        ("poster", {}),
        ("progress", {"frames_done": 100, "frames": 100}),
        ("task", {"field": "segment:0"}),
        ("playable", {}),
        ("state", {"state": "packaging"}),
    ]
    orders = [tuple(map(int, event.id.split("-"))) for event in events]
    assert orders == sorted(set(orders))
    assert {event.job_id for event in events} == {job.id}
    assert job_store.events(job.id, events[4].id) == events[5:]


def test_events_of_all_jobs_share_their_ids(job_store: JobStore) -> None:
    """The log of all jobs holds the same events as the jobs' own logs."""
    first, second = created(job_store), created(job_store)
    job_store.move(first.id, JobState.CANCELLED)
    every = job_store.events(None, "0")
    assert [event.job_id for event in every] == [first.id, second.id, first.id]
    assert [event for event in every if event.job_id == first.id] == list(job_store.events(first.id, "0"))
    assert job_store.last_event_id() == every[-1].id
    assert job_store.events(None, "0", limit=2) == every[:2]


@pytest.mark.parametrize("after", ["", "x", "1-", "$", "+", "(5", "1-1-1"])
def test_what_is_no_event_id_is_refused(job_store: JobStore, after: str) -> None:
    """A made-up Last-Event-ID is a request error, not a fault of the store."""
    with pytest.raises(InvalidRequestError):
        job_store.events(None, after)


def test_the_first_event_id_is_zero(job_store: JobStore) -> None:
    """A store without events says `0-0`."""
    assert job_store.last_event_id() == "0-0"


def test_waiting_ends_with_the_first_event(job_store: JobStore) -> None:
    """A watcher that waits is given what happens, long before its time is over."""
    with ThreadPoolExecutor(1) as pool:
        job = created(job_store)
        watcher = pool.submit(job_store.wait_events, job_store.last_event_id(), seconds=20.0)
        job_store.move(job.id, JobState.CANCELLED)
        events = watcher.result(timeout=10)
    assert [event.data for event in events] == [{"state": "cancelled"}]


def test_waiting_from_now_on_ignores_the_past(job_store: JobStore) -> None:
    """With `$` nothing old is returned, and nothing new means an empty answer after the time."""
    created(job_store)
    assert job_store.wait_events("$", seconds=0.2) == ()


def test_waiting_gives_what_was_missed(job_store: JobStore) -> None:
    """Events after the id that happened before the call come at once."""
    start = job_store.last_event_id()
    job = created(job_store)
    assert [event.job_id for event in job_store.wait_events(start, seconds=20.0)] == [job.id]


def test_ping_answers(job_store: JobStore) -> None:
    """A store that is there raises nothing."""
    job_store.ping()
