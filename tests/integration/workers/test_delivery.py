"""Real workers on each real broker: whatever is killed, stopped or away, the job goes on and nothing is done twice."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from storage.broker.celery_app import SOFT_SHUTDOWN_SECONDS, VISIBILITY_SECONDS
from storage.broker.contract import QUEUES
from storage.meanwhile import meanwhile
from storage.model.job import Job, JobState, Priority
from storage.objects import keys
from storage.settings import Settings
from tests.support.deliveries import worker_of
from tests.support.driving import submit
from tests.support.ended import attempts, whole
from tests.support.processes import arguments_of, is_running, slot_of, slots_of
from tests.support.servers import RedisServer
from tests.support.stack import READY_SECONDS, Clip, Stack, running
from tests.support.waiting import wait_until
from tests.support.worker_server import WorkerServer, assert_ended
from workers.attempts.attempt import LEASE_SECONDS
from workers.process.drain import LAST_SECONDS, SECOND_SIGNAL_SECONDS
from workers.process.pool_children import HUNG_LOOKS, LOOK_SECONDS

ELSEWHERE_SECONDS = 10.0  # docs/design.md#delivery: what a kill -9 may cost
AGAIN_SECONDS = 2.0  # what the kill of one pool child may cost
STOPPED_SECONDS = 2.0  # how long an encoder works for a job that is no more
HUNG_SECONDS = (HUNG_LOOKS + 1) * LOOK_SECONDS  # when a slot without a lease is ended
BUSY_SECONDS = 5.0  # what a machine busy with other tests may add


def note(what: str, since: float) -> None:
    """Print how long something took; `pytest -s` shows it."""
    print(f"{what}: {time.monotonic() - since:.2f} s")


@pytest.fixture(scope="module", params=["redis", "rabbitmq"])
def ground(
    request: pytest.FixtureRequest, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Give the real parts on each broker, a control worker and a janitor, shared by all tests that stop no server."""
    folder = tmp_path_factory.mktemp("delivery")
    settings = Settings(data_dir=folder / "data", redis_url=SecretStr(redis_server.url))
    if request.param == "rabbitmq":
        broker_url = SecretStr(request.getfixturevalue("rabbitmq_server").url)
        settings = settings.model_copy(update={"broker_url": broker_url})
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


def test_a_job_goes_through_the_real_stack(stack: Stack, clip: Clip) -> None:
    """Upload to ready, with two slots, and nothing is left at the broker or on the disk."""
    stack.worker(slots=2)
    job = submit(stack.services, clip("whole.mp4", seconds=2))
    stack.assert_ready(job, attempts=1)
    done = stack.services.jobs.get(job.id)
    assert [output.rung for output in done.outputs] == ["180p"]
    assert (done.frames_done, done.has_poster) == (60, True)
    stack.assert_clean()


def test_an_urgent_clip_overtakes_a_film(stack: Stack, source: Path) -> None:
    """The slot that comes free next takes the clip, though a segment of the film waits in the queue already."""
    film = submit(stack.services, source)
    stack.services.jobs.prioritise(film.id, Priority.LOW)
    worker = stack.worker()
    wait_until(lambda: "segment:0" in stack.services.jobs.results(film.id), what="the film's first segment")
    tool = worker.frozen_tool()
    clip = submit(stack.services, source)
    wait_until(lambda: stack.state(clip) is JobState.ENCODING, what="the clip's plan")
    assert any(job_id == film.id for job_id, _ in stack.services.publisher.pending())
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


def test_messages_that_vanish_are_published_again(stack: Stack, clip: Clip) -> None:
    """Queues that lose all that was in them delay the job by a few of the janitor's rounds."""
    job = submit(stack.services, clip("vanish.mp4", seconds=1))
    out = {(job.id, field) for field in ("poster:0", "audio:0", "segment:0")}
    wait_until(lambda: out <= stack.services.publisher.pending(), what="the job's first messages")
    before = stack.services.jobs.repairs().get("publish", 0)
    with worker_of(stack.settings) as worker:
        for queue in QUEUES:
            worker.connection.default_channel.queue_purge(queue)
    stack.worker()
    stack.assert_ready(job, attempts=1)
    assert stack.services.jobs.repairs()["publish"] >= before + len(out)


