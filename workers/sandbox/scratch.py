"""Scratch space: one folder per attempt, with what it is promised of the disk."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.errors import StorageFullError
from storage.model.names import AttemptName, WorkerName
from storage.model.task import Task
from storage.objects.plain_files import FULL

# Left when everything that is promised is taken: with less when ffmpeg gave up, the disk is to blame, not the media.
KEPT_FREE_BYTES = 64 * 1024**2
# Begins the name of an empty file beside an attempt's folder; then come the bytes it may take, and the folder's name.
# It is not in the folder: a tool that was taken over would promise itself the whole disk there.
_PROMISE = "promised."
_DEEPEST = 100_000  # folders in each other that are removed; a tool makes one level
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
        if rival.is_dir() and rival.name.endswith(ending):
            _end(rival)
    folder = root / f"{name}{ending}"
    with full_is_said():
        folder.mkdir()
    try:
        yield folder
    finally:
        _remove(folder)


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
            raise StorageFullError(detail=f"This worker's scratch space is short: {wanted} bytes wanted, {left} left.")
        with full_is_said():
            (root / f"{_PROMISE}{wanted}.{folder.name}").touch()


@contextmanager
def full_is_said() -> Iterator[None]:
    """Raise StorageFullError in place of what a full disk makes of our own writes: nobody's attempt is to count it."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise StorageFullError(detail=f"This worker's scratch space is full: {error.filename}") from error


def free_scratch(root: Path) -> int:
    """Return the free bytes of the scratch disk, without those that attempts are promised and have not taken yet."""
    return shutil.disk_usage(root).free - sum(map(_still_to_take, root.glob(f"{_PROMISE}*")))


@contextmanager
def _alone_in(root: Path) -> Iterator[Path]:
    """Keep all other processes of this machine from reserving."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield root
    finally:
        os.close(descriptor)


def _still_to_take(promise: Path) -> int:
    wanted, _, folder = promise.name.removeprefix(_PROMISE).partition(".")
    with suppress(FileNotFoundError):  # the attempt ended meanwhile
        return max(0, int(wanted) - _taken(promise.with_name(folder)))
    return 0


def _taken(folder: Path) -> int:
    """Return the bytes of the files in the folder and in those in it: as deep as our commands write, and no link's."""
    with os.scandir(folder) as found:
        entries = tuple(found)
    inner = (entry for entry in entries if entry.is_dir(follow_symlinks=False))
    files = (entry for entry in entries if entry.is_file(follow_symlinks=False))
    return sum(map(_size, files)) + sum(_size(entry) for folder in inner for entry in os.scandir(folder))


def _size(entry: os.DirEntry[str]) -> int:
    with suppress(FileNotFoundError):  # ended, or moved, meanwhile
        return entry.stat(follow_symlinks=False).st_size if entry.is_file(follow_symlinks=False) else 0
    return 0


def _remove(folder: Path) -> None:
    """Remove an attempt's folder, however deep a tool made it, and what it was promised; what resists is left."""
    with suppress(OSError):
        for _ in range(_DEEPEST):
            if not _remove_level(folder):
                break
        folder.rmdir()
    for promise in folder.parent.glob(f"{_PROMISE}*.{folder.name}"):
        promise.unlink(missing_ok=True)


def _remove_level(folder: Path) -> bool:
    """Remove the files and the first level of folders, whose own folders move up; tell whether any did.

    Recursion would end with an error of its own in a folder of a thousand levels.
    """
    moved = False
    for path in tuple(folder.iterdir()):
        if not _is_folder(path):
            path.unlink()
            continue
        path.chmod(stat.S_IRWXU)  # its maker may have taken our rights
        for inner in tuple(path.iterdir()):
            if _is_folder(inner):
                inner.rename(folder / uuid.uuid4().hex)
                moved = True
            else:
                inner.unlink()
        path.rmdir()
    return moved


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _end(folder: Path) -> None:
    """Kill the tools that work in the folder, which stands in their command lines, and remove it."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.fsencode(folder) in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended by itself, or is not ours
    _remove(folder)


def _is_dead(folder: Path) -> bool:
    worker = AttemptName.of(folder.name.rsplit(".", 2)[0]).worker
    if worker.host == socket.gethostname() and worker.pid is not None:
        return not Path("/proc", str(worker.pid)).exists()
    return time.time() - folder.stat().st_mtime > STRANGER_SECONDS
