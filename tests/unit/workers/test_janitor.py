"""The janitor: what it finds missing, when it mends it, and that there is one at a time."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from storage.job_store import Claim
from storage.jobs import Changes, Job, JobState, Stage, Task
from storage.memory_jobs import MemoryJobStore
from storage.memory_publisher import MemoryPublisher
from storage.publishing import CONTROL_QUEUE, ENCODE_QUEUE, FIRST_QUEUE
from storage.services import Services
from tests.support.jobs import make_job, make_plan
from tests.support.waiting import wait_until
from workers import janitor as janitor_module
from workers.janitor import Janitor, Sight, repairs

PLAN = make_plan(segments=2)
ALL = frozenset({"poster:0", "audio:0", "segment:0", "segment:1"})
NONE: frozenset[str] = frozenset()


def sight(
    state: JobState,
    *,
    done: frozenset[str] = NONE,
    leased: frozenset[str] = NONE,
    pending: frozenset[str] = NONE,
    issued: int = 2,
) -> Sight:
    """Return what the janitor sees of a job with two segments, both issued unless told otherwise."""
    unplanned = state in {JobState.QUEUED, JobState.PLANNING}
    job = make_job(state=state, plan=None if unplanned else PLAN, issued=0 if unplanned else issued)
    return Sight(job, done, leased, pending)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (sight(JobState.QUEUED), ["publish plan:0"]),
        (sight(JobState.QUEUED, pending=frozenset({"plan:0"})), []),
        (sight(JobState.PLANNING), ["publish plan:0"]),
        (sight(JobState.PLANNING, leased=frozenset({"plan:0"})), []),
        (sight(JobState.ENCODING, pending=ALL), []),
        (sight(JobState.ENCODING, pending=ALL - {"segment:1"}), ["publish segment:1"]),
        (sight(JobState.ENCODING, pending=ALL - {"segment:1"}, leased=frozenset({"segment:1"})), []),
        (sight(JobState.ENCODING, done=ALL - {"audio:0"}), ["publish audio:0"]),
        (sight(JobState.ENCODING), [f"publish {field}" for field in ("poster:0", "audio:0", "segment:0", "segment:1")]),
        (sight(JobState.ENCODING, issued=1), [f"publish {field}" for field in ("poster:0", "audio:0", "segment:0")]),
        (sight(JobState.ENCODING, issued=1, done=ALL - {"segment:1"}), []),
        (sight(JobState.ENCODING, done=ALL), ["package package:0"]),
        (sight(JobState.PACKAGING, done=ALL), ["publish package:0"]),
        (sight(JobState.PACKAGING, done=ALL, leased=frozenset({"package:0"})), []),
        (sight(JobState.READY, done=ALL), []),
        (sight(JobState.FAILED), []),
        (sight(JobState.CANCELLED), []),
    ],
)
def test_what_is_missing_is_named(seen: Sight, expected: list[str]) -> None:
    """A task that should be out and is neither at the broker nor leased is published; an encoded job is packaged."""
    assert [f"{repair} {task.field}" for repair, task in repairs(seen)] == expected


def parts(services: Services) -> tuple[MemoryJobStore, MemoryPublisher]:
    """Return the twins behind the services."""
    assert isinstance(services.jobs, MemoryJobStore)
    assert isinstance(services.publisher, MemoryPublisher)
    return services.jobs, services.publisher


def queued(services: Services) -> Job:
    """Create a job in the store."""
    job = make_job()
    services.jobs.create(job)
    return job


def encoding(services: Services) -> Job:
    """Create a job and bring it to `encoding` with its segments issued, but nothing published: all of it was lost."""
    job = planned(services)
    services.jobs.issue(job.id, len(PLAN.segments))
    return services.jobs.get(job.id)


def planned(services: Services, segments: int = 2) -> Job:
    """Create a job and bring it to `encoding`, with none of its segments issued yet."""
    job = queued(services)
    services.jobs.move(job.id, JobState.PLANNING)
    return services.jobs.move(job.id, JobState.ENCODING, Changes(plan=make_plan(segments=segments)))


def segment(job: Job, index: int) -> Task:
    """Return the job's segment."""
    return Task(job.id, Stage.SEGMENT, index)


