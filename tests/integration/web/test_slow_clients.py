"""Slow and greedy clients of one address: everybody else is answered, and their uploads are taken, all the time."""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.attacks import ATTACKER, Attack, attacking, attacks
from tests.support.servers import RedisServer
from tests.support.trickling import answer_seconds
from tests.support.waiting import wait_until
from tests.support.web_client import answer_of, connected, fetched, figure
from tests.support.web_server import WebServer
from web.admission.decision import share_of
from web.server import CONNECTIONS_ABOVE_THREADS

THREADS = 24
CONNECTIONS = 100  # of the attacker: four times the threads, twice the uploads
REQUEST_SECONDS = 1
PAUSE_SECONDS = 0.5  # so that no read waits for long
ANSWER_SECONDS = 1.5  # the slowest, on a busy machine; without the limits it is as long as the attack
DRIP_SECONDS = 0.2
CROWDED = "127.0.0.77"
ROUNDS = 20  # so that the attack outlasts its deadlines
SETTINGS = {
    "WEB_THREADS": str(THREADS),
    "MAX_UPLOADS": "8",
    "CLIENT_REQUEST_SECONDS": str(REQUEST_SECONDS),
    "CLIENT_IDLE_SECONDS": str(REQUEST_SECONDS),
    "LOG_LEVEL": "warning",
}
ATTACKS = {attack.name: attack for attack in attacks(CONNECTIONS, PAUSE_SECONDS)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[WebServer]:
    """Run a service with few threads and little patience."""
    server = WebServer(tmp_path_factory.mktemp("slow"), redis_server.url, **SETTINGS).start()
    answer_seconds(server, rounds=1)
    yield server
    server.stop()


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=lambda attack: attack.name.replace(" ", "-"))
def test_a_slow_client_hurts_only_itself(server: WebServer, attack: Attack) -> None:
    """Whatever it holds; and when it goes, nothing of it stays."""
    with attacking(server, attack):
        took = answer_seconds(server, rounds=ROUNDS)
    slowest = {what: max(seconds) for what, seconds in took.items()}
    assert all(seconds < ANSWER_SECONDS for seconds in slowest.values()), slowest
    wait_until(lambda: figure(server, "rungs_uploads_active") == 0, seconds=30, what="the attacker's uploads end")


def dripped(server: WebServer, beginning: bytes, drip: bytes) -> tuple[int, str, str, int]:
    """Send a byte now and then until there is an answer; return its status, code, Connection and Retry-After."""
    with connected(server, ATTACKER) as connection:
        connection.sendall(beginning)
        while not select.select([connection], [], [], DRIP_SECONDS)[0]:
            connection.sendall(drip)
        status, headers, problem = answer_of(connection)
        return status, problem["code"], headers["connection"], int(headers["retry-after"])


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        ("slow heads", "request_too_slow"),
        ("slow forms", "request_too_slow"),
        ("slow forms in chunks", "request_too_slow"),
        ("trickling uploads", "upload_too_slow"),
        ("uploads without a length", "upload_too_slow"),
    ],
)
def test_who_is_too_slow_is_told_so(server: WebServer, attack: str, code: str) -> None:
    """408 with its code and a time, and the connection ends; a byte now and then gives no more time."""
    status, told, connection, retry_after = dripped(server, ATTACKS[attack].opening(0), ATTACKS[attack].drip)
    assert (status, told, connection) == (408, code, "close")
    assert retry_after > 0


def test_an_address_has_so_many_connections(server: WebServer) -> None:
    """One more is told so at once, before it has said anything; another address is not."""
    allowed = share_of(THREADS + CONNECTIONS_ABOVE_THREADS, 25)
    with ExitStack() as opened:
        for _ in range(allowed):
            opened.enter_context(connected(server, CROWDED))
        one_more = opened.enter_context(connected(server, CROWDED))
        status, _, problem = answer_of(one_more)
        assert (status, problem["code"]) == (429, "address_share")
        assert fetched(server, "/healthz")
