"""Fifty uploads that trickle: everybody else is answered, and each holds no more memory than its parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.objects.contract import PART_BYTES
from storage.settings import Settings
from tests.support.servers import servers_environment
from tests.support.trickling import HELD_BYTES, answer_seconds, trickling
from tests.support.web_server import WebServer

UPLOADS = 50
NEARLY_A_PART = PART_BYTES - 2**20  # what each has sent of its first part
ANSWER_SECONDS = 5.0  # of the slowest on a busy machine; who is hindered by a trickle waits for its end


@pytest.fixture
def server(tmp_path: Path, redis_url: str, s3_settings: Settings) -> Iterator[WebServer]:
    """Run a service of the test's own that stores parts in MinIO."""
    store = servers_environment(s3_settings) | {"REDIS_URL": redis_url}
    server = WebServer(tmp_path / "web", redis_url, **store).start()
    yield server
    server.stop()


def test_slow_uploads_hinder_nobody(server: WebServer) -> None:
    """Pages, the API, other uploads and events are answered meanwhile, and memory stays within the parts they hold."""
    answer_seconds(server, rounds=1)
    before = server.resident_bytes()
    with trickling(server, UPLOADS, first=NEARLY_A_PART):
        took = answer_seconds(server, rounds=5)
        grown = server.resident_bytes() - before
    slowest = {what: max(seconds) for what, seconds in took.items()}
    assert all(seconds < ANSWER_SECONDS for seconds in slowest.values()), slowest
    assert grown < UPLOADS * HELD_BYTES
