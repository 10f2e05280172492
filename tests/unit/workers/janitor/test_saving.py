"""What is seen of a job stays the same while its end is saved and its record becomes slim, whatever comes between."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import ConflictError, JobNotFoundError, ObjectStoreDownError
from storage.job_store.contract import JobStore
from storage.model.job import Changes, Job, JobError, JobState, Output, Priority
from storage.model.job_warnings import warning
from storage.model.task import Stage, Task
from storage.objects import keys
from storage.objects.local import LocalObjectStore
from storage.objects.manifests import Manifest, delete_job_objects, forget_run, put_manifest
from storage.public.job_json import job_json, listed
from storage.services import Services
from storage.services.whole_jobs import whole_job, whole_or_less
from tests.support.ended import whole
from tests.support.job_store import OwnJobStore
from tests.support.jobs import CREATED_AT, WHY, claim, created, finish_all, with_plan
from tests.support.memory_publisher import MemoryPublisher
from workers.janitor.saving import save_ended

JOBS = 3
MANY = 100
FAILED = Changes(error=JobError("decode_failed", "It broke.", "last line", {"n": 1.5}))
READY = Changes(outputs=(Output("1080p", 9), Output("480p", 3)), has_storyboard=True, warnings=(warning("not_cut"),))
UPLOADED = ("owner", "webhook_url", "priority", "created_at")  # what no run changes, and no JSON shows exactly


class World:
    """Some jobs, and what everybody saw of each of them right after its last move."""

    def __init__(self, folder: Path) -> None:
        objects = LocalObjectStore(folder)
        objects.prepare()
        self.services = Services(jobs=OwnJobStore(), objects=objects, publisher=MemoryPublisher())
        self.jobs: JobStore = self.services.jobs
        priorities = (Priority.NORMAL, Priority.LOW, Priority.HIGH)
        self.first = [created(self.jobs, priority=priority, webhook_url="http://a/b") for priority in priorities]
        self.seen: dict[str, Any] = {job.id: job_json(job) for job in self.first}

    def advance(self, job: Job) -> None:
        """Make the job's next step; it has a failed attempt on its way."""
        match job.state:
            case JobState.QUEUED:
                self.move(job, JobState.PLANNING)
            case JobState.PLANNING:
                self.move(job, JobState.ENCODING, with_plan())
                task = Task(job.id, Stage.SEGMENT, 1)
                claim(self.jobs, task, "lost")
                self.jobs.fail(task, "lost", WHY)
            case JobState.ENCODING:
                finish_all(self.jobs, job)
                self.move(job, JobState.PACKAGING)
            case JobState.PACKAGING:
                self.move(job, JobState.READY, READY)
            case _:
                return
        self.seen[job.id] = job_json(self.jobs.get(job.id))

    def move(self, job: Job, to: JobState, changes: Changes | None = None) -> None:
        """Make a move if the job can; somebody holds a task of it meanwhile."""
        claim(self.jobs, Task(job.id, Stage.SEGMENT, 0), "holder")
        with suppress(ConflictError):
            moved = self.jobs.move(job.id, to, changes)
            self.seen[job.id] = job_json(whole_job(self.services.objects, moved, self.jobs.count_fault))

    def retry(self, job: Job) -> None:
        """Start the job again as the web service does."""
        if job.state in {JobState.FAILED, JobState.CANCELLED}:
            forget_run(self.services.objects, job.id)
            self.move(job, JobState.QUEUED)

    def delete(self, job: Job) -> None:
        """Delete the job as the web service does."""
        delete_job_objects(self.services.objects, job.id)
        self.jobs.delete(job.id)
        del self.seen[job.id]

    def save(self, _: Job) -> None:
        """Make the janitor's step."""
        save_ended(self.services)

    def save_half(self, _: Job) -> None:
        """Make half of it: the janitor dies before it tells the job store."""
        for ended in self.jobs.unsaved(MANY):
            put_manifest(self.services.objects, keys.ended(ended.id), Manifest(job=ended))

    def save_late(self, job: Job) -> None:
        """Make it, while the job starts again in the middle of it."""
        save_ended(overtaken(self.services, "saved", lambda: self.retry(self.jobs.get(job.id))))

    def fail_late(self, job: Job) -> None:
        """Let the attempt that holds a task fail, perhaps after the job ended."""
        self.jobs.fail(Task(job.id, Stage.SEGMENT, 0), "holder", WHY)
        if not job.state.finished:
            self.seen[job.id] = job_json(self.jobs.get(job.id))

    def check(self) -> None:
        """Compare what is seen with what was seen."""
        page = self.jobs.page(owner="local", state=None, limit=MANY, cursor=None).jobs
        shown = {job.id: listed(job_json(job)) for job in page}
        assert shown == {job_id: listed(seen) for job_id, seen in self.seen.items()}
        for first in self.first:
            if first.id not in self.seen:
                with pytest.raises(JobNotFoundError):
                    self.jobs.get(first.id)
                continue
            job = whole(self.services, first.id)
            assert job_json(job) == self.seen[first.id]
            assert [getattr(job, name) for name in UPLOADED] == [getattr(first, name) for name in UPLOADED]
        assert self.jobs.faults() == {}


