"""A client of tus that breaks off where it is told to, and goes on as the protocol says."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.support.web_client import Listening

TUS = {"Tus-Resumable": "1.0.0"}
OFFSET_TYPE = "application/offset+octet-stream"
PIECE = 256 * 1024
_TRIES_SECONDS = 60.0  # for as long a service that was killed is asked again


class Answer(NamedTuple):
    """What the service said."""

    status: int
    headers: dict[str, str]


def ask_tus(server: Listening, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
    """Send one request of tus and return its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {**TUS, **named})
        response = connection.getresponse()
        response.read()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()})
    finally:
        connection.close()


def quietly_asked(server: Listening, method: str, path: str, **headers: str) -> Answer:
    """Send one request without a body; status 0 where the line broke."""
    try:
        return ask_tus(server, method, path, b"", **headers)
    except (OSError, http.client.HTTPException):
        return Answer(0, {})


def create_upload(server: Listening, length: int, **headers: str) -> str:
    """Create an upload and return where it is."""
    answer = ask_tus(server, "POST", "/api/uploads", b"", Upload_Length=str(length), **headers)
    assert answer.status == http.HTTPStatus.CREATED, answer
    return answer.headers["location"]


@dataclass(slots=True)
class Sender:
    """Sends `data` to the upload at `place`, in spite of everything; `sent` counts the bytes that went out."""

    server: Listening
    place: str
    data: bytes
    sent: int = 0
    offsets: list[int] = field(default_factory=list)  # where each request began

    def offset(self) -> Answer:
        """Ask how far the upload is, until the service answers."""
        deadline = time.monotonic() + _TRIES_SECONDS
        while True:
            answer = quietly_asked(self.server, "HEAD", self.place)
            if answer.status not in {0, 423, 503} or time.monotonic() > deadline:
                return answer
            time.sleep(0.1)

    def send(self, until: int, during: Callable[[int], None] = lambda _: None) -> Answer | None:
        """Send from where the upload is to `until`; None if the line broke, here or there."""
        told = self.offset()
        start = int(told.headers["upload-offset"])
        return told if start == len(self.data) else self.send_from(start, until, during)

    def send_from(self, start: int, until: int, during: Callable[[int], None] = lambda _: None) -> Answer | None:
        """Send one request that announces all behind `start`, and stop at `until`, as a line does that is lost."""
        self.offsets.append(start)
        try:
            connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=60)
        except OSError:
            return None
        try:
            connection.sendall(self.head(start, len(self.data) - start))
            while start < until:
                piece = self.data[start : min(until, start + PIECE)]
                connection.sendall(piece)
                start += len(piece)
                self.sent += len(piece)
                during(start)
            if until < len(self.data):
                return None
            response = http.client.HTTPResponse(connection)
            response.begin()
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()})
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def head(self, offset: int, length: int) -> bytes:
        """Return the head of a request that brings so many bytes."""
        lines = (
            f"PATCH {self.place} HTTP/1.1",
            "Host: localhost",
            "Tus-Resumable: 1.0.0",
            f"Content-Type: {OFFSET_TYPE}",
            f"Upload-Offset: {offset}",
            f"Content-Length: {length}",
            "",
            "",
        )
        return "\r\n".join(lines).encode()
