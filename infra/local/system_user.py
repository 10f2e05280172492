"""The system user of an installation that was started as root: found or made, and become."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from storage.settings import SettingsError

NAME = "rungs"
# No group but its own, no home, no shell: nobody logs in as this user.
_USERADD = (
    "useradd",
    "--system",
    "--user-group",
    "--no-create-home",
    "--home-dir=/nonexistent",
    "--shell=/usr/sbin/nologin",
    NAME,
)
_INSTEAD = f"make a system user {NAME} by hand, or start as an unprivileged user"


@dataclass(frozen=True, slots=True)
class SystemUser:
    """A user of this machine by name and numbers."""

    name: str
    uid: int
    gid: int
    home: str

    @property
    def environment(self) -> Mapping[str, str]:
        """What programs expect of the environment of this user."""
        return {"HOME": self.home, "USER": self.name, "LOGNAME": self.name}


def is_root() -> bool:
    """Tell whether this process has root's rights."""
    return os.geteuid() == 0


def find_or_make() -> SystemUser:
    """Return the system user, made where there is none yet; only root may call it. Raises SettingsError."""
    found = _find()
    if found is None:
        _make()
        found = _find()
    if found is None:
        raise SettingsError(f"root: useradd made no user {NAME}; {_INSTEAD}")
    if found.uid == 0:
        raise SettingsError(f"root: the user {NAME} is root by another name; {_INSTEAD}")
    return found


def _find() -> SystemUser | None:
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        return None
    return SystemUser(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir)


def _make() -> None:
    try:
        subprocess.run(_USERADD, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise SettingsError(f"root: useradd is missing, so no system user can be made; {_INSTEAD}") from None
    except subprocess.CalledProcessError as error:
        reason = str(error.stderr).strip().replace("\n", "; ")
        raise SettingsError(f"root: no system user can be made ({reason}); {_INSTEAD}") from None


@contextmanager
def acting_as(user: SystemUser) -> Iterator[None]:
    """Have only the user's rights for a while; root's come back. For looking at what the user can reach."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(user.gid)
    os.seteuid(user.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def become(user: SystemUser) -> None:
    """Give up root's rights for good, in this process and all that it will start. Raises SettingsError."""
    try:
        os.setgroups([])
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
    except OSError as error:
        # Containers and user namespaces may know no user but root.
        raise SettingsError(
            f"root: this process cannot become the user {user.name}: {error.strerror}; start as an unprivileged user"
        ) from None
