"""The events that the job store's scripts write: in a stream those of all jobs, in a list those of each."""

from __future__ import annotations

import time
from collections.abc import Iterable

from storage.job_store import redis_keys
from storage.job_store.redis_scripts import RedisScripts
from storage.model.event import NO_EVENT, Event, checked_event_id, event_of_fields, event_order, is_event_id


class RedisEvents(RedisScripts):
    """An EventStore on Redis."""

    def events(self, job_id: str | None, after: str, *, limit: int = 200) -> tuple[Event, ...]:
        """See EventStore.events."""
        start = checked_event_id(after)
        if job_id is None:
            return self._events(
                self._redis.call(lambda: self._client.xrange(redis_keys.EVENTS, f"({start}", count=limit))
            )
        found = self._run("events", job_id, *event_order(start), limit, "")
        return self._events(_entry(text, job_id) for text in found) if found else self._last_of_slim(job_id, start)

    def wait_events(self, after: str, *, seconds: float) -> tuple[Event, ...]:
        """See EventStore.wait_events."""
        # The last id is asked once: with `$` in each of several reads, events between two of them would be missed.
        start = self.last_event_id() if after == "$" else checked_event_id(after)
        deadline = time.monotonic() + seconds
        longest = self._redis.timeout / 2  # a read that blocks must answer before its socket times out
        after_start = {redis_keys.EVENTS: start}
        while True:
            block = min(max(deadline - time.monotonic(), 0.0), longest)
            milliseconds = max(int(block * 1000), 1)  # 0 would mean for ever
            answer = self._redis.call(lambda: self._client.xread(after_start, count=200, block=milliseconds))  # noqa: B023 - called at once
            if answer or time.monotonic() >= deadline:
                return self._events(answer[0][1] if answer else [])

    def last_event_id(self) -> str:
        """See EventStore.last_event_id."""
        newest = self._redis.call(lambda: self._client.xrevrange(redis_keys.EVENTS, count=1))
        return str(newest[0][0]) if newest else NO_EVENT

    def idle_seconds(self, job_id: str) -> float:
        """See EventStore.idle_seconds."""
        newest = self._run("events", job_id, 0, 0, 1, "1")
        return self._redis.now() - event_order(_entry(newest[0], job_id)[0])[0] / 1e3 if newest else 0.0

    def _last_of_slim(self, job_id: str, after: str) -> tuple[Event, ...]:
        """Return the one event that is kept of an ended job, if it comes after this id."""
        key = redis_keys.of_job("job", job_id)
        last, state = self._redis.call(lambda: self._client.hmget(key, "last", "state"))
        if not is_event_id(last or "") or event_order(last) <= event_order(after):
            return ()
        return (Event(last, job_id, "state", {"state": state}),)

    def _events(self, entries: Iterable[tuple[str, dict[str, str]]]) -> tuple[Event, ...]:
        found = ((fields.get("job", ""), (event_id, fields)) for event_id, fields in entries)
        return tuple(self._readable(found, lambda _, entry: event_of_fields(*entry)))


def _entry(text: str, job_id: str) -> tuple[str, dict[str, str]]:
    """Return what a job's list has, `<id> <type> <data>`, as the stream of all has it."""
    event_id, kind, data = (*text.split(" ", 2), "", "")[:3]
    return event_id, {"job": job_id, "type": kind, "data": data}
