"""Opening what others may have put there: regular files and real folders under a root, and no link is followed.

Every part of the way is opened by itself, beneath the one before it. So nobody can put a link, a FIFO or a device in
the place of what was looked at.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})  # what a full disk, or a full share of it, answers a write with
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK a FIFO that came after the look would be waited for; a terminal must not become ours.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_GROWING = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def real_folder(root: Path, parts: Sequence[str], *, make: bool = False) -> Iterator[int]:
    """Give a descriptor of the folder that the parts lead to; `root` itself may be a link, as whoever installs says.

    With `make`, what is missing is made, each folder on disk before the next. Raises OSError, NotADirectoryError for
    a link among the parts.
    """
    with ExitStack() as opened:
        here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        opened.callback(os.close, here)
        for part in parts:
            if make:
                _make(part, here)
            here = os.open(part, _FOLDER, dir_fd=here)
            opened.callback(os.close, here)
        yield here


def open_regular(root: Path, parts: Sequence[str]) -> tuple[int, os.stat_result]:
    """Return a descriptor for reading the regular file that the parts lead to, and its status as it is opened.

    Raises OSError, IsADirectoryError for anything that is no regular file, a link to one among it.
    """
    *folders, name = parts
    with real_folder(root, folders) as folder:
        # Opening alone may set off a device.
        _check_regular(os.stat(name, dir_fd=folder, follow_symlinks=False))
        descriptor = os.open(name, _FILE, dir_fd=folder)
    try:
        status = os.fstat(descriptor)
        _check_regular(status)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor, status


def open_new(root: Path, parts: Sequence[str], *, readable: bool = False) -> int:
    """Return a descriptor for writing a file that was not there: what somebody put there is neither used nor followed.

    Raises OSError, FileExistsError for whatever is there.
    """
    *folders, name = parts
    with real_folder(root, folders) as folder:
        return os.open(name, _NEW | (os.O_RDWR if readable else os.O_WRONLY), 0o666, dir_fd=folder)


def open_growing(root: Path, parts: Sequence[str]) -> int:
    """Return a descriptor for writing on the regular file that the parts lead to, made if it is not there.

    Raises OSError, IsADirectoryError for anything else that is there, a link among it.
    """
    *folders, name = parts
    with real_folder(root, folders, make=True) as folder:
        try:
            _check_regular(os.stat(name, dir_fd=folder, follow_symlinks=False))
        except FileNotFoundError:
            os.fsync(folder)
        descriptor = os.open(name, _GROWING, 0o666, dir_fd=folder)
    try:
        _check_regular(os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def move_file(root: Path, source: Sequence[str], target: Sequence[str]) -> None:
    """Give a file another name under the root, which is on disk then, in place of what had it.

    Where a deletion takes the emptied folder away in between, it is made again. Raises OSError.
    """
    *here, name = source
    *there, new_name = target
    with real_folder(root, here) as source_folder:
        while True:
            try:
                with real_folder(root, there, make=True) as folder:
                    os.rename(name, new_name, src_dir_fd=source_folder, dst_dir_fd=folder)
                    os.fsync(folder)  # so that it survives a power cut
            except FileNotFoundError:
                os.stat(name, dir_fd=source_folder, follow_symlinks=False)  # raised again where this is gone
            else:
                return


def _make(name: str, folder: int) -> None:
    try:
        os.mkdir(name, dir_fd=folder)
    except FileExistsError:
        return
    os.fsync(folder)


def _check_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "This is no regular file.")
