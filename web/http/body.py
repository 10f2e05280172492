"""A request's body, whose reading fails in one way: whatever goes wrong there is the client's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from gunicorn.http.body import LengthReader
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import get_content_length

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Body:
    """A WSGI input that raises ClientDisconnected for a client that goes away, falls silent or sends wrong chunks.

    `announced` is the Content-Length, None of a body in chunks: gunicorn gives what came, be it half a form.
    """

    def __init__(self, inside: Any, announced: int | None) -> None:
        self._inside = inside
        self._missing = announced or 0

    def read(self, size: int = -1) -> bytes:
        """See io.RawIOBase."""
        return self._got(self._inside.read, size, ends=size < 0)

    def read1(self, size: int) -> bytes:
        """Return the bytes that are there, `size` at most, waiting for the first of them only; none at the end.

        Gunicorn's own reading waits until all of `size` is there. A slow client's bytes would be lost with its line.
        """
        return self._got(partial(_read_once, self._inside), size, ends=False)

    def readline(self, size: int = -1) -> bytes:
        """See io.IOBase."""
        return self._got(self._inside.readline, size, ends=False)

    def readlines(self, hint: int = -1) -> list[bytes]:  # noqa: ARG002 - what it takes is only ever a hint
        """See io.IOBase."""
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _got(self, read: Callable[[int], bytes], size: int, *, ends: bool) -> bytes:
        try:
            data = read(size)
        except (OSError, ParseException) as error:
            raise ClientDisconnected from error
        self._missing -= len(data)
        if self._missing > 0 and size != 0 and (ends or not data):
            raise ClientDisconnected
        return data


def with_body(app: WSGIApplication) -> WSGIApplication:
    """Wrap the app so that it reads bodies as `Body` gives them."""

    def wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"] = Body(environ["wsgi.input"], get_content_length(environ))
        return app(environ, start_response)

    return wrapped


def _read_once(inside: Any, size: int) -> bytes:
    """Return what one read of the client's socket brings of a body whose length is known; else as gunicorn reads."""
    reader = getattr(inside, "reader", None)
    if not isinstance(reader, LengthReader) or inside.buf.tell():
        return bytes(inside.read(size))
    wanted = min(size, reader.length)
    if not wanted:
        return b""
    try:
        data: bytes = reader.unreader.read(None, read_ahead=wanted)
    except BaseException:
        inside.failed = True  # as gunicorn's own reading notes it: the connection ends with this request
        raise
    if len(data) > wanted:
        reader.unreader.unread(data[wanted:])
        data = data[:wanted]
    reader.length -= len(data)
    return data
