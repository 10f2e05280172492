"""The process's one reader of job events, fanned out in memory to every watcher's own bounded queue."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog

from storage.errors import BusyError, JobStoreDownError
from storage.faults import of_one_job
from storage.job_store.contract import EventStore
from storage.model.event import Event
from web.admission.shares import Shares

# Some minutes of one job's progress. A watcher that is further behind reconnects and is given the present state.
QUEUE_EVENTS = 256
WAIT_SECONDS = 1.0  # how long one read waits for an event, so how soon a stopping process ends its reader
PAUSE_SECONDS = 1.0  # between tries while the job store is away

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Update:
    """An event together with the job's public JSON after it, or what lists say of it; None when the job is gone."""

    event: Event
    job: dict[str, Any] | None
    _made: dict[Hashable, str] = field(default_factory=dict, compare=False)

    def once(self, key: Hashable, make: Callable[[], str]) -> str:
        """Return what is made of the update under this key: once, not once for each watcher."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


class Watcher:
    """One open stream; `job_id` None watches all jobs."""

    def __init__(self, job_id: str | None) -> None:
        self.job_id = job_id
        self.dropped = False
        self._updates: queue.Queue[Update | None] = queue.Queue(QUEUE_EVENTS)

    def offer(self, update: Update | None) -> None:
        """Hand over an update (None ends the stream); a watcher whose queue is full is dropped."""
        try:
            self._updates.put_nowait(update)
        except queue.Full:
            self.dropped = True

    def take(self, seconds: float) -> Update | None:
        """Return the next update; None when the stream is to end. Raises queue.Empty after so many seconds."""
        if self.dropped:
            return None
        return self._updates.get(timeout=seconds)


class Hub:
    """Starts its reader with the first watcher; `view` makes a job's public JSON (None when it is gone).

    `listed` makes what lists say of it, for a job that is only watched among all others.

    `limit` watchers may be open at once, `each` of them by one client: each holds one of the server's threads.
    `count_fault` is told of events that are passed over as their job cannot be read.
    """

    def __init__(
        self,
        store: EventStore,
        view: Callable[[str], dict[str, Any] | None],
        listed: Callable[[str], dict[str, Any] | None] | None = None,
        *,
        limit: int,
        each: int | None = None,
        count_fault: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._count_fault = count_fault
        self._view = view
        self._listed = listed or view
        self._limit = limit
        self._shares = Shares(limit if each is None else each)
        self._watchers: set[Watcher] = set()
        self._lock = threading.Lock()
        self._reader: threading.Thread | None = None
        self._stopping: Callable[[], bool] = lambda: False

    @property
    def watchers(self) -> int:
        """Streams open now."""
        return len(self._watchers)

    def stop_when(self, stopping: Callable[[], bool]) -> None:
        """End all streams soon after `stopping` returns True, so that a server can shut down."""
        self._stopping = stopping

    @contextmanager
    def watch(self, job_id: str | None, *, client: str = "") -> Iterator[Watcher]:
        """Be a watcher of a `client` for the time of the context: every later event reaches it.

        Raises BusyError when too many watch, JobStoreDownError when the store is away.
        """
        with self._watch(job_id) as watcher, self._shares.hold(client):
            yield watcher

    @contextmanager
    def _watch(self, job_id: str | None) -> Iterator[Watcher]:
        watcher = Watcher(job_id)
        with self._lock:
            if len(self._watchers) >= self._limit:
                raise BusyError(reason="watchers", retry_after=30)
            if self._reader is None or not self._reader.is_alive():
                after = self._store.last_event_id()
                self._reader = threading.Thread(target=self._read, args=(after,), name="events", daemon=True)
                self._reader.start()
            self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            with self._lock:
                self._watchers.discard(watcher)

    def _read(self, after: str) -> None:
        try:
            while not self._stopping():
                after = self._pass_on(after)
        finally:
            for watcher in self._present():
                watcher.offer(None)

    def _pass_on(self, after: str) -> str:
        """Hand out the events after this id; return the id to go on from."""
        try:
            events = self._store.wait_events(after, seconds=WAIT_SECONDS)
            self._hand_out(events)
        except JobStoreDownError as error:
            _log.warning("events pause: the job store is away", error=str(error))
            time.sleep(PAUSE_SECONDS)
            return after
        return events[-1].id if events else after

    def _present(self) -> tuple[Watcher, ...]:
        with self._lock:
            return tuple(self._watchers)

    def _hand_out(self, events: tuple[Event, ...]) -> None:
        watchers = self._present()
        watched = {watcher.job_id for watcher in watchers}
        views: dict[str, dict[str, Any] | None] = {}
        for event in newest_progress(events):
            if watched.isdisjoint({None, event.job_id}):
                continue
            if event.job_id not in views:
                with of_one_job("events", event.job_id, self._count_fault):
                    view = self._view if event.job_id in watched else self._listed
                    views[event.job_id] = view(event.job_id)
            if event.job_id not in views:
                continue  # its record cannot be read; the others' watchers go on
            update = Update(event, views[event.job_id])
            for watcher in watchers:
                if watcher.job_id in {None, event.job_id}:
                    watcher.offer(update)


def newest_progress(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """Return the events without `progress` ones that a later one of the same job in the batch overtakes."""
    last = {event.job_id: event.id for event in events if event.type == "progress"}
    return tuple(event for event in events if event.type != "progress" or last[event.job_id] == event.id)