class _Overtaken:
    """A job store to which something happens around each call of one of its methods."""

    def __init__(self, store: JobStore, method: str, happens: Callable[[], None]) -> None:
        self._store = store
        self._method = method
        self._happens = happens

    def __getattr__(self, name: str) -> Any:
        return self._call if name == self._method else getattr(self._store, name)

    def _call(self, argument: object) -> Any:
        if self._method == "saved":
            self._happens()
        answer = getattr(self._store, self._method)(argument)
        if self._method == "unsaved":
            self._happens()
        return answer


def overtaken(services: Services, method: str, happens: Callable[[], None]) -> Services:
    """Return services to whose job store something happens after ends were read, or before they are told as saved."""
    return replace(services, jobs=cast("JobStore", _Overtaken(services.jobs, method, happens)))


STEPS: tuple[Callable[[World, Job], None], ...] = (
    World.advance,
    World.advance,
    World.advance,
    lambda world, job: world.move(job, JobState.FAILED, FAILED),
    lambda world, job: world.move(job, JobState.CANCELLED),
    World.retry,
    World.delete,
    World.save,
    World.save,
    World.save_half,
    World.save_late,
    World.fail_late,
)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, JOBS - 1)), min_size=5, max_size=25))
def test_what_is_seen_of_a_job_stays(steps: list[tuple[Callable[[World, Job], None], int]]) -> None:
    """Whoever dies, starts again, deletes or fails, in whatever order: only moves change what a job's JSON says."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for step, number in steps:
            with suppress(JobNotFoundError):
                step(world, world.jobs.get(world.first[number].id))
            world.check()


def ended(services: Services) -> Job:
    """Let a planned job fail, and save its end; return it as it was before."""
    job = created(services.jobs)
    services.jobs.move(job.id, JobState.PLANNING)
    services.jobs.move(job.id, JobState.ENCODING, with_plan())
    job = services.jobs.move(job.id, JobState.FAILED, FAILED)
    save_ended(services)
    return job


def put(services: Services, key: str, data: bytes) -> None:
    """Write an object of a manifest's kind."""
    services.objects.put_bytes(key, data, content_type="application/json")


def test_a_saved_end_has_what_the_record_no_longer_has(own_services: Services) -> None:
    """The whole job in one read; events and counted attempts beside it."""
    job = ended(own_services)
    assert own_services.jobs.get(job.id).slim is not None
    assert whole(own_services, job.id) == job
    data = b"".join(own_services.objects.read(keys.ended(job.id))).decode()
    assert [f'"{name}"' in data for name in ("events", "attempts", "failed_attempts")] == [True] * 3
    assert data.count('"job_id"') == 4


