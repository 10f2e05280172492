"""The real service: gunicorn, real sockets, a real Redis."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from storage.job_store import JobStore
from storage.services import Services
from tests.integration.web.conftest import IDLE_SECONDS
from tests.support.forms import CONTENT_TYPE, form, part, upload
from tests.support.servers import RedisServer
from tests.support.streams import EventStream
from tests.support.waiting import wait_until
from tests.support.web_server import WebServer

MIB = 1024 * 1024
MEMORY_LIMIT = 64 * MIB


@pytest.fixture
def jobs(services: Services, web_server: WebServer) -> JobStore:
    """Give the job store of the service, empty."""
    assert web_server.pid
    return services.jobs


@contextmanager
def connected(server: WebServer) -> Iterator[socket.socket]:
    """Open a raw connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        yield connection


def head(length: int | None) -> bytes:
    """Return the head of an upload; without a length it comes in chunks."""
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: {CONTENT_TYPE}\r\n{size}\r\n\r\n".encode()


def answer_of(connection: socket.socket) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Read one answer to the end of the connection."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    body = json.loads(response.read())
    return response.status, {name.lower(): value for name, value in response.getheaders()}, body


def ask(server: WebServer, method: str, path: str, body: bytes | Iterator[bytes] = b"", **headers: str) -> Any:
    """Send a request on a connection of its own; return its JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        return {"status": answer.status, **(json.loads(content) if content else {})}
    finally:
        connection.close()


def send_upload(server: WebServer, body: bytes | Iterator[bytes], length: int) -> Any:
    """Upload a form of this length; return the answer's JSON."""
    return ask(server, "POST", "/api/jobs", body, **{"Content-Type": CONTENT_TYPE, "Content-Length": str(length)})


