"""What the system user can reach, and what it may be able to do there.

A folder that is closed to others, such as /root, hides what lies in it: the code, the interpreter, DATA_DIR. The parts
then get a view of their own of the file system (a mount namespace). In it an empty folder lies over the closed one,
and only what the parts need is shown inside, the code read-only. Nothing changes for anybody else.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from storage.settings import SettingsError

# sched.h and mount.h of Linux, the same on all architectures.
_CLONE_NEWNS = 0x00020000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REMOUNT = 0x1, 0x2, 0x4, 0x20
_MS_BIND, _MS_REC, _MS_SLAVE = 0x1000, 0x4000, 0x80000
# statvfs tells these flags of a mount by the same bits; a namespace may not be allowed to take one away.
_KEPT_FLAGS = 0xF | 0x400 | 0x800
# It holds a few folders to mount on, nothing else.
_COVER = b"mode=0755,size=1m"
_BYTECODE = "__pycache__"


@dataclass(frozen=True, slots=True)
class Needed:
    """A folder that the parts need, by its real path."""

    path: Path
    writable: bool


def closed_above(path: Path) -> Path | None:
    """Return the outermost folder on the way to the path that our effective user cannot pass, None if there is none."""
    for folder in reversed(path.parents):
        if not os.access(folder, os.X_OK, effective_ids=True):
            return folder
    return None


def show_only(needed: Iterable[Needed], closed: Iterable[Path]) -> None:
    """Give this process, and all that it starts, a view in which the closed folders hold the needed ones alone.

    Raises OSError where the machine does not allow it. Called by root.
    """
    _call("unshare", _CLONE_NEWNS)
    # What is mounted later on this machine still appears here; nothing of ours appears there.
    _mount(None, Path("/"), None, _MS_REC | _MS_SLAVE)
    hidden = tuple(closed)
    # By their length, so that DATA_DIR inside the checkout lies over the read-only code.
    shown = sorted(
        (one for one in needed if any(one.path.is_relative_to(folder) for folder in hidden)),
        key=lambda one: len(one.path.parts),
    )
    descriptors = [os.open(one.path, os.O_PATH | os.O_DIRECTORY) for one in shown]
    for folder in hidden:
        _mount("tmpfs", folder, "tmpfs", _MS_NOSUID | _MS_NODEV, _COVER)
    for one, descriptor in zip(shown, descriptors, strict=True):
        one.path.mkdir(parents=True, exist_ok=True)
        _mount(f"/proc/self/fd/{descriptor}", one.path, None, _MS_BIND | _MS_REC)
        os.close(descriptor)
        flags = os.statvfs(one.path).f_flag & _KEPT_FLAGS | _MS_NOSUID | _MS_NODEV
        _mount(None, one.path, None, _MS_BIND | _MS_REMOUNT | flags | (0 if one.writable else _MS_RDONLY))


def check_code(folders: Iterable[Path], user: str) -> None:
    """Raise SettingsError unless our effective user can read all of the code and change none of it."""
    for folder in folders:
        for above in folder.parents:
            # In a sticky folder such as /tmp nobody renames what is another's.
            if os.access(above, os.W_OK, effective_ids=True) and not above.stat().st_mode & stat.S_ISVTX:
                raise SettingsError(_may_write(above, user))
        for path in _all_of(folder):
            if os.access(path, os.W_OK, effective_ids=True):
                raise SettingsError(_may_write(path, user))
            # Bytecode that cannot be read is made anew in memory.
            if not _is_readable(path) and _BYTECODE not in path.parts:
                raise SettingsError(
                    f"root: the user {user}, as whom all parts run, cannot read {path}; try: chmod -R go+rX {folder}"
                )


def _is_readable(path: Path) -> bool:
    return os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0), effective_ids=True)


def _may_write(path: Path, user: str) -> str:
    return f"root: the user {user}, as whom all parts run, may write to {path}, which is code; try: chown root {path}"


def _all_of(folder: Path) -> Iterator[Path]:
    yield folder
    for parent, folders, files in os.walk(folder):
        # A link that leads nowhere is no code.
        yield from (
            path for name in (*folders, *files) if not (path := Path(parent, name)).is_symlink() or path.exists()
        )


def _mount(source: str | None, target: Path, kind: str | None, flags: int, data: bytes | None = None) -> None:
    _call(
        "mount",
        source.encode() if source else None,
        os.fsencode(target),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        data,
    )


def _call(name: str, *arguments: object) -> None:
    """Call the C library; raise OSError where it fails."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
