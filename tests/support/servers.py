"""Real servers as subprocesses on free ports of loopback, stopped by their own process id."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Self

import redis
import urllib3
from minio import Minio
from minio.error import MinioException
from urllib3.exceptions import HTTPError

from storage.settings import Settings
from tests.support.waiting import wait_until

MINIO_USER = "rungs-tests"
MINIO_PASSWORD = "only-for-tests"
_STOP_SECONDS = 15.0
REDIS_CONF = Path(__file__).resolve().parents[2] / "infra" / "redis.conf"


def free_port() -> int:
    """Return a TCP port of loopback that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    """Tell whether somebody on loopback takes connections on this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def find_minio() -> str | None:
    """Return the MinIO binary: RUNGS_MINIO, the cache that `make test` fills, or PATH."""
    cached = Path.home() / ".cache" / "rungs" / "minio"
    for candidate in (os.environ.get("RUNGS_MINIO"), str(cached), shutil.which("minio")):
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    return None


def servers_environment(settings: Settings) -> dict[str, str]:
    """Return the environment by which a part finds the servers of these settings."""
    broker = settings.broker_url
    return {
        **({"BROKER_URL": broker.get_secret_value()} if broker else {}),
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "OBJECT_STORE_URL": settings.object_store_url,
        "OBJECT_STORE_ACCESS_KEY": settings.object_store_access_key,
        "OBJECT_STORE_SECRET_KEY": settings.object_store_secret_key.get_secret_value(),
    }


class _Server:
    """A subprocess with its log in its folder; `start` returns once it answers."""

    start_seconds = 60.0  # on a machine that does much else
    before: tuple[str, ...] = ()  # what its command line begins with, such as the way into a small disk

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """Return the server's command line."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Return what is added to the environment."""
        return {}

    def answers(self) -> bool:
        """Tell whether the server serves."""
        raise NotImplementedError

    def launch(self, *before: str) -> subprocess.Popen[bytes]:
        """Start without waiting, with `before` in front of the command line; data of an earlier start are kept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*before, *self.command()], stdout=log, stderr=log, cwd=self.folder, env=os.environ | self.environment()
            )

    def start(self) -> Self:
        """Start and wait until it answers."""
        self._process = self.launch(*self.before)
        try:
            wait_until(self.answers, seconds=self.start_seconds, what=f"{self.command()[0]} on port {self.port}")
        except AssertionError:
            self.kill()
            raise
        return self

    @property
    def runs(self) -> bool:
        """Tell whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        """Everything it has logged so far."""
        return (self.folder / "log").read_text()

    def stop(self) -> None:
        """End it in good order (SIGTERM)."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_STOP_SECONDS)
            self._process = None

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_STOP_SECONDS)
            self._process = None


class RedisServer(_Server):
    """redis-server with the installation's own configuration: append-only, every write on disk, nothing evicted."""

    @property
    def url(self) -> str:
        """URL of its database 0."""
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        """See _Server.command."""
        options = {"port": str(self.port), "bind": "127.0.0.1", "dir": str(self.folder)}
        own = (part for name, value in options.items() for part in (f"--{name}", value))
        return ["redis-server", str(REDIS_CONF), *own]

    def answers(self) -> bool:
        """See _Server.answers."""
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class MinioServer(_Server):
    """`minio server` on one folder."""

    def __init__(self, folder: Path, binary: str) -> None:
        super().__init__(folder)
        self._binary = binary

    @property
    def endpoint(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """See _Server.command."""
        return [self._binary, "server", str(self.folder / "disk"), "--address", self.endpoint, "--quiet"]

    def environment(self) -> dict[str, str]:
        """See _Server.environment."""
        return {"MINIO_ROOT_USER": MINIO_USER, "MINIO_ROOT_PASSWORD": MINIO_PASSWORD, "MINIO_BROWSER": "off"}

    def answers(self) -> bool:
        """See _Server.answers."""
        # Its health page says yes before it can serve: then it answers "not initialised, come back in 60 seconds".
        http = urllib3.PoolManager(timeout=1, retries=False)
        try:
            Minio(self.endpoint, MINIO_USER, MINIO_PASSWORD, secure=False, http_client=http).list_buckets()
        except (HTTPError, MinioException):
            return False
        return True
