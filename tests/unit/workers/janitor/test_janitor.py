"""The janitor: what it finds missing, when it mends it, and that there is one at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage.broker.contract import CONTROL_QUEUE, ENCODE_QUEUE, FIRST_QUEUE
from storage.errors import ObjectStoreDownError, StalledError
from storage.job_store.contract import Claim
from storage.model.job import Job, JobError, JobState
from storage.model.task import Stage, Task
from storage.objects import keys
from storage.objects.local import LocalObjectStore
from storage.services import Services
from tests.support.job_store import OwnJobStore
from tests.support.jobs import WHY, created, make_plan, with_plan
from tests.support.memory_publisher import MemoryPublisher
from tests.support.waiting import wait_until
from web.routes.uploading import new_job_id
from workers.janitor import janitor as janitor_module
from workers.janitor import repairs as repairs_module
from workers.janitor.janitor import Janitor
from workers.janitor.repairs import ABANDONED_SECONDS

PLAN = make_plan(segments=2)


def parts(services: Services) -> tuple[OwnJobStore, MemoryPublisher]:
    """Return job store and broker behind the services."""
    assert isinstance(services.jobs, OwnJobStore)
    assert isinstance(services.publisher, MemoryPublisher)
    return services.jobs, services.publisher


def queued(services: Services) -> Job:
    """Create a job in the store with its plan issued, but nothing published: the message was lost."""
    job = created(services.jobs)
    services.jobs.issue(plans=9, tasks=0)
    return job


def encoding(services: Services) -> Job:
    """Create a job and bring it to `encoding` with its segments issued, but nothing published: all of it was lost."""
    job = planned(services)
    services.jobs.issue(plans=0, tasks=99)
    return services.jobs.get(job.id)


def planned(services: Services, segments: int = 2) -> Job:
    """Create a job and bring it to `encoding`, with none of its segments issued yet."""
    job = queued(services)
    services.jobs.move(job.id, JobState.PLANNING)
    return services.jobs.move(job.id, JobState.ENCODING, with_plan(segments=segments))


def all_keys(*jobs: Job) -> Iterator[str]:
    """Yield the keys of the jobs' originals and first segments."""
    for job in jobs:
        yield keys.original(job.id)
        yield keys.segment(job.id, "480p", 0)


def segment(job: Job, index: int) -> Task:
    """Return the job's segment."""
    return Task(job.id, Stage.SEGMENT, index)


def fields(services: Services) -> set[str]:
    """Return the fields of all messages at the broker."""
    return {field for _, field in services.publisher.pending()}


def test_a_lost_message_is_published_on_the_second_look(own_services: Services, tmp_path: Path) -> None:
    """One look may fall between delivery and claim; two in a row mean a loss, and it is mended once."""
    queued(own_services)
    janitor = Janitor(own_services, tmp_path / "alive")
    janitor.make_round()
    assert fields(own_services) == set()
    janitor.make_round()
    assert fields(own_services) == {"plan:0"}
    _, publisher = parts(own_services)
    janitor.make_round()
    assert publisher.deliver(CONTROL_QUEUE) is not None
    assert publisher.deliver(CONTROL_QUEUE) is None


def test_a_task_that_is_held_or_queued_is_left_alone(own_services: Services, tmp_path: Path) -> None:
    """Neither what a live attempt has nor what waits at the broker is published a second time."""
    job = encoding(own_services)
    jobs, publisher = parts(own_services)
    assert jobs.claim(Task(job.id, Stage.SEGMENT, 0), "a", lease_seconds=30, limit=3) is Claim.GRANTED
    publisher.publish(Task(job.id, Stage.SEGMENT, 1))
    publisher.publish(Task(job.id, Stage.AUDIO))
    assert publisher.deliver(FIRST_QUEUE) == Task(job.id, Stage.AUDIO)
    janitor = Janitor(own_services, tmp_path / "alive")
    janitor.make_round()
    janitor.make_round()
    assert fields(own_services) == {"segment:1", "audio:0", "poster:0"}
    queued = [publisher.deliver(queue) for queue in (FIRST_QUEUE, FIRST_QUEUE, ENCODE_QUEUE, ENCODE_QUEUE)]
    assert queued == [Task(job.id, Stage.POSTER), None, Task(job.id, Stage.SEGMENT, 1), None]