@pytest.mark.parametrize(("method", "saved_by_other"), [("unsaved", True), ("saved", True), ("saved", False)])
def test_an_end_that_came_anew_is_kept(own_services: Services, method: str, *, saved_by_other: bool) -> None:
    """A janitor that slept through a retry and the next end takes nothing from that one, saved by another or not."""
    job = created(own_services.jobs)
    own_services.jobs.move(job.id, JobState.FAILED, FAILED)

    def happen() -> None:
        forget_run(own_services.objects, job.id)
        own_services.jobs.move(job.id, JobState.QUEUED)
        own_services.jobs.move(job.id, JobState.CANCELLED)
        if saved_by_other:
            save_ended(own_services)

    save_ended(overtaken(own_services, method, happen))
    assert saved_by_other is not bool(own_services.jobs.unsaved(MANY))
    save_ended(own_services)
    assert whole(own_services, job.id).state is JobState.CANCELLED
    assert own_services.jobs.faults() == {}


def damages(job: Job, services: Services) -> Iterator[Callable[[], object]]:
    """Yield what may have happened to the end of a slim job."""
    key, objects = keys.ended(job.id), services.objects
    data = b"".join(objects.read(key))
    yield lambda: objects.delete_prefix(key)
    yield lambda: put(services, key, b"")
    yield lambda: put(services, key, b"\xff" * 100)
    yield lambda: put(services, key, b"[" * 100_000)
    yield lambda: put(services, key, data + b" " * (4 * 1024**2))
    yield lambda: put(services, key, data.replace(b'"1080p"', b'"../../etc"'))
    yield lambda: put(services, key, data.replace(job.id.encode(), b"0" * 32))
    yield lambda: put_manifest(objects, key, Manifest(job=replace(job, finished_at=CREATED_AT)))
    yield lambda: put_manifest(objects, key, Manifest(job=replace(job, state=JobState.CANCELLED)))


def test_where_the_rest_cannot_be_read_the_record_speaks(own_services: Services) -> None:
    """With a warning, whatever became of the object; each time counted."""
    job = ended(own_services)
    kept = own_services.jobs.get(job.id)
    for number, damage in enumerate(damages(job, own_services), start=1):
        damage()
        seen = whole(own_services, job.id)
        assert seen == replace(kept, warnings=(warning("details_missing"),))
        assert own_services.jobs.faults() == {"details": number}
        assert listed(job_json(seen)) == listed(job_json(job))


def test_what_the_record_says_is_right(own_services: Services) -> None:
    """Somebody who may write objects cannot give a job another title, owner, error or size of its downloads."""
    job = ended(own_services)
    lied = replace(job, title="lie", owner="lie", outputs=(Output("1080p", 1),), error=JobError("lie", "lie", "lie"))
    put_manifest(own_services.objects, keys.ended(job.id), Manifest(job=lied))
    seen, kept = whole(own_services, job.id), own_services.jobs.get(job.id)
    assert (seen.title, seen.owner, seen.outputs, seen.error) == (job.title, job.owner, (), kept.error)


class _Away(LocalObjectStore):
    """An object store that is away."""

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        raise ObjectStoreDownError(detail=f"{key} {start} {length}")


def test_an_outage_of_the_store_is_no_fault(own_services: Services, tmp_path: Path) -> None:
    """Who can wait is told; pages show what the record says."""
    job = ended(own_services)
    kept, away = own_services.jobs.get(job.id), _Away(tmp_path)
    with pytest.raises(ObjectStoreDownError):
        whole_job(away, kept, own_services.jobs.count_fault)
    seen = whole_or_less(away, kept, own_services.jobs.count_fault)
    assert [known.code for known in seen.warnings] == ["details_missing"]
    assert own_services.jobs.faults() == {}
