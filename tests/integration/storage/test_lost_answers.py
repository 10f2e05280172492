"""Redis did what it was asked, but its answer was lost: the call is sent again, and that must be harmless."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from storage.errors import JobExistsError
from storage.job_store.contract import Claim
from storage.job_store.redis_store import RedisJobStore
from storage.model.job import JobState
from storage.model.task import Stage, Task
from storage.redis_client import PatientRedis
from tests.support.jobs import WHY, counted, make_job, with_plan
from tests.support.lossy_proxy import LossyProxy
from tests.support.servers import RedisServer

LEASE = 30.0


@pytest.fixture
def proxy(redis_server: RedisServer, redis_url: str) -> Iterator[LossyProxy]:
    """Run a proxy before an empty Redis."""
    assert redis_url
    with LossyProxy(redis_server.port) as proxy:
        yield proxy


@pytest.fixture
def store(proxy: LossyProxy) -> RedisJobStore:
    """Give a store behind the proxy; its scripts are known to Redis, so that one request is one script."""
    store = RedisJobStore(PatientRedis(f"redis://127.0.0.1:{proxy.port}/0", patience=5.0))
    job = make_job()
    store.create(job)
    task = Task(job.id, Stage.PLAN)
    store.claim(task, "a", lease_seconds=LEASE, limit=1)
    store.fail(task, "a", WHY)
    store.release(task, "a")
    store.move(job.id, JobState.CANCELLED)
    store.delete(job.id)
    return store


def test_creating_twice_makes_one_job(store: RedisJobStore, proxy: LossyProxy) -> None:
    """The repeated call knows its own job; another call's job with that id is refused."""
    job = make_job()
    proxy.lose_next_answer()
    store.create(job)
    assert proxy.lost == 1
    assert [event.type for event in store.events(job.id, "0")] == ["created"]
    with pytest.raises(JobExistsError):
        store.create(job)


def test_a_move_is_made_once(store: RedisJobStore, proxy: LossyProxy) -> None:
    """One event, and the job after the move as the answer."""
    job = make_job()
    store.create(job)
    proxy.lose_next_answer()
    assert store.move(job.id, JobState.PLANNING).state is JobState.PLANNING
    assert proxy.lost == 1
    assert [event.type for event in store.events(job.id, "0")] == ["created", "state"]


def test_a_claim_counts_once(store: RedisJobStore, proxy: LossyProxy) -> None:
    """The repeated claim finds its own lease: granted, one attempt; a repeated release gives one back."""
    job = make_job()
    store.create(job)
    task = Task(job.id, Stage.PLAN)
    proxy.lose_next_answer()
    assert store.claim(task, "a", lease_seconds=LEASE, limit=1) is Claim.GRANTED
    proxy.lose_next_answer()
    store.release(task, "a")
    assert proxy.lost == 2
    assert counted(store, task) == 0


def test_a_failure_is_recorded_once(store: RedisJobStore, proxy: LossyProxy) -> None:
    """The repeated call is told that the lease was its own, so that its caller goes on to the next attempt."""
    job = make_job()
    store.create(job)
    task = Task(job.id, Stage.PLAN)
    store.claim(task, "a", lease_seconds=LEASE, limit=1)
    proxy.lose_next_answer()
    assert store.fail(task, "a", WHY)
    assert proxy.lost == 1
    assert [failed.attempt for failed in store.get(job.id).failed_attempts] == ["a"]


def test_a_result_is_recorded_once(store: RedisJobStore, proxy: LossyProxy) -> None:
    """The last finisher still learns that it was the last."""
    job = make_job()
    store.create(job)
    store.move(job.id, JobState.PLANNING)
    store.move(job.id, JobState.ENCODING, with_plan(segments=1, audio=False))
    poster, segment = Task(job.id, Stage.POSTER), Task(job.id, Stage.SEGMENT)
    for task in (poster, segment):
        store.claim(task, "a", lease_seconds=LEASE, limit=1)
    assert store.finish(poster, "a", {"made": True}) is False
    proxy.lose_next_answer()
    assert store.finish(segment, "a", {"bytes": 1}) is True
    assert proxy.lost == 1
    assert [event.type for event in store.events(job.id, "0")].count("task") == 1
    assert store.get(job.id).frames_done == 100


def test_a_move_of_long_ago_is_still_known(store: RedisJobStore) -> None:
    """A call sent again after the job went on is told that its move was made, not that it is refused."""
    job = make_job()
    store.create(job)
    sent: list[tuple[str, ...]] = []
    original = store._run

    def remember(script: str, job_id: str, *arguments: str | float) -> Any:
        sent.append((script, job_id, *map(str, arguments)))
        return original(script, job_id, *arguments)

    store._run = remember  # type: ignore[method-assign]
    store.move(job.id, JobState.PLANNING)
    del store._run  # kept, it would be a cycle that outlives the test
    store.move(job.id, JobState.FAILED)
    script, job_id, *arguments = sent[0]
    assert store._run(script, job_id, *arguments)[0] == "moved"
    assert store.get(job.id).state is JobState.FAILED