def fields(services: Services) -> set[str]:
    """Return the fields of all messages at the broker."""
    return {field for _, field in services.publisher.pending()}


def test_a_lost_message_is_published_on_the_second_look(twin_services: Services, tmp_path: Path) -> None:
    """One look may fall between delivery and claim; two in a row mean a loss, and it is mended once."""
    queued(twin_services)
    janitor = Janitor(twin_services, tmp_path / "alive")
    janitor.make_round()
    assert fields(twin_services) == set()
    janitor.make_round()
    assert fields(twin_services) == {"plan:0"}
    _, publisher = parts(twin_services)
    janitor.make_round()
    assert publisher.deliver(CONTROL_QUEUE) is not None
    assert publisher.deliver(CONTROL_QUEUE) is None


def test_a_task_that_is_held_or_queued_is_left_alone(twin_services: Services, tmp_path: Path) -> None:
    """Neither what a live attempt has nor what waits at the broker is published a second time."""
    job = encoding(twin_services)
    jobs, publisher = parts(twin_services)
    assert jobs.claim(Task(job.id, Stage.SEGMENT, 0), "a", lease_seconds=30, limit=3) is Claim.GRANTED
    publisher.publish(Task(job.id, Stage.SEGMENT, 1))
    publisher.publish(Task(job.id, Stage.AUDIO))
    assert publisher.deliver(FIRST_QUEUE) == Task(job.id, Stage.AUDIO)
    janitor = Janitor(twin_services, tmp_path / "alive")
    janitor.make_round()
    janitor.make_round()
    assert fields(twin_services) == {"segment:1", "audio:0", "poster:0"}
    queued = [publisher.deliver(queue) for queue in (FIRST_QUEUE, FIRST_QUEUE, ENCODE_QUEUE, ENCODE_QUEUE)]
    assert queued == [Task(job.id, Stage.POSTER), None, Task(job.id, Stage.SEGMENT, 1), None]


def test_a_dead_attempts_task_is_published_when_its_lease_ends(tmp_path: Path) -> None:
    """A lease that nobody renews hides the loss no longer than it lasts."""
    now = [1000.0]
    services = Services(MemoryJobStore(clock=lambda: now[0]), None, MemoryPublisher())  # type: ignore[arg-type] # unused
    job = queued(services)
    services.jobs.claim(Task(job.id, Stage.PLAN), "a", lease_seconds=6, limit=3)
    janitor = Janitor(services, tmp_path / "alive")
    janitor.make_round()
    janitor.make_round()
    assert fields(services) == set()
    now[0] += 7
    janitor.make_round()
    janitor.make_round()
    assert fields(services) == {"plan:0"}


def test_a_task_that_comes_back_between_two_looks_is_no_suspect(twin_services: Services, tmp_path: Path) -> None:
    """Missing, there, missing again: the count of looks begins anew."""
    job = queued(twin_services)
    _, publisher = parts(twin_services)
    janitor = Janitor(twin_services, tmp_path / "alive")
    janitor.make_round()
    publisher.publish(Task(job.id, Stage.PLAN))
    janitor.make_round()
    task = publisher.deliver(CONTROL_QUEUE)
    assert task is not None
    publisher.acknowledge(task)
    janitor.make_round()
    assert fields(twin_services) == set()


