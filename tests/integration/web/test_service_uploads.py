"""Uploads to the real service: gunicorn, real sockets, a real Redis, and clients that misbehave."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from storage.job_store.contract import JobStore
from storage.services.connect import connect
from storage.settings import Settings
from tests.integration.web.conftest import IDLE_SECONDS, MAX_UPLOAD_BYTES, MEMORY_LIMIT
from tests.support.forms import CONTENT_TYPE, upload
from tests.support.servers import RedisServer
from tests.support.waiting import wait_until
from tests.support.web_client import MIB, answer_of, ask, big_form, connected, fetched, figure, head, send_upload
from tests.support.web_server import WebServer
from web.http.connection import LINGER_SECONDS

REFUSED = 40  # at two seconds each, one after the other, they would outlast the patience of who asks meanwhile


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
    """A client that stops inside the head of its request is told so and disconnected."""
    with connected(web_server) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: loc")
        status, headers, problem = answer_of(connection)
        assert (status, problem["code"], headers["connection"]) == (408, "request_too_slow", "close")
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


@pytest.mark.parametrize("sent", [1, 20], ids=["before the first part", "after two parts"])
def test_a_client_killed_half_way_leaves_no_parts_in_s3(
    tmp_path: Path, redis_server: RedisServer, s3_settings: Settings, sent: int
) -> None:
    """In a real MinIO no object and no multipart upload is left either."""
    objects = connect(s3_settings, patience=2).objects
    server = WebServer(
        tmp_path / "web",
        redis_server.url,
        OBJECT_STORE_URL=s3_settings.object_store_url,
        OBJECT_STORE_ACCESS_KEY=s3_settings.object_store_access_key,
        OBJECT_STORE_SECRET_KEY=s3_settings.object_store_secret_key.get_secret_value(),
    ).start()
    try:
        with connected(server) as connection:
            connection.sendall(head(100 * MIB) + upload(b"v" * (sent * MIB))[:-100])
            wait_until(lambda: figure(server, "rungs_upload_bytes_total") >= (sent - 1) * MIB, what="the bytes arrive")
        wait_until(lambda: figure(server, "rungs_uploads_active") == 0, seconds=30, what="the upload ends")
        assert list(objects.keys("")) == []
        assert objects.sweep_unfinished(older_than=0) == 0
    finally:
        server.stop()


def test_refused_clients_that_stay_hold_up_nobody(web_server: WebServer) -> None:
    """They were told and are let go, each by its own thread; meanwhile and afterwards others are answered."""
    with ExitStack() as opened:
        for _ in range(REFUSED):
            connection = opened.enter_context(connected(web_server))
            connection.sendall(head(2 * MAX_UPLOAD_BYTES))
            assert answer_of(connection)[0] == 413
        until = time.monotonic() + LINGER_SECONDS + 1.0
        while time.monotonic() < until:
            assert ask(web_server, "GET", "/healthz")["status"] == "ok"


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "cp1252"])
def test_a_file_name_in_an_old_encoding_is_a_name(web_server: WebServer, charset: str) -> None:
    """What old programs send over the socket is taken, and shown with its letters in JSON and on the page."""
    name = "Größe à la carte.mp4"
    body = upload(b"not really a video", "NAME.mp4").replace(b"NAME.mp4", name.encode(charset))
    answer = send_upload(web_server, body, len(body))
    assert (answer["status"], answer["filename"], answer["title"]) == (202, name, name.removesuffix(".mp4"))
    assert name.removesuffix(".mp4") in fetched(web_server, f"/jobs/{answer['id']}")
    ask(web_server, "DELETE", f"/api/jobs/{answer['id']}")
