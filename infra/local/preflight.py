"""What must be true before anything starts; each failure is one line that says what to do."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from infra.local.supervisor_conf import LOCK_FILE, LOG_FOLDER, REDIS_URL_FILE, RUN_FOLDER
from infra.local.takeover import FOLDERS, foreign_entries
from storage.services.connect import REDIS_FOLDER
from storage.settings import Settings, SettingsError

_TOOLS = {"ffmpeg": "ffmpeg", "ffprobe": "ffmpeg", "setpriv": "util-linux"}  # program: Debian package
_REDIS_TOOLS = {"redis-server": "redis-server"}


def check_tools(*, own_redis: bool) -> None:
    """Raise SettingsError unless all programs are on PATH."""
    wanted = _TOOLS | (_REDIS_TOOLS if own_redis else {})
    missing = [program for program in wanted if shutil.which(program) is None]
    if missing:
        packages = " ".join(sorted({wanted[program] for program in missing}))
        raise SettingsError(f"PATH: {', '.join(missing)} not found; install with: apt-get install {packages}")


def make_folders(data_dir: Path) -> None:
    """Create DATA_DIR and its folders, closed to other users; raise SettingsError where they cannot be written."""
    try:
        for name in (RUN_FOLDER, LOG_FOLDER, REDIS_FOLDER):
            (data_dir / name).mkdir(parents=True, exist_ok=True)
            if not os.access(data_dir / name, os.W_OK | os.X_OK):
                raise SettingsError(f"DATA_DIR: {data_dir / name} cannot be written by this user")
        for folder in (data_dir / name for name in FOLDERS):
            _close(folder)
        if not foreign_entries(data_dir):  # a folder that holds other things may have other readers
            _close(data_dir)
    except OSError as error:
        raise SettingsError(f"DATA_DIR: {data_dir} cannot be used: {error.strerror}") from None


def _close(folder: Path) -> None:
    """Close to other users what is ours: a link leads to a folder of somebody else's choice."""
    if folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.geteuid():
        folder.chmod(0o700)


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold DATA_DIR for this process; raise SettingsError while another installation runs in it."""
    with _lock_file(data_dir).open("a") as lock:
        if not _taken(lock):
            raise SettingsError(
                f"DATA_DIR: an installation already runs in {data_dir}; stop it or choose another DATA_DIR"
            )
        yield


def running_redis(data_dir: Path) -> str:
    """Return the URL of the Redis that the installation in DATA_DIR brought; raise SettingsError while none runs."""
    path = _lock_file(data_dir)
    if path.exists():
        with path.open("a") as lock:
            if not _taken(lock):
                return (data_dir / RUN_FOLDER / REDIS_URL_FILE).read_text()
    raise SettingsError(f"DATA_DIR: no installation runs in {data_dir}; start it, or name a Redis in REDIS_URL")


def _lock_file(data_dir: Path) -> Path:
    return data_dir / RUN_FOLDER / LOCK_FILE


def _taken(lock: TextIO) -> bool:
    """Take the lock until the file is closed; False while another process has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def check_port(host: str, port: int) -> None:
    """Raise SettingsError unless HOST:PORT can be listened on."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # As gunicorn does it: connections of the last run that linger are no hindrance.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except socket.gaierror:
        raise SettingsError(f"HOST: {host} is not an address of this machine") from None
    except PermissionError:
        raise SettingsError(
            f"PORT: only root may listen on port {port}, and no part runs as root; put a proxy there, or try PORT=8000"
        ) from None
    except OSError as error:
        raise SettingsError(f"PORT: cannot listen on {host}:{port}: {error.strerror}; try PORT={port + 1}") from None


def free_port() -> int:
    """Return a loopback port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def own_redis(settings: Settings) -> bool:
    """Tell whether this installation brings its own Redis: nobody named another."""
    return "redis_url" not in settings.model_fields_set
