"""Scratch space: one folder per attempt, and the sign of life beside them."""

from __future__ import annotations

import os
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ALIVE_SECONDS = 15.0  # seven of the keeper's beats: a busy machine is late, a dead worker silent
STRANGER_SECONDS = 2 * 24 * 3600.0  # folders of another host on a shared disk: no attempt lasts longer than a day


def attempt_name() -> str:
    """Return a name no other attempt has, which tells where it runs: `host_pid_random`."""
    return f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4().hex[:8]}"


@contextmanager
def scratch_folder(root: Path, name: str) -> Iterator[Path]:
    """Give the attempt a folder of its own that is gone afterwards."""
    folder = root / name
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_scratch(root: Path) -> int:
    """Remove the folders of attempts that died; return how many. Those of live processes beside us stay."""
    dead = [folder for folder in root.iterdir() if folder.is_dir() and _is_dead(folder)]
    for folder in dead:
        shutil.rmtree(folder, ignore_errors=True)
    return len(dead)


def _is_dead(folder: Path) -> bool:
    host, _, rest = folder.name.rpartition("_")[0].rpartition("_")
    if host == socket.gethostname() and rest.isdigit():
        return not Path("/proc", rest).exists()
    return time.time() - folder.stat().st_mtime > STRANGER_SECONDS


def alive_file(root: Path, role: str) -> Path:
    """Return the file whose time says when the role's worker last showed that it is connected and alive."""
    return root / f"{role}.alive"


def is_alive(file: Path) -> bool:
    """Tell whether the worker has shown a sign of life lately."""
    return file.exists() and time.time() - file.stat().st_mtime < ALIVE_SECONDS
