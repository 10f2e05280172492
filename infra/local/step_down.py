"""Root's rights are given up before anything is started: what an installation does, it does as its system user."""

from __future__ import annotations

import compileall
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from infra.local import reach, system_user, takeover
from infra.local.reach import Needed
from infra.local.system_user import SystemUser
from storage.settings import Settings, SettingsError

APP_DIR = Path(__file__).resolve().parents[2]
PACKAGES = ("storage", "web", "workers", "infra")
# Originals, records and secrets are nobody's business but this user's.
PRIVATE_UMASK = 0o077
# Code that root prepares is for the system user to read.
_CODE_UMASK = 0o022


@dataclass(frozen=True, slots=True)
class SteppedDown:
    """What came of it: sentences for people, and what the environment of the parts gets."""

    said: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def step_down(settings: Settings) -> SteppedDown:
    """Become the system user if this is root, with DATA_DIR and code as they must be; else change only the umask.

    Raises SettingsError, with nothing started.
    """
    if not system_user.is_root():
        os.umask(PRIVATE_UMASK)
        return SteppedDown()
    data_dir = settings.data_dir.resolve()
    _check_apart(data_dir)
    user = system_user.find_or_make()
    os.umask(_CODE_UMASK)
    taken = takeover.hand_over(data_dir, user)
    objects = _objects_outside(settings, data_dir, user)
    _compile()
    _become(user, [data_dir, *objects])
    said = [f"started as root: everything runs as the system user {user.name}, who can change no code"]
    if taken:
        said.append(f"{data_dir} belonged to root; {user.name} owns it now ({taken} files and folders)")
    return SteppedDown(tuple(said), user.environment)


def join(settings: Settings) -> SteppedDown:
    """Become the system user if this is root and DATA_DIR is that user's: for commands beside an installation."""
    data_dir = settings.data_dir.resolve()
    if not system_user.is_root() or not data_dir.exists() or data_dir.stat().st_uid == 0:
        return SteppedDown()
    return step_down(settings)


def _objects_outside(settings: Settings, data_dir: Path, user: SystemUser) -> list[Path]:
    """Return the folder of objects if it is not in DATA_DIR, made for the user where it is missing."""
    url = urlsplit(settings.store_url)
    folder = Path(unquote(url.path)).resolve()
    if url.scheme != "file" or folder.is_relative_to(data_dir):
        return []
    try:
        if not folder.exists():
            takeover.make_for(user, folder)
    except OSError as error:
        raise SettingsError(f"OBJECT_STORE_URL: {folder} cannot be made: {error.strerror}") from None
    return [folder]


def _check_apart(data_dir: Path) -> None:
    """Raise SettingsError for a DATA_DIR that holds the code: whoever owns it could change the code."""
    for code in _code():
        if code.is_relative_to(data_dir):
            raise SettingsError(f"DATA_DIR: {data_dir} holds the code in {code}; choose another DATA_DIR")


def _code() -> tuple[Path, ...]:
    return (*(APP_DIR / name for name in PACKAGES), Path(sys.prefix).resolve())


def _compile() -> None:
    """Write the bytecode that the system user may not write; without it every start would compile all code anew."""
    for name in PACKAGES:
        compileall.compile_dir(APP_DIR / name, quiet=2)


def _become(user: SystemUser, data: list[Path]) -> None:
    """Become the user, who must be able to read the code and write the data. Raises SettingsError."""
    code = [APP_DIR, Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()]
    _open_ways([Needed(path, writable=False) for path in code] + [Needed(path, writable=True) for path in data], user)
    system_user.become(user)
    os.umask(PRIVATE_UMASK)
    reach.check_code(_code(), user.name)
    for folder in data:
        if not os.access(folder, os.W_OK | os.X_OK):
            raise SettingsError(
                f"root: the user {user.name} cannot write to {folder}; if all in it is Rungs' own, "
                f"try: chown -R {user.name}: {folder}"
            )


def _open_ways(needed: list[Needed], user: SystemUser) -> None:
    """Show the user what lies in folders that are closed to it. Raises SettingsError where that cannot be done."""
    with system_user.acting_as(user):
        closed = {one.path: folder for one in needed if (folder := reach.closed_above(one.path))}
    if not closed:
        return
    try:
        reach.show_only(needed, set(closed.values()))
    except OSError as error:
        path, folder = next(iter(closed.items()))
        raise SettingsError(
            f"root: the user {user.name}, as whom all parts run, cannot reach {path}: {folder} is closed to it, "
            f"and this machine does not let Rungs show it that path alone ({error.strerror}); "
            "move it, to /opt say, or start as an unprivileged user"
        ) from None