def test_a_dead_attempts_task_is_published_when_its_lease_ends(tmp_path: Path) -> None:
    """A lease that nobody renews hides the loss no longer than it lasts."""
    services = Services(OwnJobStore(), None, MemoryPublisher())  # type: ignore[arg-type] # unused
    task = Task(queued(services).id, Stage.PLAN)
    services.jobs.claim(task, "a", lease_seconds=60, limit=3)
    janitor = Janitor(services, tmp_path / "alive")
    janitor.make_round()
    janitor.make_round()
    assert fields(services) == set()
    services.jobs.renew(task, "a", lease_seconds=-1.0)  # over already
    janitor.make_round()
    janitor.make_round()
    assert fields(services) == {"plan:0"}


def test_a_task_that_comes_back_between_two_looks_is_no_suspect(own_services: Services, tmp_path: Path) -> None:
    """Missing, there, missing again: the count of looks begins anew."""
    job = queued(own_services)
    _, publisher = parts(own_services)
    janitor = Janitor(own_services, tmp_path / "alive")
    janitor.make_round()
    publisher.publish(Task(job.id, Stage.PLAN))
    janitor.make_round()
    task = publisher.deliver(CONTROL_QUEUE)
    assert task is not None
    publisher.acknowledge(task)
    janitor.make_round()
    assert fields(own_services) == set()


def test_a_job_that_was_encoded_but_not_packaged_goes_on(own_services: Services, tmp_path: Path) -> None:
    """Whoever finished last died before saying so: the janitor says it."""
    job = encoding(own_services)
    for field in ("poster:0", "audio:0", "segment:0", "segment:1"):
        task = Task.of_field(job.id, field)
        own_services.jobs.claim(task, "a", lease_seconds=30, limit=3)
        own_services.jobs.finish(task, "a", {})
    janitor = Janitor(own_services, tmp_path / "alive")
    janitor.make_round()
    assert own_services.jobs.get(job.id).state is JobState.ENCODING
    janitor.make_round()
    assert own_services.jobs.get(job.id).state is JobState.PACKAGING
    assert fields(own_services) == {"package:0"}


def test_a_job_that_ended_between_look_and_repair_is_left_alone(own_services: Services, tmp_path: Path) -> None:
    """A cancelled job gets no package task because it was seen encoding before."""
    job = encoding(own_services)
    jobs, _ = parts(own_services)
    janitor = Janitor(own_services, tmp_path / "alive")
    janitor.make_round()
    jobs.move(job.id, JobState.CANCELLED)
    janitor.make_round()
    assert fields(own_services) == set()


def test_room_that_is_left_over_is_used(own_services: Services, tmp_path: Path) -> None:
    """Encoders that come and jobs that end make room: the next round publishes what fits, at once and once."""
    films = [planned(own_services, segments=4) for _ in range(2)]
    janitor = Janitor(own_services, tmp_path / "alive")

    def out() -> list[int]:
        return [own_services.jobs.get(film.id).issued for film in films]

    janitor.make_round()
    assert out() == [1, 0]
    own_services.jobs.announce("worker", 4, seconds=60)
    janitor.make_round()
    assert out() == [3, 0]
    own_services.jobs.move(films[0].id, JobState.CANCELLED)
    janitor.make_round()
    assert out() == [3, 3]
    _, publisher = parts(own_services)
    later = [segment(film, index) for film in films for index in (1, 2)]
    assert list(iter(lambda: publisher.deliver(ENCODE_QUEUE), None)) == later
    first = [task for task in iter(lambda: publisher.deliver(FIRST_QUEUE), None) if task.stage is Stage.SEGMENT]
    assert first == [segment(film, 0) for film in films]


def test_what_ended_jobs_left_is_removed(own_services: Services, tmp_path: Path) -> None:
    """Renditions of failed and cancelled jobs go, their originals stay; of deleted ones all goes. Each is counted."""
    jobs, _ = parts(own_services)
    failed, cancelled, deleted, running = (encoding(own_services) for _ in range(4))
    for job in (failed, cancelled, deleted, running):
        for key in (keys.original(job.id), keys.segment(job.id, "480p", 0)):
            own_services.objects.put_bytes(key, b"x", content_type="video/mp4")
    jobs.claim(segment(cancelled, 0), "stopping", lease_seconds=30, limit=3)
    jobs.move(failed.id, JobState.FAILED)
    jobs.move(cancelled.id, JobState.CANCELLED)
    jobs.delete(deleted.id)
    janitor = Janitor(replace(own_services, jobs=jobs), tmp_path / "alive")
    janitor.make_round()
    gone = {keys.segment(failed.id, "480p", 0)}
    assert set(own_services.objects.keys("")) == set(all_keys(failed, cancelled, deleted, running)) - gone
    jobs.release(segment(cancelled, 0), "stopping")
    janitor.make_round()
    gone.add(keys.segment(cancelled.id, "480p", 0))
    assert set(own_services.objects.keys("")) == set(all_keys(failed, cancelled, deleted, running)) - gone
    assert jobs.repairs()["clear"] == 2
    assert jobs.leftovers(9) == ()


