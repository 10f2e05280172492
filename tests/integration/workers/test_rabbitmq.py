"""What RabbitMQ alone can do to workers: it goes away with their connections, takes messages back, loses a queue."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from storage.broker.contract import ENCODE_QUEUE, FIRST_QUEUE
from storage.model.job import Job
from storage.services.connect import connect
from storage.settings import Settings
from tests.support.driving import submit
from tests.support.forms import CONTENT_TYPE, upload
from tests.support.rabbitmq import RabbitMQServer
from tests.support.servers import RedisServer
from tests.support.stack import READY_SECONDS, Stack, running
from tests.support.waiting import wait_until
from tests.support.worker_server import WorkerServer, assert_ended
from web.app import create_app
from workers.process.alive import alive_file

SLOTS = 2
LOOKS_SECONDS = 1.0  # time for several looks of a worker at its queues
WEB_PATIENCE = 1.0
TIMEOUT_SECONDS = 3


@pytest.fixture
def settings(tmp_path: Path, redis_url: str, rabbitmq_server: RabbitMQServer) -> Settings:
    """Give settings of an installation on RabbitMQ, with a Redis of its own data."""
    rabbitmq_server.empty()
    broker_url = SecretStr(rabbitmq_server.url)
    return Settings(data_dir=tmp_path / "data", redis_url=SecretStr(redis_url), broker_url=broker_url)


@pytest.fixture
def stack(settings: Settings, tmp_path: Path) -> Iterator[Stack]:
    """Give the real parts with a janitor and a control worker."""
    yield from running(settings, tmp_path, "janitor", "control")


def caught(stack: Stack, source: Path) -> tuple[Job, WorkerServer, int]:
    """Return a job, a worker that encodes its first segment, and the id of its ffmpeg, which stands still."""
    worker = stack.worker()
    job = submit(stack.services, source)
    return job, worker, worker.frozen_tool()


def waiting(server: RabbitMQServer) -> int:
    """Return how many messages wait for encoders."""
    return sum(server.waiting(queue) for queue in (FIRST_QUEUE, ENCODE_QUEUE))


def test_a_busy_slot_holds_one_message_and_no_extra(
    stack: Stack, source: Path, rabbitmq_server: RabbitMQServer
) -> None:
    """Of all a film has out, only what the slots work on is delivered, though the worker reads two queues."""
    stack.services.jobs.announce("encoders to come", 6, seconds=30)
    worker = stack.worker(slots=SLOTS)
    job = submit(stack.services, source)
    frozen: set[int] = set()

    def all_frozen() -> bool:
        frozen.update(worker.encoding_tools())
        for tool in frozen:
            os.kill(tool, signal.SIGSTOP)
        return len(frozen) == SLOTS

    wait_until(all_frozen, seconds=20, what="two frozen tools")

    left = len(stack.services.jobs.out(job.id)) - SLOTS
    until = time.monotonic() + LOOKS_SECONDS
    wait_until(lambda: time.monotonic() > until or waiting(rabbitmq_server) != left)
    assert waiting(rabbitmq_server) == len(stack.services.publisher.pending()) == left


def test_rabbitmq_may_be_killed_during_a_job(stack: Stack, source: Path, rabbitmq_server: RabbitMQServer) -> None:
    """The attempt goes on, and what is delivered again is dropped; when it dies too, the janitor publishes its task."""
    job, first, tool = caught(stack, source)
    second = stack.worker()
    rabbitmq_server.kill()
    rabbitmq_server.start()
    wait_until(lambda: "claim=held" in second.log(), seconds=READY_SECONDS, what="the message's second delivery")
    assert os.getpgid(tool)
    first.kill_whole()
    wait_until(second.encoding_tools, seconds=READY_SECONDS, what="the task elsewhere")
    stack.assert_ready(job, attempts=2)
    wait_until(lambda: waiting(rabbitmq_server) == 0, what="empty queues")


def test_a_reconnected_worker_takes_nothing_for_a_busy_slot(
    stack: Stack, source: Path, rabbitmq_server: RabbitMQServer
) -> None:
    """Its own message is back in its queue and stays there; the attempt ends without a second one."""
    job, worker, tool = caught(stack, source)
    rabbitmq_server.stop()
    rabbitmq_server.start()
    back = time.time()
    alive = alive_file(stack.settings.scratch_dir, worker.role)
    wait_until(
        lambda: alive.stat().st_mtime > back + LOOKS_SECONDS, seconds=READY_SECONDS, what="a worker that is connected"
    )
    assert waiting(rabbitmq_server) == len(stack.services.jobs.out(job.id))
    os.kill(tool, signal.SIGCONT)
    stack.assert_ready(job, attempts=1)
    stack.assert_clean()


def test_an_upload_while_rabbitmq_is_away(stack: Stack, source: Path, rabbitmq_server: RabbitMQServer) -> None:
    """It is accepted, as its job is safe in Redis; once RabbitMQ is back the janitor publishes what was not."""
    stack.worker()
    app = create_app(stack.settings, connect(stack.settings, patience=WEB_PATIENCE))
    rabbitmq_server.stop()
    assert app.test_client().get("/readyz").status_code == 200
    answer = app.test_client().post("/api/jobs", data=upload(source.read_bytes()), content_type=CONTENT_TYPE)
    assert answer.status_code == 202
    rabbitmq_server.start()
    stack.assert_ready(stack.services.jobs.get(answer.get_json()["id"]))


def test_a_lost_queue_costs_no_job(stack: Stack, source: Path, rabbitmq_server: RabbitMQServer) -> None:
    """Queues that somebody deleted are made again by those who need them, and what was in them is published again."""
    job = submit(stack.services, source)
    wait_until(lambda: len(stack.services.publisher.pending()) >= 2, seconds=READY_SECONDS, what="tasks in the queues")
    rabbitmq_server.delete_queues()
    stack.worker()
    stack.assert_ready(job)
    stack.assert_clean()


@pytest.fixture
def frail_stack(settings: Settings, own_redis: RedisServer, tmp_path: Path) -> Iterator[Stack]:
    """Give the parts of an installation whose job records are there."""
    own = settings.model_copy(update={"redis_url": SecretStr(own_redis.url)})
    yield from running(own, tmp_path, "janitor", "control")


def test_the_job_records_may_go_away_while_rabbitmq_stays(
    frail_stack: Stack, own_redis: RedisServer, source: Path
) -> None:
    """An attempt waits for Redis to record its end, and is not counted twice."""
    job, _, tool = caught(frail_stack, source)
    own_redis.stop()
    os.kill(tool, signal.SIGCONT)
    assert_ended(tool, seconds=READY_SECONDS)
    own_redis.start()
    frail_stack.assert_ready(job, attempts=1)
    frail_stack.assert_clean()


@pytest.fixture
def strict_rabbitmq(tmp_path: Path, rabbitmq_server: RabbitMQServer) -> Iterator[RabbitMQServer]:
    """Give a RabbitMQ that takes a worker for stuck after seconds, as its default does after 30 minutes."""
    if rabbitmq_server.version >= "3.12":
        pytest.skip("this RabbitMQ goes by what its queues say, which is a day")
    arguments = f"-rabbit consumer_timeout {TIMEOUT_SECONDS * 1000} -rabbit channel_tick_interval 1000"
    server = RabbitMQServer(tmp_path / "rabbitmq", rabbitmq_server.binary, arguments=arguments).start()
    yield server
    server.end()


@pytest.fixture
def strict_stack(settings: Settings, strict_rabbitmq: RabbitMQServer, tmp_path: Path) -> Iterator[Stack]:
    """Give the parts of an installation on that RabbitMQ."""
    own = settings.model_copy(update={"broker_url": SecretStr(strict_rabbitmq.url)})
    yield from running(own, tmp_path, "janitor", "control")


def test_a_task_longer_than_the_servers_patience(
    strict_stack: Stack, strict_rabbitmq: RabbitMQServer, source: Path
) -> None:
    """RabbitMQ closes the worker's channel and takes its message back: it reconnects and the attempt goes on."""
    job, _, tool = caught(strict_stack, source)
    wait_until(lambda: "timed out" in strict_rabbitmq.log(), seconds=READY_SECONDS, what="an end of patience")
    everything = len(strict_stack.services.jobs.out(job.id))
    wait_until(lambda: waiting(strict_rabbitmq) == everything, seconds=READY_SECONDS, what="the message in its queue")
    os.kill(tool, signal.SIGCONT)
    strict_stack.assert_ready(job, attempts=1)
    strict_stack.assert_clean()
