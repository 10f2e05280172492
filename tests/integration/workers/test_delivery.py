"""Real workers on a real Redis: whatever is killed, stopped or away, the job goes on and nothing is done twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from storage import keys
from storage.celery_app import SOFT_SHUTDOWN_SECONDS, VISIBILITY_SECONDS
from storage.connect import connect
from storage.jobs import Job, JobState, Stage, Task
from storage.services import Services
from storage.settings import Settings
from tests.support.driving import submit
from tests.support.processes import is_running, parent_of
from tests.support.servers import RedisServer
from tests.support.waiting import wait_until
from tests.support.worker_server import WorkerServer, assert_ended

READY_SECONDS = 40.0  # of a clip of seconds on a busy machine
ELSEWHERE_SECONDS = 10.0  # DESIGN §5: what a kill -9 may cost
PATIENCE = 30.0  # of the test's own calls, above any outage it makes
BUSY_SECONDS = 5.0  # what a machine busy with other tests may add

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
        """End what still runs."""
        for worker in self.workers:
            worker.stop_if_running()

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

    def attempts(self, job: Job) -> int:
        """Return how many attempts at the job's first segment are counted."""
        return self.services.jobs.release(segment(job), "nobody")

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


@pytest.fixture(scope="module")
def ground(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give the real parts, a control worker and a janitor, which all tests but those that stop Redis share."""
    folder = tmp_path_factory.mktemp("delivery")
    settings = Settings(data_dir=folder / "data", redis_url=SecretStr(redis_server.url))
    yield from running(settings, folder, "janitor", "control")


@pytest.fixture
def stack(ground: Stack, tmp_path: Path) -> Iterator[Stack]:
    """Give the shared ground with encode workers of the test's own."""
    stack = replace(ground, folder=tmp_path, workers=[])
    try:
        yield stack
    finally:
        stack.end()
        for job_id in stack.services.jobs.unfinished():  # the next test's workers are not to go on with them
            stack.services.jobs.move(job_id, JobState.CANCELLED)


def running(settings: Settings, folder: Path, *roles: str) -> Iterator[Stack]:
    """Yield the real parts with a worker of each role; every process is ended afterwards."""
    stack = Stack(connect(settings, patience=PATIENCE), settings, folder, [])
    stack.services.objects.prepare()
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(stack.worker, roles))
        yield stack
    finally:
        stack.end()


@pytest.fixture
def source(clip: Clip) -> Path:
    """Give a clip that takes about two seconds to encode: long enough to be caught at it."""
    return clip("caught.mp4", seconds=15, size="640x360", audio=False)


def test_a_job_goes_through_the_real_stack(stack: Stack, clip: Clip) -> None:
    """Upload to ready over Redis, with two slots, and nothing is left at the broker or on the disk."""
    stack.worker(slots=2)
    job = submit(stack.services, clip("whole.mp4", seconds=2))
    stack.assert_ready(job, attempts=1)
    done = stack.services.jobs.get(job.id)
    assert [output.rung for output in done.outputs] == ["180p"]
    assert (done.frames_done, done.has_poster) == (60, True)
    stack.assert_clean()


def test_a_clips_first_segment_overtakes_a_films_waiting_ones(stack: Stack, source: Path) -> None:
    """While a film's segments wait in the queue, a slot next takes what lets a new job's playback start."""
    stack.services.jobs.announce("encoders to come", 6, seconds=15)
    film = submit(stack.services, source)
    wait_until(lambda: stack.services.jobs.get(film.id).issued >= 4, what="a film with segments that wait")
    worker = stack.worker()
    wait_until(lambda: "segment:0" in stack.services.jobs.results(film.id), what="the film's first segment")
    tool = worker.frozen_tool()
    clip = submit(stack.services, source)
    started = {(clip.id, "segment:0"), (clip.id, "poster:0")}
    wait_until(lambda: started <= stack.services.publisher.pending(), what="the clip's first tasks in the queue")
    assert sum(job_id == film.id for job_id, _ in stack.services.publisher.pending()) >= 2
    done = sum(field.startswith("segment") for field in stack.services.jobs.results(film.id))
    os.kill(tool, signal.SIGCONT)
    wait_until(lambda: "segment:0" in stack.services.jobs.results(clip.id), seconds=READY_SECONDS, what="the clip")
    events = stack.services.jobs.events(None, "0", limit=10_000)
    order = [(event.job_id, event.data["field"]) for event in events if event.type == "task"]
    before_clip = order[: order.index((clip.id, "segment:0"))]
    # Of the film's segments only the one that was running has ended before it.
    assert sum(job_id == film.id and field.startswith("segment") for job_id, field in before_clip) == done + 1
    stack.assert_ready(clip)
    stack.assert_ready(film)


def test_a_killed_worker_costs_ten_seconds(stack: Stack, source: Path) -> None:
    """The whole worker is killed: its ffmpeg dies with it and the task runs elsewhere within about 10 s."""
    first = stack.worker()
    job = submit(stack.services, source)
    tool = first.frozen_tool()
    second = stack.worker()
    first.kill_whole()
    killed = time.monotonic()
    assert_ended(tool, seconds=2)
    wait_until(second.encoding_tools, seconds=ELSEWHERE_SECONDS + BUSY_SECONDS, what="the task elsewhere")
    assert time.monotonic() - killed <= ELSEWHERE_SECONDS + BUSY_SECONDS
    stack.assert_ready(job, attempts=2)


