"""Talking to a real web service: by HTTP, and by raw sockets where a client misbehaves."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from tests.support.forms import CONTENT_TYPE, form, part
from tests.support.web_server import WebServer

MIB = 1024 * 1024


class Listening(Protocol):
    """What listens on a port of loopback."""

    @property
    def port(self) -> int:
        """The port."""


@contextmanager
def connected(server: Listening, source: str = "127.0.0.1") -> Iterator[socket.socket]:
    """Open a raw connection, from the address `source` of loopback."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30, source_address=(source, 0)) as connection:
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


def ask(server: Listening, method: str, path: str, body: bytes | Iterator[bytes] = b"", **headers: str) -> Any:
    """Send a request on a connection of its own; return its JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        return {"status": answer.status, **(json.loads(content) if content else {})}
    finally:
        connection.close()


def send_upload(server: Listening, body: bytes | Iterator[bytes], length: int) -> Any:
    """Upload a form of this length; return the answer's JSON."""
    return ask(server, "POST", "/api/jobs", body, **{"Content-Type": CONTENT_TYPE, "Content-Length": str(length)})


def fetched(server: Listening, path: str) -> str:
    """Return the text of a page."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def figure(server: WebServer, name: str) -> float:
    """Return one figure of /metrics."""
    lines = fetched(server, "/metrics").splitlines()
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} "))


def big_form(size: int) -> tuple[Iterator[bytes], int]:
    """Return a form with a file of so many bytes, made as it is sent, and its length."""
    first, last = form(part("file", b"\0", "big.mp4")).split(b"\0")
    pieces = (bytes([number % 251]) * MIB for number in range(size // MIB))
    return (piece for group in ((first,), pieces, (last,)) for piece in group), len(first) + size + len(last)
