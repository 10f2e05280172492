"""What may stand in the place of a regular file: each kind that a tool or another program can leave there."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

SECRET = b"a secret of this machine, long enough to be seen\n"
_NULL = os.makedev(1, 3)


def _device(path: Path, secret: Path) -> None:  # noqa: ARG001 - all kinds are made alike
    try:
        os.mknod(path, 0o600 | stat.S_IFCHR, _NULL)
    except PermissionError:
        pytest.skip("only root makes devices")


# Each puts itself at the first path; `secret` is a file elsewhere that nobody may get to see.
ODD: dict[str, Callable[[Path, Path], None]] = {
    "link": lambda path, secret: path.symlink_to(secret),
    "link to nothing": lambda path, secret: path.symlink_to(secret.with_name("nothing")),
    "FIFO": lambda path, _: os.mkfifo(path),
    "folder": lambda path, _: path.mkdir(),
    "device": _device,
}


def put_odd(kind: str, path: Path, secret: Path) -> None:
    """Put the kind at this path, in place of what is there."""
    secret.write_bytes(SECRET)
    path.unlink(missing_ok=True)
    ODD[kind](path, secret)
