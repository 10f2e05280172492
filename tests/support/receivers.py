"""Receivers of webhooks: real HTTP servers on a free port of loopback that keep what they were told."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Told:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """Its body, parsed."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def job_id(self) -> str:
        """The job it tells of."""
        identity: str = self.json["job"]["id"]
        return identity


Behaviour = Callable[[BaseHTTPRequestHandler], None]


def answer(status: int, **headers: str) -> Behaviour:
    """Return the behaviour of a receiver that answers with this status."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(b"noted")

    return behave


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Return the behaviour that does these one after another and goes on with the last."""
    left = list(behaviours)

    def behave(handler: BaseHTTPRequestHandler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return behave


class ReceiverServer:
    """Serves while entered; `told` grows with every request, before it is answered."""

    def __init__(self, behaviour: Behaviour | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.told: list[Told] = []
        self._server = _Server(("127.0.0.1", 0), _handler(self.told, behaviour or answer(200)))
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        """Return an address of this receiver."""
        return f"{self._scheme}://{host}:{self.port}{path}"

    @property
    def port(self) -> int:
        """Its port."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a behaviour may wait for longer than the test

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: callers that hang up are part of the tests."""


def _handler(told: list[Told], behaviour: Behaviour) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told.append(Told("POST", self.path, dict(self.headers.items()), body))
            behaviour(self)

        def do_GET(self) -> None:
            told.append(Told("GET", self.path, dict(self.headers.items()), b""))
            behaviour(self)

        def log_message(self, *_: object) -> None:
            """Say nothing: pytest shows what matters."""

    return Handler
