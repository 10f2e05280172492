"""The web service behind the project's nginx: who is slow waits there, and whose request it is is known."""

from __future__ import annotations

import http.client
import http.server
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.web.test_slow_clients import ANSWER_SECONDS, ATTACKS, ROUNDS, SETTINGS
from tests.support.attacks import attacking
from tests.support.nginx import NginxServer
from tests.support.servers import RedisServer
from tests.support.trickling import answer_seconds
from tests.support.tus_client import Sender, create_upload
from tests.support.waiting import wait_until
from tests.support.web_client import MIB, answer_of, ask, connected, figure
from tests.support.web_server import WebServer

HEAD_BYTES = 12_000  # of an answer: the longest title, policy, HSTS and cookies three times over


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[WebServer]:
    """Run a service with few threads that trusts the proxies of this machine."""
    trusting = SETTINGS | {"TRUSTED_PROXIES": "127.0.0.1", "LOG_LEVEL": "info"}
    server = WebServer(tmp_path_factory.mktemp("behind"), redis_server.url, **trusting).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory, web: WebServer) -> Iterator[NginxServer]:
    """Run nginx in front of it."""
    server = NginxServer(tmp_path_factory.mktemp("nginx"), web.port).start()
    answer_seconds(server, rounds=1)
    yield server
    server.stop()


@pytest.mark.parametrize("name", ["slow heads", "slow forms", "trickling uploads", "watchers"])
def test_a_slow_client_hurts_only_itself(nginx: NginxServer, name: str) -> None:
    """Heads and forms reach the web service whole; what it counts, it counts by the client's own address."""
    with attacking(nginx, ATTACKS[name]):
        took = answer_seconds(nginx, rounds=ROUNDS)
    slowest = {what: max(seconds) for what, seconds in took.items()}
    assert all(seconds < ANSWER_SECONDS for seconds in slowest.values()), slowest


def test_only_nginx_tells_the_address(nginx: NginxServer, web: WebServer) -> None:
    """What a client says of itself is replaced by nginx."""
    assert ask(nginx, "GET", "/api/queue", b"", **{"X-Forwarded-For": "203.0.113.99"})["status"] == 200
    assert "203.0.113.99" not in web.log()
    assert "client=127.0.0.1" in web.log()


class _LongHead(http.server.BaseHTTPRequestHandler):
    """Answers with a head of HEAD_BYTES."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("X-Long", "x" * HEAD_BYTES)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_long_head_of_an_answer_passes(tmp_path: Path) -> None:
    """By default nginx would say 502 above 4 kB."""
    with http.server.HTTPServer(("127.0.0.1", 0), _LongHead) as upstream:
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        nginx = NginxServer(tmp_path, upstream.server_port).start()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=30)
            connection.request("GET", "/")
            answer = connection.getresponse()
            assert (answer.status, len(answer.headers["X-Long"])) == (200, HEAD_BYTES)
            connection.close()
        finally:
            nginx.stop()
            upstream.shutdown()


def test_an_upload_by_tus_passes(nginx: NginxServer, web: WebServer) -> None:
    """Of any length, and what came before the line broke is stored: nginx keeps nothing back."""
    data = bytes(range(256)) * 4 * 1024 * 12
    sender = Sender(nginx, create_upload(nginx, len(data)), data)
    before = figure(web, "rungs_upload_bytes_total")

    def wait(sent: int) -> None:
        if sent == len(data) // 2:
            wait_until(lambda: figure(web, "rungs_upload_bytes_total") > before + sent - MIB, what="what was sent")

    assert sender.send(len(data) // 2, wait) is None
    answer = sender.send(len(data))
    assert answer is not None
    assert answer.headers["rungs-job"] in sender.place
    assert sender.offsets[1] >= len(data) // 2 - MIB


@pytest.mark.parametrize("path", ["/api/jobs", "/api/uploads/" + "0" * 32])
def test_an_upload_whose_service_dies_is_not_too_large(tmp_path: Path, path: str) -> None:
    """It is told as what it is: a client that hears 413 would send smaller pieces, or give up."""
    with socket.create_server(("127.0.0.1", 0)) as dying:
        nginx = NginxServer(tmp_path, dying.getsockname()[1]).start()
        try:
            with connected(nginx) as client:
                method = "POST" if path.endswith("jobs") else "PATCH"
                head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {20 * MIB}\r\n\r\n"
                client.sendall(head.encode() + bytes(MIB))
                upstream, _ = dying.accept()
                upstream.recv(1000)
                upstream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                upstream.close()
                assert answer_of(client)[0] == 502
        finally:
            nginx.stop()
