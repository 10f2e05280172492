"""Scratch space: one folder per attempt, with what it is promised of the disk."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.errors import StorageFullError
from storage.model.names import AttemptName, WorkerName
from storage.model.task import Task

# Left when everything that is promised is taken: with less when ffmpeg gave up, the disk is to blame, not the media.
KEPT_FREE_BYTES = 64 * 1024**2
_PROMISE = "promised."  # begins the name of an empty file in an attempt's folder; then come the bytes it may take
STRANGER_SECONDS = 2 * 24 * 3600.0  # folders of another host on a shared disk: no attempt lasts longer than a day


def attempt_name() -> str:
    """Return a name no other attempt has, which tells where it runs."""
    return str(AttemptName(WorkerName(socket.gethostname(), os.getpid()), uuid.uuid4().hex[:8]))


@contextmanager
def scratch_folder(root: Path, task: Task, name: str) -> Iterator[Path]:
    """Give the attempt that was granted the task a folder of its own that is gone afterwards.

    Whatever other attempts at the task still run on this machine is ended first: they have lost it.
    """
    ending = f".{task.job_id}.{task.stage}-{task.index}"
    root.mkdir(parents=True, exist_ok=True)
    for rival in root.iterdir():
        if rival.name.endswith(ending):
            _end(rival)
    folder = root / f"{name}{ending}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_scratch(root: Path) -> int:
    """Remove the folders of attempts that died and end what they left running in them; return how many.

    Folders of live processes beside us stay.
    """
    dead = [folder for folder in root.iterdir() if folder.is_dir() and _is_dead(folder)]
    for folder in dead:
        _end(folder)
    return len(dead)


def reserve(folder: Path, wanted: int) -> None:
    """Promise `wanted` bytes of scratch space to the attempt of this folder, for as long as the folder is there.

    Raises StorageFullError where they are not left beside what others on this machine were promised.
    """
    with _alone_in(folder.parent) as root:
        left = free_scratch(root) - KEPT_FREE_BYTES
        if wanted > left:
            raise StorageFullError(f"This worker's scratch space is short: {wanted} bytes wanted, {left} left.")
        (folder / f"{_PROMISE}{wanted}").touch()


def free_scratch(root: Path) -> int:
    """Return the free bytes of the scratch disk, without those that attempts are promised and have not taken yet."""
    return shutil.disk_usage(root).free - sum(_still_to_take(folder) for folder in root.iterdir())


@contextmanager
def _alone_in(root: Path) -> Iterator[Path]:
    """Keep all other processes of this machine from reserving."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield root
    finally:
        os.close(descriptor)


def _still_to_take(folder: Path) -> int:
    with suppress(FileNotFoundError):  # the attempt ended meanwhile
        promised = sum(int(path.name.removeprefix(_PROMISE)) for path in folder.glob(f"{_PROMISE}*"))
        return max(0, promised - sum(map(_size, folder.rglob("*")))) if promised else 0
    return 0


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):  # ended, or moved, meanwhile
        return path.stat().st_size if path.is_file() else 0
    return 0


def _end(folder: Path) -> None:
    """Kill the tools that work in the folder, which stands in their command lines, and remove it."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.fsencode(folder) in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended by itself, or is not ours
    shutil.rmtree(folder, ignore_errors=True)


def _is_dead(folder: Path) -> bool:
    worker = AttemptName.of(folder.name.rsplit(".", 2)[0]).worker
    if worker.host == socket.gethostname() and worker.pid is not None:
        return not Path("/proc", str(worker.pid)).exists()
    return time.time() - folder.stat().st_mtime > STRANGER_SECONDS