def test_a_killed_worker_costs_ten_seconds(stack: Stack, source: Path) -> None:
    """The whole worker is killed: its ffmpeg dies with it and the task runs elsewhere within about 10 s."""
    first = stack.worker()
    job = submit(stack.services, source)
    tool = first.frozen_tool()
    stack.worker()
    first.kill_whole()
    killed = time.monotonic()
    assert_ended(tool, seconds=2)
    stack.wait_begun(job, 2, seconds=ELSEWHERE_SECONDS + BUSY_SECONDS)
    note("a killed worker's task running elsewhere", killed)
    (lost,) = stack.services.jobs.get(job.id).failed_attempts
    assert (lost.task, lost.code) == ("segment:0", "worker_lost")
    stack.assert_ready(job, attempts=2)


def test_a_killed_pool_child_costs_two_seconds(stack: Stack, source: Path) -> None:
    """One slot is killed, as by a lack of memory: the worker goes on and takes the task again at once."""
    worker = stack.worker()
    job = submit(stack.services, source)
    tool = worker.frozen_tool()
    child = slot_of(tool)
    os.kill(child, signal.SIGKILL)
    killed = time.monotonic()
    assert_ended(tool, seconds=2)
    stack.wait_begun(job, 2, seconds=AGAIN_SECONDS + BUSY_SECONDS)
    note("a killed child's task running again", killed)
    (lost,) = stack.services.jobs.get(job.id).failed_attempts
    assert (lost.task, lost.code, lost.worker) == ("segment:0", "worker_lost", f"{socket.gethostname()}:{child}")
    stack.assert_ready(job, attempts=2)
    stack.assert_clean()
    assert is_running(worker.pid)


def test_a_stopped_worker_hands_its_task_back(stack: Stack, source: Path) -> None:
    """SIGTERM of a busy worker: it is gone within the soft shutdown, and another one has the task at once."""
    first = stack.worker()
    job = submit(stack.services, source)
    tool = first.frozen_tool()
    stack.worker()
    os.kill(first.pid, signal.SIGTERM)
    assert_ended(tool, seconds=SOFT_SHUTDOWN_SECONDS + BUSY_SECONDS)
    ended = time.monotonic()
    stack.wait_done(job, seconds=AGAIN_SECONDS + BUSY_SECONDS)
    note("a task handed back and done elsewhere", ended)
    assert_ended(first.pid, seconds=3 + BUSY_SECONDS)
    stack.assert_ready(job, attempts=1)
    stack.assert_clean()


@pytest.mark.parametrize("told", [(signal.SIGTERM,), (signal.SIGINT, signal.SIGTERM, signal.SIGINT)], ids=len)
def test_a_worker_that_is_told_to_stop_finishes_what_it_can(told: Sequence[int], stack: Stack, source: Path) -> None:
    """What ends within the soft shutdown is not done a second time; signals that come together are one."""
    worker = stack.worker()
    job = submit(stack.services, source)
    wait_until(worker.encoding_tools, seconds=20, what="an encoding ffmpeg")
    for number in told:
        os.kill(worker.pid, number)
        time.sleep(0.2)
    assert_ended(worker.pid, seconds=SOFT_SHUTDOWN_SECONDS + 3 + BUSY_SECONDS)
    assert "segment:0" in stack.services.jobs.results(job.id)
    assert stack.attempts(job) == 1


def test_a_worker_that_cannot_end_its_slots_ends_all_the_same(stack: Stack, source: Path) -> None:
    """Another one does the task meanwhile, as that of a worker that was killed."""
    first = stack.worker()
    job = submit(stack.services, source)
    slot = slot_of(first.frozen_tool())
    stack.worker()
    os.kill(slot, signal.SIGSTOP)
    os.kill(first.pid, signal.SIGTERM)
    assert_ended(first.pid, seconds=SOFT_SHUTDOWN_SECONDS + LAST_SECONDS + BUSY_SECONDS)
    stack.assert_ready(job)
    os.kill(slot, signal.SIGKILL)


