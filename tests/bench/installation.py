"""A running installation for the benches: `rungs up` as a child, its CPU, and one upload at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import SecretStr

from infra.local.preflight import running_redis
from storage.services import Services
from storage.services.connect import connect
from storage.settings import Settings
from tests.support.driving import submit
from tests.support.forms import CONTENT_TYPE
from tests.support.servers import free_port
from tests.support.streams import EventStream
from tests.support.waiting import wait_until

READY_SECONDS = 60.0
JOB_SECONDS = 1800.0
READABLE = 0o755  # a folder whose clips the installation's user may read
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took: seconds on the clock and of CPU."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Took(Cost):
    """A run of the whole installation, from the last byte of the upload to `ready`; its CPU is that of all processes.

    `first_picture` is how many seconds after the last byte the job could be played, all rungs of it.
    """

    first_picture: float


def is_ready(job: dict[str, Any]) -> bool:
    """Tell whether the job, as public JSON, is ready."""
    return bool(job["state"] == "ready")


@dataclass(slots=True)
class Installation:
    """Started on entry, stopped on exit; `settings` are further ones, by their names in the environment."""

    slots: int
    settings: Mapping[str, str] = field(default_factory=dict)
    _port: int = field(default_factory=free_port)
    _folder: Any = field(default_factory=tempfile.TemporaryDirectory)
    _process: Any = None
    idle: float = field(default=0.0, init=False)  # CPU seconds a second with nothing to do

    def __enter__(self) -> Self:
        environment = {
            **os.environ,
            "PORT": str(self._port),
            "DATA_DIR": self._folder.name,
            "ENCODERS": str(self.slots),
            **self.settings,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infra.cli", "up"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait_until_ready()
        self.idle = self._idle_rate()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    @property
    def port(self) -> int:
        """Port of its web service on loopback."""
        return self._port

    @property
    def pid(self) -> int:
        """Process id of `rungs up`; all parts are below it."""
        pid: int = self._process.pid
        return pid

    @property
    def data(self) -> Path:
        """Folder of everything that it keeps."""
        return Path(self._folder.name)

    def encode(self, clip: Path) -> Took:
        """Upload the clip, wait for the end, delete the job; return what it took."""
        job_id = self.upload(clip)
        uploaded, before = time.monotonic(), self.cpu_seconds()
        first = self.wait_for(job_id, self.playable)
        self.wait_for(job_id, is_ready)
        wall = time.monotonic() - uploaded
        cpu = self.cpu_seconds() - before - self.idle * wall
        self.delete(job_id)
        return Took(wall, cpu, first)

    def first_picture(self, film: Path) -> float:
        """Upload the film, wait until it can be played, delete the job; return the seconds that took."""
        job_id = self.upload(film)
        first = self.wait_for(job_id, self.playable)
        self.delete(job_id)
        return first

    def upload(self, clip: Path) -> str:
        """Upload the clip; return its job's id."""
        url = f"http://127.0.0.1:{self._port}/api/jobs"
        answer = subprocess.run(["curl", "-sf", "-F", f"file=@{clip}", url], check=True, capture_output=True)
        job: dict[str, Any] = json.loads(answer.stdout)
        return str(job["id"])

    def services(self) -> Services:
        """Return the installation's own parts, for what only it can do: nobody else uploads for another owner."""
        data_dir = Path(self._folder.name).resolve()
        settings = Settings(data_dir=data_dir, redis_url=SecretStr(running_redis(data_dir)))
        return connect(settings, patience=READY_SECONDS)

    def bring(self, clip: Path, owner: str) -> str:
        """Bring a clip of an owner as the web service would, with the rights of its user; return the job's id."""
        services, user = self.services(), (self.data / "objects").stat()
        os.setegid(user.st_gid)
        os.seteuid(user.st_uid)
        try:
            return submit(services, clip, owner=owner, created_at=time.time()).id
        finally:
            os.seteuid(os.getuid())
            os.setegid(os.getgid())

    def send(self, body: bytes) -> bool:
        """Upload a form; tell whether it was taken, not refused for want of room."""
        url = f"http://127.0.0.1:{self._port}/api/jobs"
        request = urllib.request.Request(url, body, {"Content-Type": CONTENT_TYPE})
        try:
            with urllib.request.urlopen(request, timeout=30):  # noqa: S310 - our own
                return True
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            return False

    def job(self, job_id: str) -> dict[str, Any]:
        """Return the job's public JSON."""
        return self.get(f"/api/jobs/{job_id}")

    def jobs(self) -> Iterator[dict[str, Any]]:
        """Yield the public JSON of every job, newest first."""
        path: str | None = "/api/jobs?limit=100"
        while path:
            page = self.get(path)
            yield from page["jobs"]
            path = page["cursor"] and f"/api/jobs?limit=100&cursor={page['cursor']}"

    def get(self, path: str) -> dict[str, Any]:
        """Return what the API answers under this path."""
        answer: dict[str, Any] = json.loads(self._ask(path))
        return answer

    def delete(self, job_id: str) -> None:
        """Delete the job, whatever state it is in."""
        self._ask(f"/api/jobs/{job_id}", method="DELETE")

    def wait_for(self, job_id: str, condition: Callable[[dict[str, Any]], bool]) -> float:
        """Watch the job, as its page does, until the condition holds of it; return how many seconds that took.

        Asking ten times a second would cost 3.2 ms of CPU each time, 2 % of an encode's, which nobody's page does.
        """
        return self.moments(job_id, {"": condition})[""]

    def moments(self, job_id: str, conditions: Mapping[str, Callable[[dict[str, Any]], bool]]) -> dict[str, float]:
        """Watch the job, as its page does, until each condition has held of it; return how many seconds each took."""
        began, took = time.monotonic(), dict[str, float]()
        with EventStream(self._port, f"/api/jobs/{job_id}/events", timeout=JOB_SECONDS) as stream:
            for job in (sent.data["job"] for sent in stream):
                for name in conditions.keys() - took.keys():
                    if conditions[name](job):
                        took[name] = time.monotonic() - began
                if len(took) == len(conditions):
                    return took
        raise RuntimeError(f"{job['title']}: {job['state']} {job['error']}")

    def playable(self, job: dict[str, Any]) -> bool:
        """Fetch what a player fetches first: master, each rung's playlist, init section and first fragment."""
        if not job["hls_url"]:
            return False
        base = job["hls_url"].rpartition("/")[0]
        master = self._ask(job["hls_url"]).decode()
        lists = [line for line in master.splitlines() if line.endswith(".m3u8") and not line.startswith("#")]
        for name in lists:
            folder = f"{base}/{name}".rpartition("/")[0]
            text = self._ask(f"{base}/{name}").decode()
            files = [line for line in text.splitlines() if line and not line.startswith("#")]
            self._ask(f"{folder}/init.mp4")
            self._ask(f"{folder}/{files[0]}")
        return len(lists) == len(job["rungs"])

    def _wait_until_ready(self) -> None:
        wait_until(self._is_ready, seconds=READY_SECONDS)

    def _is_ready(self) -> bool:
        try:
            self._ask("/readyz")
        except OSError:
            return False
        return True

    def _idle_rate(self) -> float:
        """Return the CPU seconds per second of an installation with nothing to do, once all parts are up."""
        time.sleep(10)
        before = self.cpu_seconds()
        time.sleep(10)
        return (self.cpu_seconds() - before) / 10

    def cpu_seconds(self) -> float:
        """Return the CPU seconds of all processes below ours, those that ended and were waited for too."""
        parents: dict[int, int] = {}
        spent: dict[int, int] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(") ")[2].split()
            except OSError:
                continue
            pid = int(stat.parent.name)
            parents[pid], spent[pid] = int(fields[1]), sum(map(int, fields[11:15]))
        ours = {self._process.pid}
        grown = True
        while grown:
            children = {pid for pid, parent in parents.items() if parent in ours} - ours
            ours |= children
            grown = bool(children)
        return sum(spent.get(pid, 0) for pid in ours) / TICKS

    def _ask(self, path: str, method: str = "GET") -> bytes:
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own
            body: bytes = answer.read()
        return body
