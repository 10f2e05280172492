"""Slow and greedy clients of one address: everybody else is answered, and their uploads are taken, all the time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.attacks import Attack, attacking, attacks
from tests.support.servers import RedisServer
from tests.support.trickling import answer_seconds
from tests.support.waiting import wait_until
from tests.support.web_client import figure
from tests.support.web_server import WebServer

THREADS = 24
CONNECTIONS = 100  # of the attacker: four times the threads, twice the uploads
REQUEST_SECONDS = 1
PAUSE_SECONDS = 0.5  # so that no read waits for long
ANSWER_SECONDS = 1.5  # the slowest, on a busy machine; without the limits it is as long as the attack
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
