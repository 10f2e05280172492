"""Event streams of the real service, and its life: outages of Redis, stopping."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from storage.job_store.contract import JobStore
from storage.model.record_checks import LONGEST_NAME
from tests.integration.web.conftest import MEMORY_LIMIT
from tests.support.forms import upload
from tests.support.jobs import make_job, position
from tests.support.servers import RedisServer
from tests.support.streams import EventStream
from tests.support.waiting import wait_until
from tests.support.web_client import MIB, ask, big_form, figure, send_upload
from tests.support.web_server import WebServer
from web.read.event_hub import QUEUE_EVENTS
from web.server import GRACEFUL_SECONDS

# A title of the longest kind, and a small buffer, so that a connection holds few of the events by itself.
LONG_TITLE = "\N{LADDER}" * LONGEST_NAME
BUFFER_BYTES = 4096


def test_fifty_watchers_and_uploads_do_not_hinder_each_other(web_server: WebServer, jobs: JobStore) -> None:
    """With fifty streams open an upload goes through, every stream tells of it, and memory stays in bounds."""
    before = web_server.resident_bytes()
    with ExitStack() as opened:
        streams = [opened.enter_context(EventStream(web_server.port, "/api/events")) for _ in range(50)]
        wait_until(lambda: figure(web_server, "rungs_watchers") == 50, what="fifty streams are open")
        body, length = big_form(20 * MIB)
        answer = send_upload(web_server, body, length)
        assert answer["status"] == 202
        for stream in streams:
            told = stream.next()
            assert (told.kind, told.data["job_id"], told.data["job"]["size"]) == ("created", answer["id"], 20 * MIB)
        assert ask(web_server, "GET", "/healthz")["status"] == "ok"
    wait_until(lambda: figure(web_server, "rungs_watchers") == 0, seconds=30, what="gone streams are noticed")
    assert jobs.unfinished() == (answer["id"],)
    assert web_server.resident_bytes() - before < MEMORY_LIMIT


def test_a_job_is_watched_to_its_end_with_a_break(web_server: WebServer, jobs: JobStore) -> None:
    """A stream begins with the job, goes on where it was cut, ends with the job, and then answers 204."""
    body = upload()
    job_id = send_upload(web_server, body, len(body))["id"]
    path = f"/api/jobs/{job_id}/events"
    with EventStream(web_server.port, path) as stream:
        first = stream.next()
        assert (first.kind, first.data["job"]["queue_position"]) == ("job", 1)
    ask(web_server, "POST", f"/api/jobs/{job_id}/cancel")
    ask(web_server, "POST", f"/api/jobs/{job_id}/cancel")
    assert jobs.get(job_id).state.finished
    with EventStream(web_server.port, path, last_event_id=first.id) as stream:
        rest = list(stream)
    assert [event.kind for event in rest] == ["job", "state"]
    with EventStream(web_server.port, path, last_event_id=rest[-1].id) as stream:
        assert stream.response.status == 204


def test_a_live_stream_ends_with_its_job(web_server: WebServer, jobs: JobStore) -> None:
    """Who watches from the beginning sees the last event, then the end of the stream."""
    body = upload()
    job_id = send_upload(web_server, body, len(body))["id"]
    with EventStream(web_server.port, f"/api/jobs/{job_id}/events") as stream:
        assert stream.next().kind == "job"
        assert position(jobs, job_id) == 1
        ask(web_server, "POST", f"/api/jobs/{job_id}/cancel")
        assert [(event.kind, event.data["job"]["state"]) for event in stream] == [("state", "cancelled")]


def test_a_slow_watcher_is_dropped_and_replayed(web_server: WebServer, jobs: JobStore) -> None:
    """One that does not read is let go, nobody else waits for it, and coming back it is told all it missed."""
    made = [make_job(title=LONG_TITLE) for _ in range(2 * QUEUE_EVENTS)]
    expected = [job.id for job in made]
    slow = EventStream(web_server.port, "/api/events", buffer=BUFFER_BYTES)
    with slow, EventStream(web_server.port, "/api/events") as fast:
        wait_until(lambda: figure(web_server, "rungs_watchers") == 2, what="both streams are open")
        for job in made:
            jobs.create(job)
            assert fast.next().data["job_id"] == job.id
        wait_until(lambda: figure(web_server, "rungs_watchers") == 1, seconds=30, what="the slow watcher is dropped")
        seen = list(slow.until_cut())
    assert len(seen) < len(expected)
    with EventStream(web_server.port, "/api/events", last_event_id=seen[-1].id) as again:
        seen += [again.next() for _ in range(len(expected) - len(seen))]
    assert [event.data["job_id"] for event in seen] == expected


@pytest.fixture
def own_redis(tmp_path: Path, redis_server: RedisServer) -> Iterator[RedisServer]:
    """Run a Redis that the test may stop."""
    assert redis_server.pid
    server = RedisServer(tmp_path / "redis").start()
    yield server
    server.stop()


def test_redis_may_go_and_come_back(tmp_path: Path, own_redis: RedisServer) -> None:
    """Uploads are refused with a time while it is away and taken again after, and a stream survives it."""
    server = WebServer(tmp_path / "web", own_redis.url).start()
    body = upload()
    try:
        with EventStream(server.port, "/api/events") as stream:
            own_redis.stop()
            refused = send_upload(server, body, len(body))
            assert (refused["status"], refused["code"]) == (503, "job_store_unavailable")
            assert ask(server, "GET", "/healthz")["status"] == "ok"
            assert server.objects() == []
            own_redis.start()
            wait_until(server.answers, what="the service is ready again")
            job_id = send_upload(server, body, len(body))["id"]
            assert stream.next().data["job_id"] == job_id
    finally:
        server.stop()
    assert "Traceback" not in server.log()


def test_stopping_ends_streams_and_leaves_no_process(tmp_path: Path, own_redis: RedisServer) -> None:
    """SIGTERM ends open streams at once instead of waiting for the grace period, and the process with them."""
    server = WebServer(tmp_path / "web", own_redis.url).start()
    worker = Path(f"/proc/{server.worker_pid()}")
    with EventStream(server.port, "/api/events") as stream:
        wait_until(lambda: figure(server, "rungs_watchers") == 1, what="the stream is open")
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < GRACEFUL_SECONDS
        assert list(stream) == []
    assert not worker.exists()
    assert "Traceback" not in server.log()
