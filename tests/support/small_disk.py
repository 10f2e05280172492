"""A small file system in memory: what happens when a disk is full is seen on a real one, by real processes."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.support.missing import MISSING
from tests.support.waiting import wait_until

# As root of a container that may mount; where it may not, or nobody is root, in a user namespace.
_WAYS = (("--mount",), ("--user", "--map-root-user", "--mount"))
_MOUNTED = 'mount -t tmpfs -o size="$0" small "$1" && exec sleep infinity'
_PIECE = bytes(1024**2)


@cache
def _way() -> tuple[str, ...] | None:
    """Return the namespaces of our own in which we may mount, None where nobody lets us."""
    for way in _WAYS:
        trial = ["unshare", *way, "mount", "-t", "tmpfs", "small", "/mnt"]
        if subprocess.run(trial, capture_output=True, check=False).returncode == 0:
            return way
    return None


class SmallDisk:
    """`size` bytes, mounted at `folder` for the processes that are started `inside`; gone after the context.

    It takes as many `files` as memory has room for, or so many, folders among them.
    Skips the test, aloud, where no file system can be mounted.
    """

    def __init__(self, folder: Path, size: int, *, files: int = 0) -> None:
        self._folder = folder
        self._size = f"{size},nr_inodes={files}" if files else f"{size}"

    def __enter__(self) -> Self:
        way = _way()
        if way is None:
            MISSING["small disks"] = "neither root nor a user namespace may mount a tmpfs: full disks were NOT TESTED"
            pytest.skip(MISSING["small disks"])
        self._folder.mkdir(parents=True, exist_ok=True)
        command = ["unshare", *way, "sh", "-c", _MOUNTED, self._size, str(self._folder)]
        self._holder = subprocess.Popen(command)
        entered = [option for option in way if option != "--map-root-user"]
        self.inside = ("nsenter", "--target", str(self._holder.pid), *entered, "--")
        wait_until(self._is_mounted, what="a small disk")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._holder.kill()
        self._holder.wait()

    def seen(self, path: Path) -> Path:
        """Return a path as it is inside by a name that works outside."""
        return Path(f"/proc/{self._holder.pid}/root{path}")

    def fill(self) -> None:
        """Leave no byte free."""
        with self._filler.open("wb", buffering=0) as file:
            try:
                while file.write(_PIECE) == len(_PIECE):
                    pass
            except OSError:
                return

    def make_room(self) -> None:
        """Give back what `fill` took."""
        self._filler.unlink()

    @property
    def _filler(self) -> Path:
        return self.seen(self._folder) / "filler"

    def _is_mounted(self) -> bool:
        mounts = Path(f"/proc/{self._holder.pid}/mounts").read_text().splitlines()
        return any(line.split()[1] == str(self._folder) for line in mounts)
