"""Lingering on a connection that is to be closed."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from web.http import connection
from web.http.connection import linger


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Give both ends of a TCP connection, ours first."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        ours, _ = server.accept()
        with ours:
            client.settimeout(10)
            yield ours, client


def test_what_comes_after_the_answer_is_discarded(ends: tuple[socket.socket, socket.socket]) -> None:
    """A client that is still sending gets to its end, and sees ours."""
    ours, client = ends
    client.sendall(bytes(1000))
    client.shutdown(socket.SHUT_WR)
    linger(ours)
    assert client.recv(1) == b""


def test_nobody_waits_for_a_silent_client_again(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that neither sends nor goes is given its time once; whoever closes then finds nothing to wait for."""
    ours, _ = ends
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.05)
    linger(ours)
    ours.settimeout(10)
    assert ours.recv(1) == b""
