"""Ending a connection after an answer that leaves the request's body unread."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import request
from gunicorn.http.wsgi import Response as GunicornResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_FLAG = "rungs.close_connection"

UPLOAD_PATH = "/api/jobs"
TUS_PATH = "/api/uploads"
SUBTITLES = "subtitles"  # below a job
_SUBTITLES_PATH = re.compile(rf"{UPLOAD_PATH}/[^/]+/{SUBTITLES}(?:/|$)")
_SENDING = frozenset({"POST", "PATCH", "PUT"})

# How long a refused client may go on sending before it is cut off: long enough to read the answer over a slow line and
# stop, short enough that a refusal does not become an upload.
LINGER_SECONDS = 3.0
LINGER_BYTES = 256 * 1024 * 1024
_DISCARD_BYTES = 256 * 1024


def is_upload(request: Any) -> bool:
    """Tell whether gunicorn's request is an upload, of a film or of its subtitles: its body is no small form."""
    if request.method not in _SENDING:
        return False
    is_form = (request.method, request.path) == ("POST", UPLOAD_PATH)
    to_job = is_form or _SUBTITLES_PATH.match(request.path) is not None
    return to_job or f"{request.path}/".startswith(f"{TUS_PATH}/")


def leave_unasked(request: Any) -> None:
    """Keep gunicorn from asking for the body of an upload before the app has decided to take it.

    A client that sends `Expect: 100-continue` waits for that; gunicorn would answer it before it calls the app.
    """
    if is_upload(request):
        request._expected_100_continue = False  # noqa: SLF001 - gunicorn has no public way; a test guards it


def ask_for_body() -> None:
    """Tell the client of the present request to send its body, if it waits to be told."""
    if request.headers.get("Expect", "").lower() == "100-continue" and "gunicorn.socket" in request.environ:
        request.environ["gunicorn.socket"].sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def close_after_answer() -> None:
    """Have the present request's connection closed once it is answered."""
    request.environ[_FLAG] = True


def closing(app: WSGIApplication) -> WSGIApplication:
    """Wrap the app so that `close_after_answer` works under gunicorn.

    Gunicorn ignores a Connection header of the app, as WSGI wants it, and says keep-alive; it closes only what its own
    response object is told to.
    """

    def wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            response = getattr(start_response, "__self__", None)
            if environ.get(_FLAG) and isinstance(response, GunicornResponse):
                response.force_close()
            return start_response(status, headers, exc_info)

        return app(environ, start)

    return wrapped


def linger(connection: socket.socket) -> None:
    """Say that no more will be sent, then discard what the client still sends until it stops or a limit is reached.

    Closing at once would reset the connection, and the reset would overtake the answer on its way to a client that is
    still sending. Afterwards nothing more can be read, so that closing takes no time: gunicorn's own waits for the
    client once more, in the thread that accepts all others.
    """
    try:
        connection.shutdown(socket.SHUT_WR)
        _discard(connection)
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        return  # the client is gone already, which is where this ends anyway


def _discard(connection: socket.socket) -> None:
    end = time.monotonic() + LINGER_SECONDS
    discarded = 0
    while discarded < LINGER_BYTES and (left := end - time.monotonic()) > 0:
        connection.settimeout(left)
        try:
            data = connection.recv(_DISCARD_BYTES)
        except TimeoutError:
            return  # it neither sends nor goes
        if not data:
            return
        discarded += len(data)
