"""A body fails in one way, and only where the client failed."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from gunicorn.http.errors import InvalidChunkSize
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