def test_a_deleted_jobs_last_writes_are_removed(tmp_path: Path, own_services: Services) -> None:
    """What an attempt stored after the deletion goes as soon as none can be at it any more."""
    job = encoding(own_services)
    own_services.jobs.delete(job.id)
    for key in (keys.original(job.id), keys.segment(job.id, "480p", 0)):
        own_services.objects.put_bytes(key, b"x", content_type="video/mp4")
    janitor = Janitor(own_services, tmp_path / "alive")
    janitor.make_round()
    assert len(list(own_services.objects.keys(""))) == 2
    own_services.jobs.end_clearing(job.id, gone=False)  # due at once: as if the last writes were over
    janitor.make_round()
    assert list(own_services.objects.keys("")) == []


def test_only_old_originals_that_never_became_a_job_are_orphans(own_services: Services, tmp_path: Path) -> None:
    """With a manifest or a record they stay, even if Redis knows none of them; young ones may still become jobs."""
    known, lone, whole = queued(own_services).id, new_job_id(), new_job_id()
    for job_id in (known, lone, whole):
        own_services.objects.put_bytes(keys.original(job_id), b"x", content_type="video/mp4")
    own_services.objects.put_bytes(keys.manifest(whole), b"{}", content_type="application/json")
    janitor = Janitor(own_services, tmp_path / "alive")
    janitor.make_slow_round(now=time.time() + ABANDONED_SECONDS - 60)
    assert len(list(own_services.objects.keys(""))) == 4
    janitor.make_slow_round(now=time.time() + ABANDONED_SECONDS + 60)
    left = {keys.original(known), keys.original(whole), keys.manifest(whole)}
    assert set(own_services.objects.keys("")) == left
    assert own_services.jobs.repairs() == {"orphan": 1}


def test_parts_that_nothing_tells_of_are_orphans(own_services: Services, tmp_path: Path) -> None:
    """Those of an upload and of an original stay."""
    coming, made_up, lone = new_job_id(), new_job_id(), new_job_id()
    told = (keys.upload_record(coming), keys.original(made_up))
    parts = [keys.upload_part(upload_id, 0) for upload_id in (coming, made_up, lone)]
    for key in (*told, *parts):
        own_services.objects.put_bytes(key, b"x", content_type="video/mp4")
    Janitor(own_services, tmp_path / "alive").make_slow_round(now=time.time())
    assert set(own_services.objects.keys("")) == {*told, *parts[:2]}
    assert own_services.jobs.repairs() == {"orphan": 1}


def test_a_redis_that_came_back_empty_costs_no_original(own_services: Services, tmp_path: Path) -> None:
    """Where nothing ever happened nobody can say what was never made a job."""
    own_services.objects.put_bytes(keys.original(new_job_id()), b"x", content_type="video/mp4")
    Janitor(own_services, tmp_path / "alive").make_slow_round(now=time.time() + 2 * ABANDONED_SECONDS)
    assert len(list(own_services.objects.keys(""))) == 1


class Refusing(LocalObjectStore):
    """A store that refuses to delete the objects of one job."""

    refused = ""

    def delete_prefix(self, prefix: str) -> int:
        """See ObjectStore.delete_prefix."""
        if self.refused and self.refused in prefix:
            raise ObjectStoreDownError(detail="It refuses to delete.")
        return super().delete_prefix(prefix)


def test_objects_that_cannot_be_removed_hold_up_no_others(tmp_path: Path, own_services: Services) -> None:
    """The round breaks off, the next one begins with other jobs', and in the end all are gone."""
    objects = Refusing(tmp_path / "objects")
    services = replace(own_services, objects=objects)
    refused, other = encoding(services), encoding(services)
    for job in (refused, other):
        objects.put_bytes(keys.segment(job.id, "480p", 0), b"x", content_type="video/mp4")
        services.jobs.move(job.id, JobState.CANCELLED)
    objects.refused = refused.id
    janitor = Janitor(services, tmp_path / "alive")
    with pytest.raises(ObjectStoreDownError):
        janitor.make_round()
    with pytest.raises(ObjectStoreDownError):
        janitor.make_round()
    assert list(objects.keys("")) == [keys.segment(refused.id, "480p", 0)]
    objects.refused = ""
    janitor.make_round()
    assert list(objects.keys("")) == []


