"""Scratch space: folders that end with their attempt, and those that a dead process left."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from workers.scratch import (
    ALIVE_SECONDS,
    STRANGER_SECONDS,
    alive_file,
    attempt_name,
    is_alive,
    scratch_folder,
    sweep_scratch,
)


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
    with pytest.raises(ZeroDivisionError), scratch_folder(root, "a") as folder:
        fill_and_fail(folder)
    assert list(root.iterdir()) == []


def test_attempts_have_names_of_their_own() -> None:
    """Two attempts of one process never meet in one folder."""
    names = {attempt_name() for _ in range(100)}
    assert len(names) == 100
    assert all(name.startswith(f"{socket.gethostname()}_{os.getpid()}_") for name in names)


def test_only_folders_of_the_dead_are_swept(tmp_path: Path) -> None:
    """A live neighbour keeps its folder, a stranger's waits for two days, and the sign of life is no folder."""
    live = tmp_path / attempt_name()
    dead = tmp_path / f"{socket.gethostname()}_{dead_pid()}_00ff00ff"
    stranger, old_stranger = tmp_path / "other-host_1_00ff00ff", tmp_path / "other_host_1_00ff00ff"
    for folder in (live, dead, stranger, old_stranger):
        (folder / "inner").mkdir(parents=True)
    age(old_stranger, STRANGER_SECONDS + 60)
    sign = alive_file(tmp_path, "encode")
    sign.touch()
    assert sweep_scratch(tmp_path) == 2
    assert sorted(tmp_path.iterdir()) == sorted((live, stranger, sign))


def test_a_worker_that_shows_no_sign_is_not_alive(tmp_path: Path) -> None:
    """No file, a fresh one, an old one."""
    sign = alive_file(tmp_path, "control")
    assert not is_alive(sign)
    sign.touch()
    assert is_alive(sign)
    age(sign, ALIVE_SECONDS + 1)
    assert not is_alive(sign)
