"""One reader, many watchers, and nobody waits for a slow one."""

from __future__ import annotations

import queue
import threading
from typing import Any

import pytest

from storage.errors import BusyError, JobStoreDownError
from storage.model.event import Event
from storage.model.job import JobState
from tests.support.job_store import OwnJobStore
from tests.support.jobs import make_job
from tests.support.waiting import wait_until
from web.read.event_hub import QUEUE_EVENTS, Hub, newest_progress


def view(job_id: str) -> dict[str, Any]:
    """Return what stands for a job's public JSON."""
    return {"id": job_id}


def test_watchers_get_the_events_of_their_job() -> None:
    """A watcher of one job sees that job, a watcher of all sees everything, once each and in order."""
    store = OwnJobStore()
    hub = Hub(store, view, limit=10)
    job, other = make_job(), make_job()
    with hub.watch(job.id) as one, hub.watch(None) as everything:
        for made in (other, job):
            store.create(made)
        store.move(job.id, JobState.CANCELLED)
        notices = [one.take(5), one.take(5)]
        assert [(notice.event.type, notice.job) for notice in notices if notice] == [
            ("created", view(job.id)),
            ("state", view(job.id)),
        ]
        seen = [everything.take(5) for _ in range(3)]
        assert [notice.event.job_id for notice in seen if notice] == [other.id, job.id, job.id]
        with pytest.raises(queue.Empty):
            one.take(0.01)
    assert hub.watchers == 0


def test_a_job_is_viewed_whole_only_for_who_watches_it_alone() -> None:
    """Whoever watches all jobs gets of the others what lists say: thousands that end are not to be fetched for it."""
    store = OwnJobStore()
    job, other = make_job(), make_job()
    hub = Hub(store, lambda job_id: {"whole": job_id}, lambda job_id: {"listed": job_id}, limit=10)
    with hub.watch(None) as everything, hub.watch(job.id):
        store.create(job)
        store.create(other)
        seen = [everything.take(5) for _ in range(2)]
        assert [update.job for update in seen if update] == [{"whole": job.id}, {"listed": other.id}]


def test_a_watcher_that_falls_behind_is_dropped_alone() -> None:
    """Its stream ends; the others go on."""
    store = OwnJobStore()
    hub = Hub(store, view, limit=10)
    with hub.watch(None) as slow, hub.watch(None) as fast:
        for _ in range(QUEUE_EVENTS + 1):
            store.create(make_job())
            assert fast.take(5) is not None
        wait_until(lambda: slow.dropped, what="the slow watcher is dropped")
        assert slow.take(1) is None
        assert not fast.dropped


def test_only_so_many_may_watch() -> None:
    """One watcher more is refused with a time, and there is room when one leaves."""
    hub = Hub(OwnJobStore(), view, limit=1)
    with hub.watch(None):
        with pytest.raises(BusyError) as caught, hub.watch(None):
            pass
        assert caught.value.retry_after > 0
    with hub.watch(None):
        assert hub.watchers == 1


def test_streams_end_when_the_process_stops() -> None:
    """Every watcher is told to end soon after."""
    hub = Hub(OwnJobStore(), view, limit=10)
    stopping = threading.Event()
    hub.stop_when(stopping.is_set)
    with hub.watch(None) as watcher:
        stopping.set()
        assert watcher.take(5) is None


class _Flaky(OwnJobStore):
    """A job store that is away for the first reads."""

    def __init__(self) -> None:
        super().__init__()
        self.away = 1

    def wait_events(self, after: str, *, seconds: float) -> tuple[Event, ...]:
        if self.away:
            self.away -= 1
            raise JobStoreDownError(detail="Away.")
        return super().wait_events(after, seconds=seconds)


def test_an_outage_only_delays_events() -> None:
    """What happened meanwhile is handed out when the store is back."""
    store = _Flaky()
    hub = Hub(store, view, limit=10)
    with hub.watch(None) as watcher:
        store.create(make_job())
        notice = watcher.take(10)
        assert notice is not None
        assert notice.event.type == "created"


def test_progress_that_is_overtaken_is_left_out() -> None:
    """Of several progress events of a job in one batch only the last is worth sending."""
    events = tuple(
        Event(f"{number}-0", job, kind, {})
        for number, (job, kind) in enumerate(
            [("a", "progress"), ("a", "task"), ("b", "progress"), ("a", "progress"), ("a", "state")]
        )
    )
    assert [event.id for event in newest_progress(events)] == ["1-0", "2-0", "3-0", "4-0"]