def test_a_job_in_which_nothing_moves_is_given_up(
    tmp_path: Path, own_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attempt that renews its lease for hours without an event hangs: the job fails with a code of its own."""
    monkeypatch.setattr(repairs_module, "STALLED_SECONDS", 0.2)
    jobs = own_services.jobs
    stalled, waiting = encoding(own_services), encoding(own_services)
    jobs.claim(segment(stalled, 0), "hangs", lease_seconds=30, limit=3)
    wait_until(lambda: jobs.idle_seconds(stalled.id) > 0.2, what="hours pass")
    Janitor(own_services, tmp_path / "alive").make_slow_round(now=time.time())
    assert jobs.get(stalled.id).error == JobError(**StalledError().told)
    assert jobs.get(waiting.id).state is JobState.ENCODING
    assert jobs.repairs() == {"give_up": 1}


def test_a_task_goes_on_when_its_rest_is_over(tmp_path: Path) -> None:
    """Not before, and then with the next round."""
    services = Services(OwnJobStore(), None, MemoryPublisher())  # type: ignore[arg-type] # unused
    task = Task(queued(services).id, Stage.PLAN)
    services.jobs.claim(task, "a", lease_seconds=6, limit=3)
    services.jobs.fail(task, "a", WHY, rest=1)
    janitor = Janitor(services, tmp_path / "alive")
    for _ in range(3):
        janitor.make_round()
    assert fields(services) == set()
    wait_until(lambda: not services.jobs.leases(task.job_id)[task.field].live, what="the rest is over")
    janitor.make_round()
    assert fields(services) == {"plan:0"}
    assert services.jobs.repairs() == {"resume": 1}


class Unreadable(OwnJobStore):
    """A store with one record that nobody can read."""

    unreadable = ""

    def get(self, job_id: str) -> Job:
        """See RecordStore.get."""
        if job_id == self.unreadable:
            raise ValueError("this is no record")
        return super().get(job_id)


def test_a_record_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    """One broken job must not keep the janitor from all others."""
    jobs = Unreadable()
    services = Services(jobs, None, MemoryPublisher())  # type: ignore[arg-type] # unused
    broken, sound = queued(services), queued(services)
    jobs.unreadable = broken.id
    janitor = Janitor(services, tmp_path / "alive")
    janitor.make_round()
    janitor.make_round()
    assert services.publisher.pending() == {(sound.id, "plan:0")}


def test_finished_and_deleted_jobs_are_nobodys_business(own_services: Services, tmp_path: Path) -> None:
    """Rounds over what is over publish nothing."""
    done, gone = encoding(own_services), queued(own_services)
    own_services.jobs.move(done.id, JobState.FAILED)
    own_services.jobs.delete(gone.id)
    janitor = Janitor(own_services, tmp_path / "alive")
    janitor.make_round()
    janitor.make_round()
    assert fields(own_services) == set()


def test_of_two_janitors_one_works(own_services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second finds the role held, makes no round, and takes over when the first is gone."""
    monkeypatch.setattr(janitor_module, "ROUND_SECONDS", 0.02)
    jobs, publisher = parts(own_services)
    first, second = (Janitor(own_services, tmp_path / "alive") for _ in range(2))
    assert jobs.hold("janitor", "somebody", seconds=60)
    queued(own_services)
    threads = [_started(janitor) for janitor in (first, second)]
    try:
        assert jobs.hold("janitor", "somebody", seconds=60)
        assert fields(own_services) == set()
        assert jobs.hold("janitor", "somebody", seconds=0)
        wait_until(lambda: fields(own_services) == {"plan:0"}, what="the successor's repair")
        assert (tmp_path / "alive").exists()
        assert not jobs.hold("janitor", "somebody", seconds=10)
    finally:
        first.stop()
        second.stop()
        for thread in threads:
            thread.join(10)
    assert publisher.deliver(CONTROL_QUEUE) is not None
    assert publisher.deliver(CONTROL_QUEUE) is None


def test_samples_of_the_queue_are_taken(
    own_services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One with the first round, the next one some rounds later, and so on."""
    monkeypatch.setattr(janitor_module, "ROUND_SECONDS", 0.01)
    queued(own_services)
    janitor = Janitor(own_services, tmp_path / "alive")
    thread = _started(janitor)
    try:
        wait_until(lambda: len(own_services.jobs.samples(9)) >= 3, what="three samples")
    finally:
        janitor.stop()
        thread.join(10)
    begun, *taken = own_services.jobs.samples(9)
    assert (begun.waiting, begun.arrived) == (0, 0)
    assert {(sample.waiting, sample.running) for sample in taken} == {(1, 0)}


def _started(janitor: Janitor) -> threading.Thread:
    thread = threading.Thread(target=janitor.run, daemon=True)
    thread.start()
    return thread
