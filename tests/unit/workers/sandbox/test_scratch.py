"""Scratch space: folders that end with their attempt, and those that a dead process left."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from storage.errors import StorageFullError
from storage.model.task import Stage, Task
from tests.support.waiting import wait_until
from web.routes.uploading import new_job_id
from workers.process.alive import alive_file
from workers.sandbox.scratch import (
    KEPT_FREE_BYTES,
    STRANGER_SECONDS,
    attempt_name,
    free_scratch,
    reserve,
    scratch_folder,
    sweep_scratch,
)

TASK = Task(new_job_id(), Stage.SEGMENT, 7)
OTHER = Task(TASK.job_id, Stage.SEGMENT, 77)


def age(path: Path, seconds: float) -> None:
    """Make the file or folder so many seconds older than it is."""
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def dead_pid() -> int:
    """Return the id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def fill_and_fail(folder: Path) -> None:
    """Leave a file deep in the folder and raise."""
    (folder / "deep").mkdir()
    (folder / "deep" / "file").write_bytes(b"x")
    raise ZeroDivisionError


def test_the_folder_is_gone_afterwards(tmp_path: Path) -> None:
    """Whatever the attempt left in it, also when it failed."""
    root = tmp_path / "scratch"
    with pytest.raises(ZeroDivisionError), scratch_folder(root, TASK, "a") as folder:
        fill_and_fail(folder)
    assert list(root.iterdir()) == []


def test_a_folder_of_any_depth_is_removed(tmp_path: Path) -> None:
    """By the attempt itself and by the sweep: a tool that was taken over must not keep a worker from starting."""
    root = tmp_path / "scratch"
    with scratch_folder(root, TASK, "a") as folder:
        dig(folder)
    dead = root / f"{socket.gethostname()}_{dead_pid()}_00ff00ff.{TASK.job_id}.segment-7"
    dead.mkdir()
    dig(dead)
    assert sweep_scratch(root) == 1
    assert list(root.iterdir()) == []


def dig(folder: Path) -> None:
    """Make folders in each other, deeper than Python calls and than a path is long, with a file and a link in each."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=here)
        os.symlink("/etc", "link", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    (folder / "d").chmod(0)
    os.close(here)


@contextmanager
def working_in(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that has a file of the folder in its command line, as an ffmpeg has."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", str(folder / "480p.mp4")])
    command = Path("/proc", str(process.pid), "cmdline")
    try:
        wait_until(command.read_bytes, what="the command line, which is empty for a moment after the start")
        yield process
    finally:
        process.kill()
        process.wait()


def test_attempts_have_names_of_their_own() -> None:
    """Two attempts of one process never meet in one folder."""
    names = {attempt_name() for _ in range(100)}
    assert len(names) == 100
    assert all(name.startswith(f"{socket.gethostname()}_{os.getpid()}_") for name in names)


def test_only_folders_of_the_dead_are_swept(tmp_path: Path) -> None:
    """A live neighbour keeps its folder, a stranger's waits for two days, and the sign of life is no folder."""
    ending = f".{TASK.job_id}.segment-7"
    live = tmp_path / f"{attempt_name()}{ending}"
    dead = tmp_path / f"{socket.gethostname()}_{dead_pid()}_00ff00ff{ending}"
    stranger, old_stranger = (tmp_path / f"{host}_1_00ff00ff{ending}" for host in ("other-host", "other_host.lan"))
    for folder in (live, dead, stranger, old_stranger):
        (folder / "inner").mkdir(parents=True)
    age(old_stranger, STRANGER_SECONDS + 60)
    sign = alive_file(tmp_path, "encode")
    sign.touch()
    assert sweep_scratch(tmp_path) == 2
    assert sorted(tmp_path.iterdir()) == sorted((live, stranger, sign))