def figure(server: WebServer, name: str) -> float:
    """Return one figure of /metrics."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
        return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} "))
    finally:
        connection.close()


def assert_nothing_is_left(server: WebServer, jobs: JobStore, before: list[Path]) -> None:
    """Wait until the upload has ended and check that it left neither object nor job."""
    wait_until(lambda: figure(server, "rungs_uploads_active") == 0, seconds=30, what="the upload ends")
    assert server.objects() == before
    assert jobs.unfinished() == ()


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_client_killed_half_way_leaves_nothing(
    web_server: WebServer, jobs: JobStore, *, chunked: bool, reset: bool
) -> None:
    """Whether the connection ends in order or is torn down, there is no object, no unfinished write and no job."""
    before = web_server.objects()
    body = upload(b"v" * (20 * MIB))
    with connected(web_server) as connection:
        connection.sendall(head(None if chunked else len(body)))
        piece = body[: 10 * MIB]
        connection.sendall(b"%X\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        wait_until(lambda: figure(web_server, "rungs_uploads_active") == 1, what="the upload has begun")
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert_nothing_is_left(web_server, jobs, before)


def test_a_client_that_falls_silent_is_let_go(web_server: WebServer, jobs: JobStore) -> None:
    """After the idle time it is told so, its connection is closed, and its place is free."""
    before = web_server.objects()
    body = upload(b"v" * MIB)
    with connected(web_server) as connection:
        began = time.monotonic()
        connection.sendall(head(len(body)) + body[:1000])
        status, headers, problem = answer_of(connection)
        assert (status, problem["code"], headers["connection"]) == (400, "upload_incomplete", "close")
        assert IDLE_SECONDS * 0.9 < time.monotonic() - began < IDLE_SECONDS + 20
    assert_nothing_is_left(web_server, jobs, before)


def test_half_a_request_holds_no_thread(web_server: WebServer) -> None:
    """A client that stops inside the head of its request is disconnected."""
    with connected(web_server) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: loc")
        assert connection.recv(1) == b""


def test_a_slow_client_that_goes_on_is_served(web_server: WebServer, jobs: JobStore) -> None:
    """An upload may last longer than the idle time, as long as something comes."""
    body = upload(b"v" * 4000)
    with connected(web_server) as connection:
        connection.sendall(head(len(body)))
        pause = threading.Event()
        for start in range(0, len(body), 1000):
            connection.sendall(body[start : start + 1000])
            pause.wait(IDLE_SECONDS / 3)  # the test is about time passing
        status, _, job = answer_of(connection)
    assert (status, jobs.get(job["id"]).size) == (202, 4000)


def test_a_refusal_reaches_a_client_that_is_still_sending(web_server: WebServer, jobs: JobStore) -> None:
    """The answer comes at once and whole though nobody reads the body, and the connection is closed."""
    before = web_server.objects()
    with connected(web_server) as connection:
        connection.sendall(head(1 << 40))
        for _ in range(32):
            connection.sendall(b"v" * MIB)
        status, headers, problem = answer_of(connection)
        assert (status, problem["code"], headers["connection"]) == (413, "upload_too_large", "close")
        with pytest.raises(OSError, match=r"reset|pipe"):
            connection.sendall(b"v" * (1024 * MIB))
    assert_nothing_is_left(web_server, jobs, before)


def test_an_upload_in_chunks_is_taken(web_server: WebServer, jobs: JobStore) -> None:
    """Without Content-Length, as from a pipe, the closing boundary ends it."""
    body = upload(b"v" * (3 * MIB))
    with connected(web_server) as connection:
        connection.sendall(head(None))
        for start in range(0, len(body), 100_000):
            piece = body[start : start + 100_000]
            connection.sendall(b"%X\r\n%b\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")
        status, _, job = answer_of(connection)
    assert (status, jobs.get(job["id"]).size) == (202, 3 * MIB)


def test_a_connection_serves_several_requests(web_server: WebServer) -> None:
    """Connections are kept alive between requests, after an accepted upload too."""
    connection = http.client.HTTPConnection("127.0.0.1", web_server.port, timeout=30)
    try:
        connection.connect()
        own = connection.sock.getsockname()
        for method, path, body in (
            ("GET", "/healthz", b""),
            ("POST", "/api/jobs", upload()),
            ("GET", "/api/queue", b""),
        ):
            connection.request(method, path, body, {"Content-Type": CONTENT_TYPE})
            assert connection.getresponse().read()
            assert connection.sock is not None
            assert connection.sock.getsockname() == own
    finally:
        connection.close()


def big_form(size: int) -> tuple[Iterator[bytes], int]:
    """Return a form with a file of so many bytes, made as it is sent, and its length."""
    first, last = form(part("file", b"\0", "big.mp4")).split(b"\0")
    pieces = (bytes([number % 251]) * MIB for number in range(size // MIB))
    return (piece for group in ((first,), pieces, (last,)) for piece in group), len(first) + size + len(last)


def test_memory_stays_flat_under_a_large_upload(web_server: WebServer, jobs: JobStore) -> None:
    """The process grows by less than the limit while 300 MiB pass through it."""
    before = peak = web_server.resident_bytes()
    body, length = big_form(300 * MIB)

    def watched() -> Iterator[bytes]:
        nonlocal peak
        for number, piece in enumerate(body):
            if number % 8 == 0:
                peak = max(peak, web_server.resident_bytes())
            yield piece

    answer = send_upload(web_server, watched(), length)
    assert (answer["status"], jobs.get(answer["id"]).size) == (202, 300 * MIB)
    assert peak - before < MEMORY_LIMIT
    ask(web_server, "DELETE", f"/api/jobs/{answer['id']}")


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
        assert jobs.position(job_id) == 1
        ask(web_server, "POST", f"/api/jobs/{job_id}/cancel")
        assert [(event.kind, event.data["job"]["state"]) for event in stream] == [("state", "cancelled")]


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
        assert time.monotonic() - began < 8
        assert list(stream) == []
    assert not worker.exists()
    assert "Traceback" not in server.log()
