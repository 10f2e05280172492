"""An upload that did not say how long it is ends before it takes the reserve of free space."""

from __future__ import annotations

import http.client
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.objects.contract import PART_BYTES
from tests.support.forms import CONTENT_TYPE, form, part
from tests.support.small_disk import SmallDisk
from tests.support.web_client import MIB
from tests.support.web_server import WebServer

DISK_BYTES = 64 * MIB
RESERVE_BYTES = 24 * MIB


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Give a disk for the service's objects."""
    with SmallDisk(tmp_path / "web" / "data", DISK_BYTES) as disk:
        yield disk


@pytest.fixture
def server(tmp_path: Path, redis_url: str, disk: SmallDisk) -> Iterator[WebServer]:
    """Run a service on it."""
    server = WebServer(tmp_path / "web", redis_url, FREE_SPACE_RESERVE=str(RESERVE_BYTES))
    server.before = disk.inside
    yield server.start()
    server.stop()


def test_a_body_in_chunks_leaves_the_reserve(server: WebServer, disk: SmallDisk) -> None:
    """It is refused on its way, nothing of it stays, and the disk never had less free than was reserved."""
    place, free = disk.seen(server.data), []

    def chunks() -> Iterator[bytes]:
        begin, end = form(part("file", b"\0", "endless.mp4")).split(b"\0")
        yield begin
        for _ in range(2 * DISK_BYTES // MIB):
            free.append(shutil.disk_usage(place).free)
            yield bytes(MIB)
        yield end

    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("POST", "/api/jobs", chunks(), {"Content-Type": CONTENT_TYPE}, encode_chunked=True)
        answer = connection.getresponse()
        problem = json.loads(answer.read())
        assert (answer.status, problem["code"]) == (503, "storage_full")
        assert int(answer.headers["Retry-After"]) > 0
    finally:
        connection.close()
    assert RESERVE_BYTES <= min(free) < RESERVE_BYTES + 2 * PART_BYTES
    assert shutil.disk_usage(place).free > DISK_BYTES - MIB
