"""Redis is killed and its files are gone: `rungs rebuild` beside a running installation, and all jobs end ready."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from storage.model.task import Stage, Task
from storage.objects import keys
from storage.services import Services
from storage.services.connect import connect
from storage.settings import Settings
from tests.support.ended import attempts
from tests.support.forms import upload
from tests.support.jobs import position
from tests.support.servers import RedisServer
from tests.support.waiting import wait_until
from tests.support.web_client import ask, send_upload
from tests.support.web_server import WebServer
from tests.support.worker_server import WorkerServer

ROOT = Path(__file__).parents[3]
CLIPS, FILMS, LATE_CLIPS = 36, 4, 10
SAVED = 20  # finished jobs there must be before Redis goes
PATIENCE = 30.0  # of the test's own calls
SLOTS = 2
ROLES = ("janitor", "control", "encode")
READY_SECONDS = 120.0  # on a busy machine; about 20 on a quiet one
REBUILD_SECONDS = 60.0


@dataclass(frozen=True)
class Installation:
    """Real Redis, web and workers over one data folder."""

    redis: RedisServer
    web: WebServer
    settings: Settings
    services: Services
    control: WorkerServer

    def upload(self, path: Path, count: int) -> list[str]:
        """Have so many uploads of the file accepted; return the jobs' ids."""
        body = upload(path.read_bytes(), path.name)
        answers = [send_upload(self.web, body, len(body)) for _ in range(count)]
        assert {answer["status"] for answer in answers} == {202}
        return [answer["id"] for answer in answers]

    def job(self, job_id: str) -> dict[str, Any]:
        """Return the job's public JSON."""
        answer: dict[str, Any] = ask(self.web, "GET", f"/api/jobs/{job_id}")
        return answer

    def ready(self, job_ids: list[str]) -> list[str]:
        """Return those of the jobs that are ready."""
        return [job_id for job_id in job_ids if self.job(job_id)["state"] == "ready"]

    def segments(self, job_id: str) -> set[Task]:
        """Return the job's segments that have a result."""
        results = self.services.jobs.results(job_id)
        return {Task.of_field(job_id, name) for name in results if name.startswith(Stage.SEGMENT)}

    def files(self, job_id: str) -> dict[Path, tuple[int, bytes]]:
        """Return time and content of everything that was made of the job."""
        folder = self.web.data / "objects" / keys.renditions(job_id)
        return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}

    def saved(self, job_ids: list[str]) -> list[str]:
        """Return those of the jobs whose end is in the object store."""
        stored = set(self.services.objects.keys(keys.ORIGINALS))
        return [job_id for job_id in job_ids if keys.ended(job_id) in stored]

    def lose_redis(self) -> None:
        """Kill Redis, remove its files and start it with nothing."""
        self.redis.kill()
        shutil.rmtree(self.redis.folder / "appendonlydir")
        self.redis.start()

    def rebuild(self) -> list[str]:
        """Run `rungs rebuild`; return the lines it said."""
        named = {"REDIS_URL": self.redis.url, "DATA_DIR": str(self.web.data)}
        command = [sys.executable, "-m", "infra.cli", "rebuild"]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | named,
            capture_output=True,
            text=True,
            timeout=REBUILD_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Start an installation with a Redis of its own; every process is ended afterwards."""
    with ExitStack() as running:
        redis = RedisServer(tmp_path / "redis").start()
        running.callback(redis.stop)
        web = WebServer(tmp_path / "web", redis.url)
        running.callback(web.stop)
        settings = Settings(data_dir=web.data, redis_url=SecretStr(redis.url))
        roles = {
            role: WorkerServer(tmp_path / role, role, settings, slots=SLOTS)
            for role in ("janitor", "control", "encode")
        }
        for worker in roles.values():
            running.callback(worker.stop_if_running)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda server: server.start(), (web, *roles.values())))
        yield Installation(redis, web, settings, connect(settings, patience=PATIENCE), roles["control"])


def restored_states(lines: list[str]) -> Counter[str]:
    """Return how many jobs a rebuild restored in each state, from its only line: `restored: 3 queued, 5 ready`."""
    (line,) = lines
    pairs = (part.split() for part in line.removeprefix("restored: ").split(", "))
    return Counter({state: int(count) for count, state in pairs})


def test_fifty_jobs_survive_the_loss_of_redis(installation: Installation, clip: Callable[..., Path]) -> None:
    """Finished ones come back as they were, half encoded ones go on from their segments, waiting ones wait: all 50."""
    small = clip("small.mp4", seconds=1, size="160x120", audio=False)
    film = clip("film.mp4", seconds=12, size="320x180", audio=False)
    clips, films = installation.upload(small, CLIPS), installation.upload(film, FILMS)
    services = installation.services

    def caught() -> bool:
        half = [job_id for job_id in films if len(installation.segments(job_id)) > 1]
        return len(installation.saved(clips)) >= SAVED and bool(half)

    wait_until(caught, seconds=READY_SECONDS, what="some jobs ready and some half encoded")
    installation.control.stop()
    late = installation.upload(small, LATE_CLIPS)
    finished = {job_id: (installation.job(job_id), installation.files(job_id)) for job_id in installation.saved(clips)}
    encoded = {task for job_id in films for task in installation.segments(job_id)}
    everything = {*clips, *films, *late}
    assert len(everything) == 50

    installation.lose_redis()
    assert services.jobs.unfinished() == ()
    restored = restored_states(installation.rebuild())
    assert restored.total() == len(everything)
    assert restored["ready"] >= len(finished)
    assert restored["encoding"] > 0
    assert [position(services.jobs, job_id) for job_id in late] == list(range(1, LATE_CLIPS + 1))
    assert {task for job_id in films for task in installation.segments(job_id)} >= encoded

    installation.control.start()
    wait_until(lambda: not services.jobs.unfinished(), seconds=READY_SECONDS, what="the end of all jobs")
    assert set(installation.ready(list(everything))) == everything
    assert {job_id: (installation.job(job_id), installation.files(job_id)) for job_id in finished} == finished
    assert not any(task.field in attempts(services, task.job_id) for task in encoded)
