"""DATA_DIR for the system user: made, or taken over once from an installation that ran as root."""

from __future__ import annotations

import fcntl
import os
import pwd
import stat
from pathlib import Path

from infra.local.supervisor_conf import LOCK_FILE, LOG_FOLDER, RUN_FOLDER
from infra.local.system_user import SystemUser
from storage.services.connect import REDIS_FOLDER
from storage.settings import SettingsError

FOLDERS = (RUN_FOLDER, LOG_FOLDER, REDIS_FOLDER, "objects", "scratch")
# What a file system keeps at its root: DATA_DIR may be a disk of its own.
_OF_THE_DISK = frozenset({"lost+found"})
_CLOSED = 0o700


def foreign_entries(data_dir: Path) -> list[str]:
    """Return the names in DATA_DIR that no installation put there, in order."""
    return sorted({path.name for path in data_dir.iterdir()} - {*FOLDERS, *_OF_THE_DISK})


def hand_over(data_dir: Path, user: SystemUser) -> int:
    """Make DATA_DIR the user's, if it is not; return how many files and folders changed their owner in that.

    Raises SettingsError for a folder that is somebody else's, holds other things, or is in use. Called by root.
    """
    try:
        if not data_dir.exists():
            make_for(user, data_dir)
            return 0
        owner = data_dir.stat().st_uid
        if owner == user.uid:
            return 0
        _check_is_roots(data_dir, owner, user)
        return _take_over(data_dir, user)
    except OSError as error:
        raise SettingsError(f"DATA_DIR: {data_dir} cannot be used: {error.strerror}") from None


def make_for(user: SystemUser, folder: Path) -> None:
    """Make a folder that is the user's and closed to others; what leads to it is root's. Raises OSError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=_CLOSED)
    os.chown(folder, user.uid, user.gid)


def _check_is_roots(data_dir: Path, owner: int, user: SystemUser) -> None:
    if owner != 0:
        raise SettingsError(
            f"DATA_DIR: {data_dir} belongs to {_name_of(owner)}; start as that user, "
            f"or: chown -R {user.name}: {data_dir}"
        )
    if foreign := foreign_entries(data_dir):
        raise SettingsError(
            f"DATA_DIR: {data_dir} also holds {', '.join(foreign[:3])}; "
            "started as root, Rungs wants a folder of its own"
        )
    if _is_in_use(data_dir):
        raise SettingsError(f"DATA_DIR: an installation already runs in {data_dir}; stop it or choose another DATA_DIR")


def _take_over(data_dir: Path, user: SystemUser) -> int:
    """Give all to the user. DATA_DIR itself comes last, so that what is interrupted is begun again."""
    data_dir.chmod(_CLOSED)
    taken = sum(_give(data_dir / name, user) for name in FOLDERS if (data_dir / name).is_dir())
    os.chown(data_dir, user.uid, user.gid)
    return taken


def _give(folder: Path, user: SystemUser) -> int:
    """Give the folder and all in it; links are neither followed nor given. Raises SettingsError, OSError."""
    taken = 0
    for path, _, files, descriptor in os.fwalk(folder, follow_symlinks=False):
        for name in files:
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if not stat.S_ISREG(status.st_mode):
                continue
            if status.st_nlink > 1:
                # The other name may be a file outside, such as /etc/shadow.
                raise SettingsError(
                    f"DATA_DIR: {Path(path, name)} has a second name (a hard link); remove it, then start again"
                )
            os.chown(name, user.uid, user.gid, dir_fd=descriptor, follow_symlinks=False)
            taken += 1
        os.fchown(descriptor, user.uid, user.gid)
        taken += 1
    return taken


def _is_in_use(data_dir: Path) -> bool:
    try:
        descriptor = os.open(data_dir / RUN_FOLDER / LOCK_FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
