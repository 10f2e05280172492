"""A full disk in each place by itself, store, scratch, logs: no attempt is spent, and with room all go on."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage.errors import StorageFullError
from storage.model.job import JobState
from storage.model.task import Stage, Task
from storage.objects import keys
from storage.objects.local import LocalObjectStore
from storage.services import Services
from storage.settings import Settings
from tests.support.driving import drive_on, step, submit
from tests.support.job_store import OwnJobStore
from tests.support.jobs import counted, created
from tests.support.servers import servers_environment
from tests.support.small_disk import SmallDisk
from tests.support.stack import Clip
from tests.support.unfenced import unfenced
from tests.support.waiting import wait_until
from tests.support.worker_server import ROOT
from workers.attempts.attempt import attempt_task
from workers.process.alive import alive_file
from workers.sandbox.scratch import scratch_folder
from workers.stages import STAGES

DISK_BYTES = 128 * 1024**2
FILES = 8
LOG_UNWRITTEN = 120  # what Python ends with where its last lines could not be written


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Give a disk that can be filled, mounted where `place` says."""
    with SmallDisk(tmp_path / "disk", DISK_BYTES) as disk:
        yield disk


@pytest.fixture
def place(disk: SmallDisk, tmp_path: Path) -> Iterator[Path]:
    """Give the disk's folder by a name that works here, though in no rule: it leads through another process."""
    with unfenced():
        yield disk.seen(tmp_path / "disk")


@pytest.fixture
def source(clip: Clip) -> Path:
    """Give a clip of one segment and one rung."""
    return clip("places.mp4", seconds=0.5, size="160x90", audio=False)


def waits(services: Services, settings: Settings, task: Task) -> bool:
    """Try the task once; tell whether it waits for room, uncounted, and end its rest."""
    attempt_task(task, STAGES[task.stage], services, settings)
    assert isinstance(services.jobs, OwnJobStore)
    rested = services.jobs.end_rests(task.job_id)
    return counted(services.jobs, task) == 0 and task.field in rested


def test_a_full_store(own_services: Services, settings: Settings, disk: SmallDisk, place: Path, source: Path) -> None:
    """The segment waits though scratch has room, what was accepted stays, and the job ends ready."""
    store = LocalObjectStore(place / "objects")
    store.prepare()
    services = replace(own_services, objects=store)
    job = submit(services, source)
    while services.jobs.get(job.id).state is not JobState.ENCODING:
        assert step(services, settings)
    services.jobs.issue(plans=0, tasks=9)
    disk.fill()
    assert waits(services, settings, Task(job.id, Stage.SEGMENT, 0))
    assert store.free_bytes() == 0
    assert store.stat(keys.original(job.id)).size == source.stat().st_size
    assert not [key for key in store.keys(keys.renditions(job.id)) if key.endswith(".m4s")]
    disk.make_room()
    services.publisher.publish(Task(job.id, Stage.SEGMENT, 0))
    assert drive_on(services, settings, job).state is JobState.READY


def test_full_scratch_space_while_a_job_is_packaged(
    own_services: Services,
    settings: Settings,
    disk: SmallDisk,
    place: Path,
    source: Path,
) -> None:
    """Also where others took what was reserved, so that our own file of fragments finds no room."""
    job = submit(own_services, source)
    while own_services.jobs.get(job.id).state is not JobState.PACKAGING:
        assert step(own_services, settings)
    disk.fill()
    package = Task(job.id, Stage.PACKAGE)
    with pytest.MonkeyPatch.context() as patch:
        # By this name alone the disk can be reached from here; made absolute it would be another one.
        patch.setattr(Settings, "scratch_dir", place / "scratch")
        assert waits(own_services, settings, package)
        with pytest.MonkeyPatch.context() as unreserved:
            unreserved.setattr("workers.stages.package.reserve", lambda *_: None)
            assert waits(own_services, settings, package)
        disk.make_room()
        attempt_task(package, STAGES[Stage.PACKAGE], own_services, settings)
    assert own_services.jobs.get(job.id).state is JobState.READY


def test_scratch_space_that_takes_no_more_files(tmp_path: Path) -> None:
    """Not even a folder: it is said as a lack of room."""
    with SmallDisk(tmp_path / "files", DISK_BYTES, files=FILES) as disk:
        root = disk.seen(tmp_path / "files")
        for number in range(FILES):
            try:
                (root / f"{number}").touch()
            except OSError:
                break
        with pytest.raises(StorageFullError), scratch_folder(root, Task("job", Stage.PLAN), "attempt"):
            pass


def test_logs_that_find_no_room(real_settings: Settings, services: Services) -> None:
    """A service whose log's disk is full goes on: the janitor makes its rounds, and ends when it is told to."""
    environment = servers_environment(real_settings) | {
        "DATA_DIR": str(real_settings.data_dir),
        "PYTHONPATH": str(ROOT),
        "LOG_LEVEL": "debug",
    }
    alive = alive_file(real_settings.scratch_dir, "janitor")
    with Path("/dev/full").open("wb") as full:
        janitor = subprocess.Popen([sys.executable, "-m", "workers", "janitor"], stderr=full, env=environment)
    try:
        wait_until(alive.exists, seconds=30, what="its first round")
        job = created(services.jobs)
        # Lost messages are said in the log, of which there is none.
        wait_until(lambda: (job.id, "plan:0") in services.publisher.pending(), seconds=30, what="a repair")
        janitor.send_signal(signal.SIGTERM)
        assert janitor.wait(20) in {0, LOG_UNWRITTEN}
    finally:
        janitor.kill()
        janitor.wait()