def test_what_the_dead_left_running_is_ended(tmp_path: Path) -> None:
    """An ffmpeg that outlived its parent is killed with its folder; a live neighbour's goes on."""
    dead = tmp_path / f"{socket.gethostname()}_{dead_pid()}_00ff00ff.{TASK.job_id}.segment-7"
    dead.mkdir()
    with (
        scratch_folder(tmp_path, OTHER, attempt_name()) as live,
        working_in(dead) as orphan,
        working_in(live) as neighbour,
    ):
        assert sweep_scratch(tmp_path) == 1
        assert orphan.wait(5) == -signal.SIGKILL
        assert neighbour.poll() is None


def test_two_attempts_at_one_task_never_run_side_by_side(tmp_path: Path) -> None:
    """Whoever is granted the task ends what another attempt at it still runs here; other tasks are left alone."""
    with (
        scratch_folder(tmp_path, TASK, attempt_name()) as lost,
        scratch_folder(tmp_path, OTHER, attempt_name()) as beside,
        working_in(lost) as rival,
        working_in(beside) as neighbour,
        scratch_folder(tmp_path, TASK, attempt_name()) as ours,
    ):
        assert rival.wait(5) == -signal.SIGKILL
        assert (lost.exists(), beside.exists(), ours.exists()) == (False, True, True)
        assert neighbour.poll() is None


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give scratch space on a disk of 1000 bytes above what is kept free, whatever is written to it."""
    usage = shutil.disk_usage(tmp_path)._replace(free=KEPT_FREE_BYTES + 1000)
    monkeypatch.setattr("workers.sandbox.scratch.shutil.disk_usage", lambda _: usage)
    return tmp_path


def test_what_is_promised_to_one_is_not_left_for_others(disk: Path) -> None:
    """Only what is left beside the promises can be had; a promise ends with its folder."""
    with scratch_folder(disk, OTHER, attempt_name()) as waiting:
        with scratch_folder(disk, TASK, attempt_name()) as folder:
            reserve(folder, 700)
            assert free_scratch(disk) == KEPT_FREE_BYTES + 300
            with pytest.raises(StorageFullError, match="301 bytes wanted, 300 left"):
                reserve(waiting, 301)
            reserve(waiting, 300)
        assert free_scratch(disk) == KEPT_FREE_BYTES + 700


def test_what_an_attempt_has_taken_is_no_promise_any_more(disk: Path) -> None:
    """It is on the disk already; who takes more than was promised owes nothing."""
    with scratch_folder(disk, TASK, attempt_name()) as folder:
        reserve(folder, 700)
        (folder / "deep").mkdir()
        (folder / "deep" / "480p.mp4").write_bytes(bytes(200))
        assert free_scratch(disk) == KEPT_FREE_BYTES + 500
        (folder / "1080p.mp4").write_bytes(bytes(900))
        assert free_scratch(disk) == KEPT_FREE_BYTES + 1000


def test_a_tool_can_neither_promise_nor_take_for_others(disk: Path) -> None:
    """What it writes into its folder in the form of a promise is none, and links have no size."""
    with scratch_folder(disk, TASK, attempt_name()) as folder:
        reserve(folder, 300)
        for name in ("promised.", "promised.x", "promised.900", f"promised.900.{folder.name}"):
            (folder / name).touch()
        (folder / "link").symlink_to(sys.executable)
        (folder / "links").symlink_to(disk)
        assert free_scratch(disk) == KEPT_FREE_BYTES + 700


def test_reserving_waits_for_who_is_at_it(disk: Path) -> None:
    """Of many that reserve at once, no more succeed than there is room for."""
    with ExitStack() as folders, ThreadPoolExecutor(8) as pool:
        made = [
            folders.enter_context(scratch_folder(disk, Task(TASK.job_id, Stage.SEGMENT, n), attempt_name()))
            for n in range(8)
        ]

        def granted(folder: Path) -> bool:
            try:
                reserve(folder, 400)
            except StorageFullError:
                return False
            return True

        assert sum(pool.map(granted, made)) == 2
