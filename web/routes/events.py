"""Server-Sent Events: what happens to one job, or to all, with replay from Last-Event-ID."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, Response, current_app, json, request
from spectree import Response as Answers

from storage.errors import JobStoreDownError
from storage.job_store.contract import EventStore
from storage.model.event import event_order, is_event_id
from storage.model.job import JobState
from storage.public.job_json import listed
from storage.services.all_events import all_events
from web.context import Web, current
from web.http.addresses import client
from web.http.openapi import Events, Problem, checked_query, spec
from web.read.event_hub import Update, Watcher, newest_progress
from web.read.job_views import JobViews
from web.routes.owned import OWNER, owned_job
from web.schemas.jobs import RECENT_JOBS, EventsQuery
from web.words.job_page import on_page
from web.words.job_words import in_row
from web.words.language import worded_in

# Shorter than the idle timeouts of proxies (60 s in nginx), and how stale a waiting job's place may become.
HEARTBEAT_SECONDS = 10.0
RETRY_MILLISECONDS = 2000  # how long a browser waits before it connects again
_FINAL = frozenset(state.value for state in JobState if state.finished)

blueprint = Blueprint("events", __name__)


def frame(kind: str, data: dict[str, Any], *, event_id: str | None = None) -> str:
    """Return one event as text/event-stream wants it."""
    place = "" if event_id is None else f"id: {event_id}\n"
    return f"{place}event: {kind}\ndata: {json.dumps(data)}\n\n"


@dataclass(frozen=True, slots=True)
class Frames:
    """Makes events of jobs; with a `language` they carry the words of the job's row, or of its page, too.

    They have the job as lists show it, or `whole` where it is watched alone.
    """

    app: Flask
    language: str | None = None
    say: Callable[[dict[str, Any]], dict[str, Any]] = in_row
    whole: bool = False

    def of(self, update: Update) -> str:
        """Return a job's event with the job's present JSON; made once for all who watch in this language."""
        return update.once((self.say, self.language), lambda: self._of(update))

    def _of(self, update: Update) -> str:
        event, job = update.event, self._shown(update.job)
        data = {"id": event.id, "type": event.type, "job_id": event.job_id, "data": event.data, "job": job}
        return frame(event.type, {**data, **self._words(update.job)}, event_id=event.id)

    def snapshot(self, job: dict[str, Any], *, event_id: str | None = None) -> str:
        """Return a `job` event: how a job is now, without anything having happened."""
        data = {"type": "job", "job_id": job["id"], "job": self._shown(job), **self._words(job)}
        return frame("job", data, event_id=event_id)

    def _shown(self, job: dict[str, Any] | None) -> dict[str, Any] | None:
        return job if self.whole or job is None else listed(job)

    def _words(self, job: dict[str, Any] | None) -> dict[str, Any]:
        if self.language is None or job is None:
            return {}
        with worded_in(self.language, self.app):
            return {"words": self.say(job)}


def is_over(job: dict[str, Any] | None) -> bool:
    """Tell whether nothing more will happen to the job by itself."""
    return job is None or job["state"] in _FINAL


@dataclass(slots=True)
class EventStream:
    """One open stream: how things are, what was missed, what happens, until the job or the process ends.

    `sent_id` is the last event the client knows, `job` how it knows its job (None when all jobs are watched).
    """

    watcher: Watcher
    views: JobViews
    frames: Frames
    first: tuple[str, ...]
    missed: tuple[Update, ...]
    sent_id: str
    job: dict[str, Any] | None
    over: bool

    def __iter__(self) -> Iterator[str]:
        yield f"retry: {RETRY_MILLISECONDS}\n\n"
        yield from self.first
        for update in self.missed:
            yield self._sent(update)
        while not self.over:
            try:
                happened = self.watcher.take(HEARTBEAT_SECONDS)
            except queue.Empty:
                yield from self._heartbeat()
                continue
            if happened is None:
                return
            if event_order(happened.event.id) > event_order(self.sent_id):
                yield self._sent(happened)

    def _sent(self, update: Update) -> str:
        self.sent_id, self.job = update.event.id, update.job
        if self.watcher.job_id is not None and update.event.type in {"state", "deleted"}:
            self.over = self.over or is_over(update.job)
        return self.frames.of(update)

    def _heartbeat(self) -> Iterator[str]:
        """Keep the connection alive; a place in the queue changes without an event of the job's own."""
        yield ": alive\n\n"
        if self.watcher.job_id is None:
            return
        try:
            job = self.views.present(self.watcher.job_id)
        except JobStoreDownError:
            return  # the hub says aloud that the store is away
        self.over = is_over(job)
        if job is not None and job != self.job:
            self.job = job
            yield self.frames.snapshot(job)


