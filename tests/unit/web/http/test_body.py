"""A body fails in one way, and only where the client failed."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from gunicorn.http.body import Body as GunicornBody
from gunicorn.http.body import LengthReader
from gunicorn.http.errors import InvalidChunkSize
from gunicorn.http.unreader import SocketUnreader
from werkzeug.exceptions import ClientDisconnected

from web.http.body import Body

DATA = b"one\ntwo\nthree"


class _Failing(io.BytesIO):
    """A socket that gives some bytes and then fails."""

    def __init__(self, error: Exception) -> None:
        super().__init__(b"some")
        self._error = error

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if not data:
            raise self._error
        return data


@pytest.mark.parametrize("announced", [None, len(DATA)])
@pytest.mark.parametrize(
    "read",
    [
        lambda body: body.read(),
        lambda body: b"".join(iter(lambda: body.read(4), b"")),
        b"".join,
        lambda body: b"".join(body.readlines()),
        lambda body: body.read(0) + body.readline() + body.read(),
    ],
)
def test_a_whole_body_is_read_in_any_way(read: Callable[[Body], bytes], announced: int | None) -> None:
    """With its length announced, or in chunks."""
    assert read(Body(io.BytesIO(DATA), announced)) == DATA


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionResetError(), InvalidChunkSize(b"x")])
def test_every_failure_is_the_clients(error: Exception) -> None:
    """Silence, a reset, and a chunk that is none."""
    body = Body(_Failing(error), None)
    assert body.read(4) == b"some"
    with pytest.raises(ClientDisconnected):
        body.read(4)


@pytest.mark.parametrize(
    "read",
    [
        lambda body: body.read(),
        lambda body: b"".join(iter(lambda: body.read(4), b"")),
        b"".join,
    ],
)
def test_half_a_body_is_none(read: Callable[[Body], bytes]) -> None:
    """What was announced and did not come is missed at the end."""
    with pytest.raises(ClientDisconnected):
        read(Body(io.BytesIO(DATA), len(DATA) + 1))


class _Slow:
    """A socket that brings these pieces, one with each read."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)

    def recv(self, size: int) -> bytes:
        """Return the next piece, or as much of it as is wanted."""
        piece = self._pieces.pop(0) if self._pieces else b""
        if len(piece) > size:
            self._pieces.insert(0, piece[size:])
        return piece[:size]


def sent(length: int, *pieces: bytes) -> tuple[Body, SocketUnreader]:
    """Return gunicorn's body of this length over such a socket, and its reader."""
    unreader = SocketUnreader(_Slow(*pieces))
    return Body(GunicornBody(LengthReader(unreader, length)), length), unreader


def test_what_is_there_is_not_waited_with() -> None:
    """Each read returns what one read of the socket brought; what comes behind the body stays for the next request."""
    body, unreader = sent(10, b"abc", b"defg", b"hijGET / HTTP")
    assert [body.read1(100) for _ in range(4)] == [b"abc", b"defg", b"hij", b""]
    assert unreader.read() == b"GET / HTTP"


def test_no_more_is_read_than_was_asked_for() -> None:
    """The rest comes with the next read, in whatever way."""
    body, _ = sent(8, b"abcdefgh")
    assert (body.read1(3), body.read1(2), body.read(2), body.read1(9)) == (b"abc", b"de", b"fg", b"h")


def test_a_client_that_goes_away_fails_a_read_of_what_is_there() -> None:
    """As any other reading does, and gunicorn knows that the connection is spoilt."""
    body, _ = sent(8, b"abc")
    assert body.read1(9) == b"abc"
    with pytest.raises(ClientDisconnected):
        body.read1(9)
    broken, _ = sent(8)
    broken._inside.reader.unreader.sock = type("Reset", (), {"recv": lambda *_: (_ for _ in ()).throw(OSError())})()
    with pytest.raises(ClientDisconnected):
        broken.read1(9)
    assert broken._inside.failed