def test_ctrl_c_twice_hands_back_at_once(stack: Stack, source: Path) -> None:
    """Who presses it again does not want to wait: the tool ends, and the task is nobody's attempt."""
    worker = stack.worker()
    job = submit(stack.services, source)
    tool = worker.frozen_tool()
    os.kill(worker.pid, signal.SIGINT)
    time.sleep(SECOND_SIGNAL_SECONDS + 0.5)
    os.kill(worker.pid, signal.SIGINT)
    assert_ended(tool, seconds=AGAIN_SECONDS)
    assert_ended(worker.pid, seconds=SOFT_SHUTDOWN_SECONDS + BUSY_SECONDS)
    assert stack.attempts(job) == 0


def test_a_slot_that_hangs_at_work_is_ended(stack: Stack, clip: Clip) -> None:
    """When its lease has run out, the worker's main process kills it and the task runs again."""
    worker = stack.worker()
    job = submit(stack.services, clip("still.mp4", seconds=2, size="640x360", audio=False))
    tool = worker.frozen_tool()
    os.kill(slot_of(tool), signal.SIGSTOP)
    assert_ended(tool, seconds=LEASE_SECONDS + HUNG_SECONDS + BUSY_SECONDS)
    stack.wait_done(job, seconds=AGAIN_SECONDS + BUSY_SECONDS)
    stack.assert_ready(job, attempts=2)
    stack.assert_clean()


def test_a_slot_that_hangs_before_its_claim_is_ended(stack: Stack, clip: Clip) -> None:
    """A message that was delivered and is never claimed comes to another child, and no attempt is counted for it."""
    worker = stack.worker()
    (child,) = slots_of(worker.pid)
    os.kill(child, signal.SIGSTOP)
    job = submit(stack.services, clip("short.mp4", seconds=1))
    assert_ended(child, seconds=HUNG_SECONDS + BUSY_SECONDS)
    stack.wait_done(job, seconds=AGAIN_SECONDS + BUSY_SECONDS)
    stack.assert_ready(job, attempts=1)
    stack.assert_clean()


def test_cancelling_ends_the_encoder(stack: Stack, source: Path) -> None:
    """Within two seconds ffmpeg is gone; of what waited in the queue nothing is run, and what was made goes."""
    stack.services.jobs.announce("encoders to come", 6, seconds=15)
    worker = stack.worker()
    job = submit(stack.services, source)
    tool = worker.frozen_tool()
    wait_until(lambda: len(stack.services.publisher.pending()) >= 3, what="segments that wait in the queue")
    begun = attempts(stack.services, job.id).keys()
    stack.services.jobs.move(job.id, JobState.CANCELLED)
    cancelled = time.monotonic()
    assert_ended(tool, seconds=STOPPED_SECONDS + BUSY_SECONDS)
    note("a cancelled job's ffmpeg gone", cancelled)
    stack.assert_clean()
    note("its messages gone", cancelled)
    wait_until(lambda: not list(stack.services.objects.keys(keys.renditions(job.id))), what="the removal")
    note("its objects gone", cancelled)
    assert attempts(stack.services, job.id).keys() == begun
    assert stack.state(job) is JobState.CANCELLED


def test_deleting_ends_the_encoder(stack: Stack, source: Path) -> None:
    """A running attempt at a job that is no more stops as soon, and stores nothing more."""
    worker = stack.worker()
    job = submit(stack.services, source)
    tool = worker.frozen_tool()
    stack.services.objects.delete_prefix(keys.renditions(job.id))
    stack.services.objects.delete_prefix(keys.originals(job.id))
    stack.services.jobs.delete(job.id)
    deleted = time.monotonic()
    assert_ended(tool, seconds=STOPPED_SECONDS + BUSY_SECONDS)
    note("a deleted job's ffmpeg gone", deleted)
    stack.assert_clean()
    assert [key for key in stack.services.objects.keys("") if job.id in key] == []


def test_a_task_longer_than_the_visibility_timeout_runs_once(stack: Stack, source: Path) -> None:
    """Its message is kept by the worker that has it: with a free slot beside it, nobody takes it again."""
    worker = stack.worker(slots=2)
    job = submit(stack.services, source)
    tool = worker.frozen_tool()
    until = time.monotonic() + 1.5 * VISIBILITY_SECONDS
    wait_until(lambda: time.monotonic() > until or not is_running(tool), seconds=3 * VISIBILITY_SECONDS)
    os.kill(tool, signal.SIGCONT)
    stack.assert_ready(job, attempts=1)
    assert not [line for line in worker.log().splitlines() if "not ours" in line and job.id in line]