@blueprint.get("/api/jobs/<job_id>/events")
@spec.validate(
    query=EventsQuery,
    resp=Answers(HTTP_200=Events, HTTP_204=None, HTTP_404=Problem, HTTP_503=Problem),
    tags=["events"],
)
def watch_job(job_id: str) -> Response:
    """Watch one job as Server-Sent Events.

    The first event is `job`, with the job as it is; then come those after `Last-Event-ID`, then new ones, each with
    the job in `job`. The stream ends when the job has; connecting again then answers 204, which stops a browser.
    """
    web = current()
    owned_job(web, job_id)
    known = _last_event_id()
    with ExitStack() as opened:
        watcher = opened.enter_context(web.hub.watch(job_id, client=client()))
        sent_id = known or web.services.jobs.last_event_id()
        job = web.views.by_id(job_id)
        missed = _missed(web.services.jobs, job_id, job, after=known) if known is not None else ()
        if known is not None and not missed and is_over(job):
            return Response(status=204)
        frames = Frames(_app(), _language(), on_page, whole=True)
        first = (frames.snapshot(job, event_id=sent_id),)
        stream = EventStream(watcher, web.views, frames, first, missed, sent_id, job, is_over(job))
        return _streaming(stream, opened.pop_all())


@blueprint.get("/api/events")
@spec.validate(query=EventsQuery, resp=Answers(HTTP_200=Events, HTTP_503=Problem), tags=["events"])
def watch_all() -> Response:
    """Watch all jobs as Server-Sent Events: first a `job` event for each recent job, then what happens.

    They have the job as lists show it.
    """
    web = current()
    known = _last_event_id()
    with ExitStack() as opened:
        watcher = opened.enter_context(web.hub.watch(None, client=client()))
        sent_id = known or web.services.jobs.last_event_id()
        missed = _missed_of_all(web, after=known) if known is not None else ()
        frames = Frames(_app(), _language())
        first = () if known is not None else _recent(web, frames, sent_id)
        return _streaming(
            EventStream(watcher, web.views, frames, first, missed, sent_id, None, over=False),
            opened.pop_all(),
        )


def _last_event_id() -> str | None:
    """Return where the client wants to go on; browsers send a header, others may use the query."""
    header = request.headers.get("Last-Event-ID")
    query = checked_query(EventsQuery).last_event_id
    # A header in another form was not given by this service: the client is shown the present state instead.
    return header if header is not None and is_event_id(header) else query


def _language() -> str | None:
    return checked_query(EventsQuery).language


def _app() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 - outlives the request
    return app


def _recent(web: Web, frames: Frames, sent_id: str) -> tuple[str, ...]:
    page = web.services.jobs.page(owner=OWNER, state=None, limit=RECENT_JOBS, cursor=None)
    return tuple(frames.snapshot(job, event_id=sent_id) for job in reversed(web.views.listed(page.jobs)))


def _missed(store: EventStore, job_id: str, job: dict[str, Any], *, after: str) -> tuple[Update, ...]:
    return tuple(Update(event, job) for event in newest_progress(all_events(store, job_id, after=after)))


def _missed_of_all(web: Web, *, after: str) -> tuple[Update, ...]:
    events = newest_progress(all_events(web.services.jobs, None, after=after))
    jobs = {job_id: web.views.present_listed(job_id) for job_id in {event.job_id for event in events}}
    return tuple(Update(event, jobs[event.job_id]) for event in events)


def _streaming(stream: EventStream, opened: ExitStack) -> Response:
    answer = Response(iter(stream), mimetype="text/event-stream")
    # nginx would gather events into a buffer otherwise.
    answer.headers["X-Accel-Buffering"] = "no"
    answer.headers["Cache-Control"] = "no-store"
    answer.call_on_close(opened.close)
    return answer
