"""An installation of the real parts without its web service, whose encode workers tests start, stop and kill."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from storage.model.job import Job, JobState
from storage.model.task import Stage, Task
from storage.services import Services
from storage.services.connect import connect
from storage.settings import Settings
from tests.support.ended import attempts
from tests.support.waiting import wait_until
from tests.support.worker_server import WorkerServer

READY_SECONDS = 40.0  # of a clip of seconds on a busy machine
PATIENCE = 30.0  # of the test's own calls, above any outage it makes

Clip = Callable[..., Path]


@dataclass(frozen=True)
class Stack:
    """The real parts, and a factory of encode workers."""

    services: Services
    settings: Settings
    folder: Path
    workers: list[WorkerServer]

    def worker(self, role: str = "encode", *, slots: int = 1) -> WorkerServer:
        """Start one more worker."""
        worker = WorkerServer(self.folder / f"{role}{len(self.workers)}", role, self.settings, slots=slots)
        self.workers.append(worker)
        return worker.start()

    def end(self) -> None:
        """End what still runs: all of it even if one cannot be ended, as others share the servers."""
        with ExitStack() as ended:
            for worker in self.workers:
                ended.callback(worker.stop_if_running)

    def state(self, job: Job) -> JobState:
        """Return the job's present state."""
        return self.services.jobs.get(job.id).state

    def assert_ready(self, job: Job, *, attempts: int | None = None) -> None:
        """Wait for the job to be ready; fail when it ends otherwise or a segment took another number of attempts."""
        wait_until(lambda: self.state(job).finished, seconds=READY_SECONDS, what="the job's end")
        assert self.services.jobs.get(job.id).error is None
        assert self.state(job) is JobState.READY
        if attempts is not None:
            assert self.attempts(job) == attempts

    def wait_begun(self, job: Job, attempts: int, *, seconds: float) -> None:
        """Wait for so many attempts at the job's first segment to have begun."""
        wait_until(lambda: self.attempts(job) == attempts, seconds=seconds, what=f"attempt {attempts}")

    def wait_done(self, job: Job, *, seconds: float) -> None:
        """Wait for the job's first segment to be done."""
        wait_until(lambda: "segment:0" in self.services.jobs.results(job.id), seconds=seconds, what="the first segment")

    def attempts(self, job: Job) -> int:
        """Return how many attempts at the job's first segment are counted."""
        return attempts(self.services, job.id).get(segment(job).field, 0)

    def assert_clean(self) -> None:
        """Fail unless broker and scratch space are empty: nothing circulates, nothing was left."""
        wait_until(lambda: not self.services.publisher.pending(), what="an empty broker")
        wait_until(lambda: not self.scratch_folders(), what="empty scratch space")

    def scratch_folders(self) -> list[Path]:
        """Return the folders of attempts."""
        return [path for path in self.settings.scratch_dir.iterdir() if path.is_dir()]


def segment(job: Job) -> Task:
    """Return the job's first segment."""
    return Task(job.id, Stage.SEGMENT, 0)


def running(settings: Settings, folder: Path, *roles: str) -> Generator[Stack]:
    """Yield the real parts with a worker of each role; every process is ended afterwards."""
    stack = Stack(connect(settings, patience=PATIENCE), settings, folder, [])
    stack.services.objects.prepare()
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(stack.worker, roles))
        yield stack
    finally:
        stack.end()
