"""Subtitles that are added while the store's disk is full: refused, and nothing is half there."""

from __future__ import annotations

import http.client
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.model.job import Job
from storage.services import Services
from tests.support.jobs import make_job
from tests.support.small_disk import SmallDisk
from tests.support.web_client import MIB, ask
from tests.support.web_server import WebServer

FREE = 5 * MIB  # room for a file, and not for what is made of it as well
SMALL = b"00:01.000 --> 00:02.000\nsmall\n"
LARGE = b"".join(
    f"00:{n // 60:02d}:{n % 60:02d},000 --> 00:{n // 60:02d}:{n % 60:02d},900\n{'x' * 1170}\n\n".encode()
    for n in range(3200)
)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Give a disk for the service's objects."""
    with SmallDisk(tmp_path / "web" / "data", 48 * MIB) as disk:
        yield disk


@pytest.fixture
def server(tmp_path: Path, redis_url: str, disk: SmallDisk) -> Iterator[WebServer]:
    """Run a service on it."""
    server = WebServer(tmp_path / "web", redis_url)
    server.before = disk.inside
    yield server.start()
    server.stop()


@pytest.fixture
def job(services: Services) -> Job:
    """Give a job whose file is there."""
    made = make_job()
    services.jobs.create(made)
    return made


def stored(folder: Path) -> dict[str, bytes]:
    """Return all that is in the store, unfinished writes too."""
    objects = folder / "objects"
    return {str(path.relative_to(objects)): path.read_bytes() for path in objects.rglob("*") if path.is_file()}


def assert_full(server: WebServer, method: str, path: str) -> None:
    """Fail unless the large file is refused for want of room."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request(method, path, LARGE)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["code"]) == (503, "storage_full")
        assert int(answer.headers["Retry-After"]) > 0
    finally:
        connection.close()


def test_nothing_is_half_stored(server: WebServer, disk: SmallDisk, job: Job, services: Services) -> None:
    """A new track is not there, one that was to be replaced is as it was; with room again it is."""
    folder, path = disk.seen(server.data), f"/api/jobs/{job.id}/subtitles"
    track = ask(server, "POST", path, SMALL)["id"]
    before = stored(folder)
    filler = folder / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(folder).free - FREE))
    assert_full(server, "POST", path)
    assert_full(server, "PUT", f"{path}/{track}")
    assert stored(folder) == before
    assert [(one.id, one.version) for one in services.jobs.get(job.id).added] == [(track, 0)]
    filler.unlink()
    assert ask(server, "PUT", f"{path}/{track}", LARGE)["status"] == 200
    assert [(one.id, one.version) for one in services.jobs.get(job.id).added] == [(track, 1)]
