"""What is bounded, looked at every second while a bench runs."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

from infra.local.preflight import running_redis
from storage.broker.contract import CONTROL_QUEUE, ENCODE_QUEUE, FIRST_QUEUE
from tests.bench.installation import TICKS, Installation
from tests.support.processes import arguments_of, descendants

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Reading:
    """At `at` seconds: unfinished jobs, seconds of predicted wait, messages of each kind, bytes in use."""

    at: float
    jobs: int
    wait: float
    control: int
    encode: int
    redis: int
    web: int
    scratch: int


@dataclass(slots=True)
class Gauges:
    """Reads every second while it is entered."""

    installation: Installation
    readings: list[Reading] = field(default_factory=list)
    _began: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._read_on)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _read_on(self) -> None:
        with redis_of(self.installation) as client:
            while not self._over.wait(1.0):
                self.readings.append(self._read(client))

    def _read(self, client: redis.Redis) -> Reading:
        queue = self.installation.get("/api/queue")
        with client.pipeline() as together:
            for name in (CONTROL_QUEUE, FIRST_QUEUE, ENCODE_QUEUE):
                together.llen(name)
            together.info("memory")
            control, first, encode, memory = together.execute()
        return Reading(
            at=time.monotonic() - self._began,
            jobs=queue["waiting"] + queue["active"],
            wait=queue["wait_seconds"],
            control=control,
            encode=first + encode,
            redis=memory["used_memory"],
            web=web_bytes(self.installation.pid),
            scratch=sum(file_bytes(self.installation.data / "scratch")),
        )


def redis_of(installation: Installation) -> redis.Redis:
    """Return a client of the installation's own Redis."""
    client: redis.Redis = redis.Redis.from_url(running_redis(installation.data), decode_responses=True)
    return client


def web_bytes(pid: int) -> int:
    """Return the memory of the web service's processes below this one."""
    return sum(map(_resident, web_processes(pid)))


def web_cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that the web service's processes below this one have taken so far."""
    stats = (Path(f"/proc/{child}/stat").read_text().rpartition(") ")[2].split() for child in web_processes(pid))
    return sum(int(ticks) for stat in stats for ticks in stat[11:13]) / TICKS


def web_processes(pid: int) -> list[int]:
    """Return the web service's processes below this one."""
    return [child for child in descendants(pid) if arguments_of(child)[1:3] == ["-m", "web"]]


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (FileNotFoundError, ProcessLookupError):
        return 0


def file_bytes(folder: Path) -> list[int]:
    """Return the sizes of all files below the folder; files and folders may go while they are counted."""
    sizes = []
    for root, _, names in os.walk(folder):  # passes over folders that are gone
        for name in names:
            with suppress(FileNotFoundError):
                sizes.append((Path(root) / name).stat().st_size)
    return sizes