def test_a_job_that_was_encoded_but_not_packaged_goes_on(twin_services: Services, tmp_path: Path) -> None:
    """Whoever finished last died before saying so: the janitor says it."""
    job = encoding(twin_services)
    for field in ("poster:0", "audio:0", "segment:0", "segment:1"):
        stage, _, index = field.partition(":")
        task = Task(job.id, Stage(stage), int(index))
        twin_services.jobs.claim(task, "a", lease_seconds=30, limit=3)
        twin_services.jobs.finish(task, "a", {})
    janitor = Janitor(twin_services, tmp_path / "alive")
    janitor.make_round()
    assert twin_services.jobs.get(job.id).state is JobState.ENCODING
    janitor.make_round()
    assert twin_services.jobs.get(job.id).state is JobState.PACKAGING
    assert fields(twin_services) == {"package:0"}


def test_a_job_that_ended_between_look_and_repair_is_left_alone(twin_services: Services, tmp_path: Path) -> None:
    """A cancelled job gets no package task because it was seen encoding before."""
    job = encoding(twin_services)
    jobs, _ = parts(twin_services)
    janitor = Janitor(twin_services, tmp_path / "alive")
    janitor.make_round()
    jobs.move(job.id, JobState.CANCELLED)
    janitor.make_round()
    assert fields(twin_services) == set()


def test_credit_that_is_left_over_is_spent(twin_services: Services, tmp_path: Path) -> None:
    """Encoders that come and jobs that end make room: the next round publishes what fits, at once and once."""
    films = [planned(twin_services, segments=4) for _ in range(2)]
    janitor = Janitor(twin_services, tmp_path / "alive")

    def out() -> list[int]:
        return [twin_services.jobs.get(film.id).issued for film in films]

    janitor.make_round()
    assert out() == [1, 1]
    twin_services.jobs.announce("worker", 4, seconds=60)
    janitor.make_round()
    assert out() == [2, 2]
    twin_services.jobs.move(films[0].id, JobState.CANCELLED)
    janitor.make_round()
    assert out() == [2, 4]
    _, publisher = parts(twin_services)
    later = [segment(film, 1) for film in films] + [segment(films[1], index) for index in (2, 3)]
    assert list(iter(lambda: publisher.deliver(ENCODE_QUEUE), None)) == later
    first = [task for task in iter(lambda: publisher.deliver(FIRST_QUEUE), None) if task.stage is Stage.SEGMENT]
    assert first == [segment(film, 0) for film in films]


def test_finished_and_deleted_jobs_are_nobodys_business(twin_services: Services, tmp_path: Path) -> None:
    """Rounds over what is over publish nothing."""
    done, gone = encoding(twin_services), queued(twin_services)
    twin_services.jobs.move(done.id, JobState.FAILED)
    twin_services.jobs.delete(gone.id)
    janitor = Janitor(twin_services, tmp_path / "alive")
    janitor.make_round()
    janitor.make_round()
    assert fields(twin_services) == set()


def test_of_two_janitors_one_works(twin_services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second finds the role held, makes no round, and takes over when the first is gone."""
    monkeypatch.setattr(janitor_module, "ROUND_SECONDS", 0.02)
    now = [1000.0]
    services = replace(twin_services, jobs=MemoryJobStore(clock=lambda: now[0]))
    first, second = (Janitor(services, tmp_path / "alive") for _ in range(2))
    assert services.jobs.hold("janitor", "somebody", seconds=10)
    queued(services)
    threads = [_started(janitor) for janitor in (first, second)]
    try:
        assert services.jobs.hold("janitor", "somebody", seconds=10)
        assert fields(services) == set()
        now[0] += 11
        wait_until(lambda: fields(services) == {"plan:0"}, what="the successor's repair")
        assert (tmp_path / "alive").exists()
        assert not services.jobs.hold("janitor", "somebody", seconds=10)
    finally:
        first.stop()
        second.stop()
        for thread in threads:
            thread.join(10)
    _, publisher = parts(services)
    assert publisher.deliver(CONTROL_QUEUE) is not None
    assert publisher.deliver(CONTROL_QUEUE) is None


def _started(janitor: Janitor) -> threading.Thread:
    thread = threading.Thread(target=janitor.run, daemon=True)
    thread.start()
    return thread
