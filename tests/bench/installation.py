"""A running installation for the benches: `rungs up` as a child, its CPU, and one upload at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.servers import free_port
from tests.support.waiting import wait_until

READY_SECONDS = 60.0
JOB_SECONDS = 1800.0
POLL_SECONDS = 0.1
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds from the last byte of the upload to `ready`, and CPU seconds of the whole installation meanwhile."""

    wall: float
    cpu: float


@dataclass(slots=True)
class Installation:
    """Started on entry, stopped on exit; `first_pictures` gathers seconds until each job could be played."""

    slots: int
    first_pictures: list[float] = field(default_factory=list)
    _port: int = field(default_factory=free_port)
    _folder: Any = field(default_factory=tempfile.TemporaryDirectory)
    _process: Any = None
    _idle: float = 0.0

    def __enter__(self) -> Self:
        environment = {
            **os.environ,
            "PORT": str(self._port),
            "DATA_DIR": self._folder.name,
            "ENCODERS": str(self.slots),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infra.cli", "up"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait_until_ready()
        self._idle = self._idle_rate()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    def encode(self, clip: Path) -> Took:
        """Upload the clip, wait for the end, delete the job; return what it took."""
        job_id = self._upload(clip)
        uploaded, before, first = time.monotonic(), self._cpu(), None
        while (job := self._get(f"/api/jobs/{job_id}"))["state"] != "ready":
            if first is None and job["hls_url"] and self._playable(job):
                first = time.monotonic() - uploaded
            if job["state"] == "failed" or time.monotonic() - uploaded > JOB_SECONDS:
                raise RuntimeError(f"{clip.name}: {job['state']} {job['error']}")
            time.sleep(POLL_SECONDS)
        wall = time.monotonic() - uploaded
        cpu = self._cpu() - before - self._idle * wall
        self.first_pictures.append(wall if first is None else first)
        self._ask(f"/api/jobs/{job_id}", method="DELETE")
        return Took(wall, cpu)

    def _playable(self, job: dict[str, Any]) -> bool:
        """Fetch what a player fetches first: master, each rung's playlist, init section and first fragment."""
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

    def _upload(self, clip: Path) -> str:
        url = f"http://127.0.0.1:{self._port}/api/jobs"
        answer = subprocess.run(["curl", "-sf", "-F", f"file=@{clip}", url], check=True, capture_output=True)
        job: dict[str, Any] = json.loads(answer.stdout)
        return str(job["id"])

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
        before = self._cpu()
        time.sleep(10)
        return (self._cpu() - before) / 10

    def _cpu(self) -> float:
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

    def _get(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._ask(path))
        return answer

    def _ask(self, path: str, method: str = "GET") -> bytes:
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own
            body: bytes = answer.read()
        return body
