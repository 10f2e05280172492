"""Reading Server-Sent Events as a browser does."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Sent:
    """One event: its name, its data, its id if it had one."""

    kind: str
    data: dict[str, Any]
    id: str | None


@dataclass
class EventLines:
    """Gathers the lines of a stream until they are an event."""

    fields: dict[str, str] = field(default_factory=dict)

    def take(self, line: str) -> Sent | None:
        """Take one more line, without its end; return the event that it ends, if it ends one."""
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            self.fields[name] = value
        if line or "data" not in self.fields:
            return None
        sent = Sent(self.fields.get("event", "message"), json.loads(self.fields["data"]), self.fields.get("id"))
        self.fields.clear()
        return sent


def parse_events(lines: Iterable[str]) -> Iterator[Sent]:
    """Yield the events of a stream's lines."""
    gathered = EventLines()
    for line in lines:
        sent = gathered.take(line.rstrip("\r\n"))
        if sent is not None:
            yield sent


def _with_buffer(address: tuple[str, int], size: int, timeout: float) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)  # before connecting, or it grows by itself
    sock.settimeout(timeout)
    sock.connect(address)
    return sock


class EventStream:
    """An open stream of a real server; iterating waits for the next event, for at most `timeout` seconds.

    `buffer` are the bytes that the system keeps for a client that does not read.
    """

    def __init__(
        self,
        port: int,
        path: str,
        *,
        last_event_id: str | None = None,
        timeout: float = 20.0,
        buffer: int | None = None,
    ) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        if buffer is not None:
            self._connection.sock = _with_buffer(("127.0.0.1", port), buffer, timeout)
        headers = {"Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        self._connection.request("GET", path, headers=headers)
        self.response = self._connection.getresponse()
        self._events = parse_events(line.decode() for line in iter(self.response.readline, b""))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.response.close()
        self._connection.close()

    def __iter__(self) -> Iterator[Sent]:
        return self._events

    def next(self) -> Sent:
        """Return the next event."""
        return next(self._events)

    def until_cut(self) -> Iterator[Sent]:
        """Yield the events up to where the server let go of the stream, which may be in the middle of one."""
        with suppress(http.client.IncompleteRead, ConnectionResetError):
            yield from self
