"""What the stores do while Redis is away, frozen or full, and when it comes back."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from storage.broker.contract import Publisher
from storage.errors import JobNotFoundError, JobStoreDownError
from storage.job_store.contract import Claim, JobStore
from storage.model.job import JobState
from storage.model.task import Stage, Task
from storage.services import Services
from storage.services.connect import connect
from storage.settings import Settings
from tests.support.jobs import created, held, make_job
from tests.support.servers import RedisServer
from tests.support.waiting import wait_until

WEB_PATIENCE = 1.0
WORKER_PATIENCE = 30.0
# Beyond its patience a call may take one socket timeout and one pause more, and the machine may be busy.
SLACK = 4.0


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Run a Redis that the test may stop."""
    server = RedisServer(tmp_path / "redis").start()
    yield server
    server.kill()


@pytest.fixture
def parts(own_redis: RedisServer, settings: Settings) -> Callable[[float], Services]:
    """Give the real parts on that Redis, by patience."""
    named = settings.model_copy(update={"redis_url": SecretStr(own_redis.url)})
    return lambda patience: connect(named, patience=patience)


def publishing(publisher: Publisher) -> Callable[[], None]:
    """Return a call that publishes a task."""
    return lambda: publisher.publish(Task(make_job().id, Stage.PLAN))


def calls(services: Services) -> dict[str, Callable[[], object]]:
    """Return calls of every kind: a plain command, a script, a pipeline, a blocking read, publishing."""
    jobs: JobStore = services.jobs
    return {
        "ping": jobs.ping,
        "get": lambda: jobs.get(make_job().id),
        "create": lambda: jobs.create(make_job()),
        "counts": jobs.counts,
        "wait_events": lambda: jobs.wait_events("0", seconds=10.0),
        "publish": publishing(services.publisher),
        "pending": services.publisher.pending,
    }


def assert_fails_in_time(call: Callable[[], object]) -> None:
    """Check that the call raises JobStoreDownError, with its cause, after its patience and not much later."""
    begun = time.monotonic()
    with pytest.raises(JobStoreDownError) as caught:
        call()
    assert WEB_PATIENCE * 0.9 <= time.monotonic() - begun < WEB_PATIENCE + SLACK
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("name", ["ping", "get", "create", "counts", "wait_events", "publish", "pending"])
def test_calls_fail_within_patience_and_recover(
    own_redis: RedisServer, parts: Callable[[float], Services], name: str
) -> None:
    """A stopped Redis gives one clear error in time; the same objects work again once it is back."""
    services = parts(WEB_PATIENCE)
    services.jobs.create(make_job())
    publishing(services.publisher)()
    own_redis.stop()
    assert_fails_in_time(calls(services)[name])
    own_redis.start()
    services.jobs.create(make_job())
    assert services.jobs.counts().waiting == 2
    publishing(services.publisher)()
    assert len(services.publisher.pending()) == 2


@pytest.mark.parametrize("name", ["get", "create", "wait_events", "publish"])
def test_a_frozen_redis_blocks_nobody_for_ever(
    own_redis: RedisServer, parts: Callable[[float], Services], name: str
) -> None:
    """A Redis that takes connections and answers nothing counts as away."""
    services = parts(WEB_PATIENCE)
    services.jobs.ping()
    publishing(services.publisher)()
    os.kill(own_redis.pid, signal.SIGSTOP)
    try:
        assert_fails_in_time(calls(services)[name])
    finally:
        os.kill(own_redis.pid, signal.SIGCONT)
    wait_until(lambda: services.jobs.counts() is not None)


def test_a_job_that_was_refused_is_not_made_later(own_redis: RedisServer, parts: Callable[[float], Services]) -> None:
    """What was sent to a frozen Redis waits there; it must not become a job when its caller has long given up."""
    services, job = parts(WEB_PATIENCE), make_job()
    services.jobs.create(make_job())  # so that a connection is open: on a new one, Redis would read nothing later
    os.kill(own_redis.pid, signal.SIGSTOP)
    try:
        with pytest.raises(JobStoreDownError):
            services.jobs.create(job)
    finally:
        os.kill(own_redis.pid, signal.SIGCONT)
    with redis.Redis.from_url(own_redis.url) as client:
        # A connection that its caller closed goes when all that came by it is done.
        wait_until(lambda: len(client.client_list()) == 1, what="the end of all other connections")
    with pytest.raises(JobNotFoundError):
        services.jobs.get(job.id)


def test_nothing_connects_before_the_first_call(settings: Settings) -> None:
    """Making the parts needs no server at all."""
    nowhere = settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1/0")})
    begun = time.monotonic()
    connect(nowhere, patience=WORKER_PATIENCE)
    assert time.monotonic() - begun < WORKER_PATIENCE


def test_a_patient_caller_outlives_a_restart(own_redis: RedisServer, parts: Callable[[float], Services]) -> None:
    """Claims, moves and publishing that begin during an outage are done when it ends, once."""
    services = parts(WORKER_PATIENCE)
    job = make_job()
    services.jobs.create(job)
    own_redis.stop()
    outcome: list[object] = []

    def work() -> None:
        task = Task(job.id, Stage.PLAN)
        outcome.append(services.jobs.claim(task, "a", lease_seconds=30.0, limit=1))
        outcome.append(services.jobs.move(job.id, JobState.PLANNING).state)
        services.publisher.publish(task)

    worker = threading.Thread(target=work)
    worker.start()
    worker.join(1.0)
    assert worker.is_alive()
    own_redis.start()
    worker.join(WORKER_PATIENCE)
    assert outcome == [Claim.GRANTED, JobState.PLANNING]
    assert services.publisher.pending() == {(job.id, "plan:0")}


def test_everything_survives_a_killed_redis(own_redis: RedisServer, parts: Callable[[float], Services]) -> None:
    """What a call returned from is on disk: records, leases, events and messages are there after kill -9."""
    services = parts(WEB_PATIENCE)
    job = created(services.jobs)
    task = Task(job.id, Stage.PLAN)
    services.publisher.publish(task)
    assert services.jobs.claim(task, "a", lease_seconds=60.0, limit=1) is Claim.GRANTED
    events = services.jobs.events(None, "0")
    own_redis.kill()
    own_redis.start()
    assert services.jobs.get(job.id) == job
    assert held(services.jobs, job.id) == {"plan:0"}
    assert services.jobs.events(None, "0") == events
    assert services.publisher.pending() == {(job.id, "plan:0")}


@pytest.mark.parametrize("name", ["create", "publish"])
def test_a_full_redis_refuses_and_loses_nothing(
    own_redis: RedisServer, parts: Callable[[float], Services], name: str
) -> None:
    """At its memory limit Redis refuses writes (noeviction): the same error, and what was there stays readable."""
    services = parts(WEB_PATIENCE)
    job = created(services.jobs)
    publishing(services.publisher)()
    with redis.Redis.from_url(own_redis.url) as client:
        client.config_set("maxmemory", "1mb")
        assert_fails_in_time(calls(services)[name])
        assert services.jobs.get(job.id) == job
        assert services.jobs.counts().waiting == 1
        client.config_set("maxmemory", "0")
    calls(services)[name]()
