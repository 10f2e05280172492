"""A MinIO that is slow or full: nothing is refused without a word, no attempt is spent, and work goes on by itself."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from storage.objects.contract import PART_BYTES
from storage.services.connect import connect
from storage.settings import Settings
from tests.support.driving import submit
from tests.support.forms import CONTENT_TYPE, upload
from tests.support.lossy_proxy import LossyProxy
from tests.support.missing import require
from tests.support.servers import MINIO_PASSWORD, MINIO_USER, MinioServer, find_minio, servers_environment
from tests.support.small_disk import SmallDisk
from tests.support.stack import READY_SECONDS, Clip, Stack, running
from tests.support.waiting import wait_until
from tests.support.web_client import ask
from tests.support.web_server import WebServer
from tests.support.worker_server import assert_ended
from workers.attempts.attempt import LEASE_SECONDS

DISK_BYTES = 256 * 1024**2
KEPT_WAITING_SECONDS = 3.0  # in which a worker that did not wait would have failed several times
SLOW_SECONDS = LEASE_SECONDS * 0.3  # before each answer: a segment needs four


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Give the store a disk that can be filled."""
    with SmallDisk(tmp_path / "minio" / "disk", DISK_BYTES) as disk:
        yield disk


@pytest.fixture
def minio(tmp_path: Path, disk: SmallDisk) -> Iterator[MinioServer]:
    """Run a MinIO of the test's own on that disk."""
    binary = find_minio()
    if binary is None:
        require("minio", "`make test` builds it with Go; or set RUNGS_MINIO to the binary")
    server = MinioServer(tmp_path / "minio", binary)
    server.before = disk.inside
    server.start()
    yield server
    server.kill()


@pytest.fixture
def door(minio: MinioServer) -> Iterator[LossyProxy]:
    """Run a proxy before it, that can hold answers up."""
    with LossyProxy(minio.port) as door:
        yield door


@pytest.fixture
def settings(tmp_path: Path, redis_url: str, door: LossyProxy) -> Settings:
    """Give settings that lead through the proxy."""
    return Settings(
        data_dir=tmp_path / "data",
        redis_url=SecretStr(redis_url),
        object_store_url=f"s3://127.0.0.1:{door.port}/rungs",
        object_store_access_key=MINIO_USER,
        object_store_secret_key=SecretStr(MINIO_PASSWORD),
    )


@pytest.fixture
def source(clip: Clip) -> Path:
    """Give a clip of one segment, which workers can be caught at nevertheless."""
    return clip("trouble.mp4", seconds=2, size="640x360", audio=False)


@pytest.fixture
def stack(settings: Settings, tmp_path: Path) -> Iterator[Stack]:
    """Give the real parts with a janitor and a control worker."""
    yield from running(settings, tmp_path, "janitor", "control")


@pytest.fixture
def web(settings: Settings, tmp_path: Path) -> Iterator[WebServer]:
    """Give the real web service."""
    environment = servers_environment(settings)
    server = WebServer(tmp_path / "web", environment["REDIS_URL"], **environment).start()
    yield server
    server.stop()


def send(web: WebServer, body: bytes | Iterator[bytes], length: int) -> dict[str, object]:
    """Upload a form of this length; return the answer's JSON."""
    headers = {"Content-Type": CONTENT_TYPE, "Content-Length": str(length)}
    answer: dict[str, object] = ask(web, "POST", "/api/jobs", body, **headers)
    return answer


def test_a_full_store_costs_no_attempt_and_no_encoding(stack: Stack, disk: SmallDisk, source: Path) -> None:
    """What was encoded waits for room; then the job goes on as if nothing had been."""
    worker = stack.worker()
    job = submit(stack.services, source)
    tool = worker.frozen_tool()
    disk.fill()
    wait_until(lambda: stack.services.objects.free_bytes() == 0, what="a store that says it is full")
    os.kill(tool, signal.SIGCONT)
    assert_ended(tool, seconds=READY_SECONDS)
    until = time.monotonic() + KEPT_WAITING_SECONDS
    wait_until(lambda: time.monotonic() > until or "segment:0" in stack.services.jobs.results(job.id))
    assert "segment:0" not in stack.services.jobs.results(job.id)
    disk.make_room()
    stack.assert_ready(job, attempts=1)
    assert "attempt failed" not in worker.log()
    stack.assert_clean()


def test_uploads_to_a_full_store(web: WebServer, settings: Settings, disk: SmallDisk) -> None:
    """One under way is answered with 503 and leaves nothing, the next is refused early; with room again all is well."""
    body = upload(bytes(2 * PART_BYTES))
    objects = connect(settings, patience=1).objects
    objects.prepare()

    def half_way() -> Iterator[bytes]:
        yield body[:PART_BYTES]
        disk.fill()
        yield body[PART_BYTES:]

    broken = send(web, half_way(), len(body))
    assert broken["status"] == 503
    assert broken["code"] in {"storage_full", "object_store_unavailable"}  # it also says so of what was under way
    assert broken["retry_after"]
    wait_until(lambda: objects.free_bytes() == 0, what="a store that says it is full")
    refused = send(web, body, len(body))
    assert (refused["status"], refused["code"]) == (503, "storage_full")
    assert refused["retry_after"]
    disk.make_room()
    assert list(objects.keys("")) == []
    wait_until(objects.free_bytes, what="a store that says it has room")
    assert send(web, body, len(body))["status"] == 202


def test_a_slow_store_costs_only_time(stack: Stack, web: WebServer, door: LossyProxy, source: Path) -> None:
    """An attempt that waits for the store for longer than its lease keeps it, and an upload meanwhile is taken."""
    worker = stack.worker()
    job = submit(stack.services, source)
    tool = worker.frozen_tool()
    door.delay = SLOW_SECONDS
    os.kill(tool, signal.SIGCONT)
    assert_ended(tool, seconds=READY_SECONDS)
    assert send(web, upload(), len(upload()))["status"] == 202
    stack.wait_done(job, seconds=READY_SECONDS)
    door.delay = 0.0
    stack.assert_ready(job, attempts=1)
    assert "not ours" not in worker.log()
