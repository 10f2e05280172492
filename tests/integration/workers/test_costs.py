"""What a job's bookkeeping costs Redis, counted instead of timed: it does not grow with the number of segments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from storage.job_store.contract import Claim
from storage.model.job import Job
from storage.model.task import Stage, Task
from storage.services import Services
from storage.services.connect import connect
from storage.services.dispatch import dispatch
from storage.settings import Settings
from tests.support.jobs import LEASE, claim, encoding
from tests.support.memory_publisher import MemoryPublisher
from tests.support.servers import RedisServer
from workers.attempts.attempt import Attempt
from workers.janitor.janitor import Janitor
from workers.stages.common import finish

PATIENCE_SECONDS = 30.0
WORKED_ON = 3  # segments whose cost is counted, each one alone
# Numbers of more digits in the record and the segment, some in several fields; a segment is about 80 bytes itself.
DIGITS_BYTES = 128


@dataclass(frozen=True)
class Cost:
    """Redis' commands by name, those inside scripts included, and the bytes that it answered."""

    commands: dict[str, int]
    answered: int


@pytest.fixture
def bookkeeper(own_redis: RedisServer, settings: Settings) -> Services:
    """Give a Redis that nobody else asks, two slots announced; messages stay here, as they cost the same anyway."""
    own = settings.model_copy(update={"redis_url": SecretStr(own_redis.url)})
    services = connect(own, patience=PATIENCE_SECONDS)
    services.jobs.announce("worker", 2, seconds=600)
    return replace(services, publisher=MemoryPublisher())


@pytest.fixture
def redis_client(own_redis: RedisServer) -> Iterator[redis.Redis]:
    """Give a connection of the test's own."""
    with redis.Redis.from_url(own_redis.url) as client:
        yield client


def cost_of(work: Callable[[], object], client: redis.Redis) -> Cost:
    """Return what the work cost."""
    client.config_resetstat()
    work()
    answered = client.info("stats")["total_net_output_bytes"]
    commands = {name: stats["calls"] for name, stats in client.info("commandstats").items()}
    return Cost(commands, answered)


def half_done(services: Services, segments: int, done: int) -> Job:
    """Bring a job so far that its poster and the first segments are done and the next are out."""
    job = encoding(services.jobs, segments=segments, audio=False)
    for task in services.jobs.issue(plans=0, tasks=1 + done):
        claim(services.jobs, task)
        services.jobs.finish(task, "a", {"made": True})
    dispatch(services)
    return services.jobs.get(job.id)


def work_on(job: Job, index: int, services: Services, settings: Settings) -> None:
    """Do all that an attempt at a segment does but encode: claim, read, report, renew, finish, dispatch the next."""
    task = Task(job.id, Stage.SEGMENT, index)
    assert claim(services.jobs, task) is Claim.GRANTED
    attempt = Attempt(task, services.jobs.get(job.id), services, settings, Path(), "a")
    attempt.frames = services.jobs.segment(job.id, index).frames // 2
    assert attempt.keep(reported=0, renew=True)
    finish(attempt, {"frames": 100, "seconds": LEASE})
    dispatch(services)


def read(job: Job, services: Services) -> None:
    """Read what pages and events show of a job."""
    services.jobs.get(job.id)
    services.jobs.page(owner=job.owner, state=None, limit=10, cursor=None)


def costs(segments: int, done: int, services: Services, settings: Settings, client: redis.Redis) -> list[Cost]:
    """Return what the janitor's round, a page and the next segments of a half finished job cost."""
    job = half_done(services, segments, done)
    janitor = Janitor(services, settings.data_dir)
    works: list[Callable[[], object]] = [janitor.make_round, partial(read, job, services)]
    works += [partial(work_on, job, index, services, settings) for index in range(done, done + WORKED_ON)]
    found = [cost_of(work, client) for work in works]
    services.jobs.delete(job.id)
    return found


def test_a_segment_costs_the_same_however_many_there_are(
    bookkeeper: Services, settings: Settings, redis_client: redis.Redis
) -> None:
    """Each segment, the janitor's round and a page: the same commands, and no more bytes than longer numbers have."""
    costs(10, 3, bookkeeper, settings, redis_client)  # Redis learns the scripts
    few = costs(10, 3, bookkeeper, settings, redis_client)
    many = costs(2000, 300, bookkeeper, settings, redis_client)
    for small, large in zip(few, many, strict=True):
        assert large.commands == small.commands
        assert large.answered - small.answered < DIGITS_BYTES