@contextmanager
def poisoned(worker: WorkerServer, jobs: list[Job], victim: Callable[[int], int]) -> Iterator[None]:
    """Kill the victim, given the ffmpeg, whenever a segment of one of the jobs is being encoded."""

    def poison() -> None:
        for pid in worker.encoding_tools():
            if any(job.id in " ".join(arguments_of(pid)) for job in jobs):
                with suppress(FileNotFoundError, ProcessLookupError):
                    os.kill(victim(pid), signal.SIGKILL)

    with meanwhile(poison, seconds=0.02):
        yield


@pytest.mark.parametrize(
    ("victim", "code"), [(lambda tool: tool, "tool_failed"), (slot_of, "worker_lost")], ids=["ffmpeg", "slot"]
)
def test_a_poisonous_task_ends_its_job_alone(stack: Stack, clip: Clip, victim: Callable[[int], int], code: str) -> None:
    """A segment that kills its ffmpeg or its slot each time fails the job after the limit; another job goes through."""
    worker = stack.worker()
    bad: list[Job] = []
    with poisoned(worker, bad, victim):
        bad.append(submit(stack.services, clip("bad.mp4", seconds=1, size="640x360", audio=False)))
        good = submit(stack.services, clip("good.mp4", seconds=3))
        wait_until(lambda: stack.state(bad[0]).finished, seconds=READY_SECONDS, what="the job's end")
        stack.assert_ready(good, attempts=1)
    failed = whole(stack.services, bad[0].id)
    assert failed.error is not None
    assert (failed.state, failed.error.code) == (JobState.FAILED, code)
    assert [attempt.code for attempt in failed.failed_attempts] == [code] * stack.settings.attempts
    assert stack.attempts(failed) == stack.settings.attempts
    assert whole(stack.services, good.id).failed_attempts == ()
    stack.assert_clean()
    wait_until(lambda: not list(stack.services.objects.keys(keys.renditions(failed.id))), what="the removal")
    assert stack.services.objects.stat(keys.original(failed.id)).size == failed.size


@pytest.fixture
def shaky_stack(own_redis: RedisServer, tmp_path: Path) -> Iterator[Stack]:
    """Give a whole stack over it."""
    settings = Settings(data_dir=tmp_path / "data", redis_url=SecretStr(own_redis.url))
    yield from running(settings, tmp_path, "janitor", "control", "encode")


def test_redis_may_go_away_during_a_job(own_redis: RedisServer, shaky_stack: Stack, source: Path) -> None:
    """The encode ends while Redis is away; when it comes back with its data, the job is finished without a new try."""
    job = submit(shaky_stack.services, source)
    encoder = next(worker for worker in shaky_stack.workers if worker.role == "encode")
    tool = encoder.frozen_tool()
    own_redis.stop()
    os.kill(tool, signal.SIGCONT)
    assert_ended(tool, seconds=READY_SECONDS)
    own_redis.start()
    shaky_stack.assert_ready(job, attempts=1)
    shaky_stack.assert_clean()


def test_a_slot_killed_before_the_first_connection(own_redis: RedisServer, shaky_stack: Stack, source: Path) -> None:
    """A worker that waits for its broker replaces the slot when it is there, and goes on without being restarted."""
    encoder = next(worker for worker in shaky_stack.workers if worker.role == "encode")
    encoder.stop()
    own_redis.stop()
    children: list[int] = []

    def forked() -> bool:
        children[:] = slots_of(encoder.pid) if encoder.runs else []
        return bool(children)

    with ThreadPoolExecutor() as pool:
        starting = pool.submit(encoder.start)
        wait_until(forked, what="a slot")
        os.kill(children[0], signal.SIGKILL)
        own_redis.start()
        starting.result()
    job = submit(shaky_stack.services, source)
    shaky_stack.assert_ready(job, attempts=1)
    assert encoder.runs
