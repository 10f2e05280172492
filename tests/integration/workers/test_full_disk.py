"""A full disk on a worker, and under a whole installation: refusal, pause, and going on by itself; and no memory."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from storage.job_store.queue_contract import Pause
from storage.settings import Settings
from tests.support.driving import submit
from tests.support.forms import form, part
from tests.support.small_disk import SmallDisk
from tests.support.stack import READY_SECONDS, Clip, Stack, running
from tests.support.waiting import wait_until
from tests.support.web_client import send_upload
from tests.support.web_server import WebServer
from tests.support.worker_server import WorkerServer, assert_ended

DISK_BYTES = 256 * 1024**2
RESERVE = {"SCRATCH_RESERVE": str(32 * 1024**2), "FREE_SPACE_RESERVE": str(16 * 1024**2)}
PAUSED_SECONDS = 3.0  # in which an encoder that takes work would have begun
PAUSE_SECONDS = 20.0  # until a worker has seen its disk: a beat of two seconds, on a busy machine


@pytest.fixture(params=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> Settings:
    """Give the settings of an installation on each broker in turn."""
    found: Settings = request.getfixturevalue("real_settings" if request.param == "redis" else "rabbitmq_settings")
    return found


@pytest.fixture
def source(clip: Clip) -> Path:
    """Give a clip of one segment, which workers can be caught at nevertheless."""
    return clip("full.mp4", seconds=2, size="640x360", audio=False)


def inside(stack: Stack, disk: SmallDisk, *roles: str) -> list[WorkerServer]:
    """Start workers of one slot on the disk."""
    made = [
        WorkerServer(stack.folder / f"{role} inside", role, stack.settings, slots=1, disk=disk, **RESERVE)
        for role in roles
    ]
    stack.workers.extend(made)
    with ThreadPoolExecutor() as pool:
        return list(pool.map(WorkerServer.start, made))


def wait_paused(stack: Stack) -> None:
    """Wait until the only encoder says that it takes no work, and why."""
    jobs = stack.services.jobs
    paused = [Pause.SCRATCH]
    wait_until(lambda: list(jobs.pauses().values()) == paused, seconds=PAUSE_SECONDS, what="a pause")


def assert_said_once(worker: WorkerServer) -> None:
    """Fail unless the worker has told of one pause and its end."""
    log = worker.log()
    assert (log.count("takes no work"), log.count("takes work again")) == (1, 1), log


def test_an_encoder_pauses_while_its_scratch_disk_is_full(broker: Settings, tmp_path: Path, source: Path) -> None:
    """It says why and leaves what comes to others; with room again it goes on by itself, and no attempt is counted."""
    parts = running(broker, tmp_path, "janitor", "control")
    with SmallDisk(broker.scratch_dir, DISK_BYTES) as disk, closing(parts):
        stack = next(parts)
        (worker,) = inside(stack, disk, "encode")
        disk.fill()
        wait_paused(stack)
        assert stack.services.jobs.slots() == 0
        job = submit(stack.services, source)
        until = time.monotonic() + PAUSED_SECONDS
        wait_until(lambda: time.monotonic() > until or stack.attempts(job))
        assert stack.attempts(job) == 0
        disk.make_room()
        stack.assert_ready(job, attempts=1)
        assert_said_once(worker)
        assert stack.services.jobs.slots() == 1


def test_an_encoder_pauses_without_memory(real_settings: Settings, tmp_path: Path) -> None:
    """From its first moment on, with its own reason."""
    parts = running(real_settings, tmp_path)
    with closing(parts):
        stack = next(parts)
        worker = WorkerServer(tmp_path / "encoder", "encode", real_settings, MEMORY_RESERVE=str(2**50))
        stack.workers.append(worker)
        worker.start()
        wait_until(lambda: list(stack.services.jobs.pauses().values()) == [Pause.MEMORY], seconds=PAUSE_SECONDS)
        assert worker.log().count("takes no work") == 1


def test_an_installation_whose_only_disk_is_full(
    real_settings: Settings, redis_url: str, tmp_path: Path, source: Path
) -> None:
    """It refuses uploads and pauses in the middle of a segment; with room again that job ends ready."""
    body = form(part("file", source.read_bytes(), source.name))
    parts = running(real_settings, tmp_path)
    with SmallDisk(real_settings.data_dir, DISK_BYTES) as disk, ExitStack() as ended:
        ended.enter_context(closing(parts))
        stack = next(parts)
        web = WebServer(tmp_path / "web", redis_url, DATA_DIR=str(real_settings.data_dir), **RESERVE)
        web.before = disk.inside
        ended.callback(web.start().stop)
        worker, *_ = inside(stack, disk, "encode", "control", "janitor")
        first = stack.services.jobs.get(send_upload(web, body, len(body))["id"])
        tool = worker.frozen_tool()
        disk.fill()
        refused = send_upload(web, body, len(body))
        assert (refused["status"], refused["code"]) == (503, "storage_full")
        assert refused["retry_after"] > 0
        os.kill(tool, signal.SIGCONT)
        assert_ended(tool, seconds=READY_SECONDS)
        wait_paused(stack)
        assert not stack.state(first).finished
        disk.make_room()
        stack.assert_ready(first, attempts=1)
        assert_said_once(worker)
        assert send_upload(web, body, len(body))["status"] == 202