def test_a_killed_pool_child_costs_ten_seconds(stack: Stack, source: Path) -> None:
    """One slot is killed, as by a lack of memory: the worker goes on and takes the task again."""
    worker = stack.worker()
    job = submit(stack.services, source)
    tool = worker.frozen_tool()
    os.kill(parent_of(tool), signal.SIGKILL)
    assert_ended(tool, seconds=2)
    wait_until(worker.encoding_tools, seconds=ELSEWHERE_SECONDS + BUSY_SECONDS, what="the next attempt")
    stack.assert_ready(job, attempts=2)
    assert is_running(worker.pid)


def test_a_stopped_worker_hands_its_task_back(stack: Stack, source: Path) -> None:
    """SIGTERM of a busy worker: it is gone within the soft shutdown, and another one finishes the job."""
    first = stack.worker()
    job = submit(stack.services, source)
    tool = first.frozen_tool()
    os.kill(first.pid, signal.SIGTERM)
    assert_ended(first.pid, seconds=SOFT_SHUTDOWN_SECONDS + 3 + BUSY_SECONDS)
    assert_ended(tool, seconds=1)
    stack.worker()
    stack.assert_ready(job)
    stack.assert_clean()


def test_a_worker_that_is_told_to_stop_finishes_what_it_can(stack: Stack, source: Path) -> None:
    """What ends within the soft shutdown is not done a second time."""
    worker = stack.worker()
    job = submit(stack.services, source)
    wait_until(worker.encoding_tools, seconds=20, what="an encoding ffmpeg")
    os.kill(worker.pid, signal.SIGTERM)
    assert_ended(worker.pid, seconds=SOFT_SHUTDOWN_SECONDS + 3 + BUSY_SECONDS)
    assert "segment:0" in stack.services.jobs.results(job.id)
    assert stack.attempts(job) == 1


def test_cancelling_ends_the_encoder(stack: Stack, source: Path) -> None:
    """Within three seconds ffmpeg is gone, and what was made is not published."""
    worker = stack.worker()
    job = submit(stack.services, source)
    tool = worker.frozen_tool()
    stack.services.jobs.move(job.id, JobState.CANCELLED)
    assert_ended(tool, seconds=3 + BUSY_SECONDS)
    stack.assert_clean()
    assert stack.state(job) is JobState.CANCELLED


def test_a_task_longer_than_the_visibility_timeout_runs_once(stack: Stack, source: Path) -> None:
    """Its message is kept by the worker that has it: with a free slot beside it, nobody takes it again."""
    worker = stack.worker(slots=2)
    job = submit(stack.services, source)
    tool = worker.frozen_tool()
    until = time.monotonic() + 1.5 * VISIBILITY_SECONDS
    wait_until(lambda: time.monotonic() > until or not is_running(tool), seconds=3 * VISIBILITY_SECONDS)
    os.kill(tool, signal.SIGCONT)
    stack.assert_ready(job, attempts=1)
    assert "not ours" not in worker.log()


def test_a_poisonous_task_ends_the_job(stack: Stack, source: Path) -> None:
    """An ffmpeg that is killed each time fails the job after the limit, and nothing circulates."""
    worker = stack.worker()
    over = threading.Event()

    def poison() -> None:
        while not over.wait(0.02):
            for pid in worker.encoding_tools():
                os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=poison)
    thread.start()
    try:
        job = submit(stack.services, source)
        wait_until(lambda: stack.state(job).finished, seconds=READY_SECONDS, what="the job's end")
    finally:
        over.set()
        thread.join()
    failed = stack.services.jobs.get(job.id)
    assert failed.error is not None
    assert (failed.state, failed.error.code) == (JobState.FAILED, "tool_failed")
    assert stack.attempts(job) == stack.settings.attempts
    stack.assert_clean()
    assert list(stack.services.objects.keys(keys.renditions(job.id))) == []
    assert stack.services.objects.stat(keys.original(job.id)).size == job.size


@pytest.fixture
def shaky_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Give a Redis of the test's own, to be stopped and started."""
    server = RedisServer(tmp_path / "redis").start()
    yield server
    server.stop()


@pytest.fixture
def shaky_stack(shaky_redis: RedisServer, tmp_path: Path) -> Iterator[Stack]:
    """Give a whole stack over it."""
    settings = Settings(data_dir=tmp_path / "data", redis_url=SecretStr(shaky_redis.url))
    yield from running(settings, tmp_path, "janitor", "control", "encode")


def test_redis_may_go_away_during_a_job(shaky_redis: RedisServer, shaky_stack: Stack, source: Path) -> None:
    """The encode ends while Redis is away; when it comes back with its data, the job is finished without a new try."""
    job = submit(shaky_stack.services, source)
    encoder = next(worker for worker in shaky_stack.workers if worker.role == "encode")
    tool = encoder.frozen_tool()
    shaky_redis.stop()
    os.kill(tool, signal.SIGCONT)
    assert_ended(tool, seconds=READY_SECONDS)
    shaky_redis.start()
    shaky_stack.assert_ready(job, attempts=1)
    shaky_stack.assert_clean()
