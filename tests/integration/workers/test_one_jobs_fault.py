"""One job's fault stays that job's: every loop of every service goes on beside a record that somebody spoiled."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs

from storage.errors import BusyError, JobNotFoundError, ObjectNotFoundError, RecordError
from storage.job_store import redis_keys
from storage.model.job import Job, JobState
from storage.model.task import Stage, Task
from storage.objects import keys
from storage.objects.contract import ObjectInfo
from storage.objects.local import LocalObjectStore
from storage.objects.manifests import Manifest, delete_job_objects, put_manifest
from storage.services import Services
from storage.services.dispatch import dispatch
from storage.services.queue_reading import read_queue
from storage.settings import Settings
from tests.support.job_store import OwnJobStore
from tests.support.jobs import claim, created, encoding, make_job
from tests.support.losing import rebuilt
from tests.support.memory_publisher import MemoryPublisher
from tests.support.waiting import wait_until
from web.read.event_hub import Hub
from web.read.job_views import JobViews
from web.read.queue_snapshot import QueueSnapshot
from workers.attempts.attempt import attempt_task
from workers.janitor.janitor import Janitor
from workers.janitor.saving import save_ended
from workers.process.message_keeper import acknowledge_ended
from workers.process.pool_children import Children, Running
from workers.webhooks.notifier import Notifier
from workers.webhooks.sender import Answer, Verdict

URL = "http://127.0.0.1:9/hook"

# What somebody may have written into a job's record: whole fields, or numbers that the scripts count with.
SPOILT: dict[str, dict[str, str]] = {
    "no JSON": {"intake": "{"},
    "deep JSON": {"intake": "[" * 50_000},
    "another job's": {"intake": '{"id": "ffffffffffffffffffffffffffffffff"}'},
    "state": {"state": "odd"},
    "size": {"size": "many"},
    "numbers": {"nominal": "x", "in_flight": "x", "start_target": "nan", "target": "inf"},
    "plan": {"plan": '{"rungs": [{"name": "../../x"}]}'},
}
# Written over one of the keys that a job has of its own.
SPOILT_KEYS = {
    "issued": ("job", {"issued": "x"}),
    "segments": ("job", {"segments": "x"}),
    "target": ("job", {"target": "x"}),
    "wanted": ("wanted", {"segment:0": "{", "audio:0": "{", "poster:0": "{"}),
    "leases": ("leases", {"segment:0": "odd"}),
    "frames": ("frames", {"segment:0": "odd"}),
}


def jobs_of(services: Services) -> OwnJobStore:
    """Return the job store behind the services."""
    assert isinstance(services.jobs, OwnJobStore)
    return services.jobs


def spoil(services: Services, job: Job, kind: str) -> None:
    """Write into the job's record."""
    jobs_of(services)._client.hset(redis_keys.of_job("job", job.id), mapping=SPOILT[kind])


def published(services: Services) -> set[str]:
    """Return the ids of the jobs that have a message at the broker."""
    return {job_id for job_id, _ in services.publisher.pending()}


@pytest.mark.parametrize("kind", SPOILT)
def test_dispatch_and_janitor_go_on(kind: str, own_services: Services, tmp_path: Path) -> None:
    """The other job is handed out, the round is whole, the queue's sample is taken, and the fault is counted."""
    spoilt, sound = created(own_services.jobs), created(own_services.jobs)
    spoil(own_services, spoilt, kind)
    janitor = Janitor(own_services, tmp_path / "alive")
    janitor._whole_round()
    janitor._whole_round()
    assert sound.id in published(own_services)
    assert own_services.jobs.samples(1)
    assert sound.id in {work.job_id for work in read_queue(own_services.jobs, encoders=1).outlook.active}
    assert own_services.jobs.faults()


@pytest.mark.parametrize("kind", SPOILT_KEYS)
def test_what_scripts_read_is_spoiled(kind: str, own_services: Services, tmp_path: Path) -> None:
    """A script that stumbles over one job's keys is no outage of Redis, and hands out what the others need."""
    jobs = jobs_of(own_services)
    spoilt, sound = encoding(jobs), encoding(jobs)
    name, fields = SPOILT_KEYS[kind]
    jobs._client.hset(redis_keys.of_job(name, spoilt.id), mapping=fields)
    jobs.issue(plans=0, tasks=99)
    janitor = Janitor(own_services, tmp_path / "alive")
    for _ in range(2):
        janitor._whole_round()
    assert sound.id in published(own_services)
    assert jobs.samples(1)


def test_a_key_of_another_type(own_services: Services, tmp_path: Path) -> None:
    """A record that is no hash any more: its error alone."""
    jobs = jobs_of(own_services)
    spoilt, sound = ended(own_services), created(jobs)
    for job in (spoilt, created(jobs)):
        jobs._client.delete(redis_keys.of_job("job", job.id))
        jobs._client.set(redis_keys.of_job("job", job.id), "odd")
    janitor = Janitor(own_services, tmp_path / "alive")
    for _ in range(2):
        janitor._whole_round()
    assert sound.id in published(own_services)
    assert [job.id for job in jobs.page(owner="local", state=None, limit=9, cursor=None).jobs] == [sound.id]
    with pytest.raises(RecordError):
        jobs.get(spoilt.id)


@pytest.mark.parametrize("kind", [kind for kind in SPOILT if kind not in {"size", "numbers"}])
def test_a_record_that_cannot_be_read_is_its_jobs_error_alone(kind: str, own_services: Services) -> None:
    """Who asks for it is told so; lists leave it out, and their next page begins behind it."""
    sound, spoilt, last = (created(own_services.jobs, created_at=float(number)) for number in range(3))
    spoil(own_services, spoilt, kind)
    with pytest.raises(RecordError):
        own_services.jobs.get(spoilt.id)
    found: list[str] = []
    cursor = None
    for _ in range(3):
        page = own_services.jobs.page(owner="local", state=None, limit=1, cursor=cursor)
        found += [job.id for job in page.jobs]
        cursor = page.cursor
    assert found == [last.id, sound.id]


def test_what_workers_and_past_jobs_said_is_spoiled(own_services: Services, tmp_path: Path) -> None:
    """Announcements, samples and figures of ready jobs that are none: what is right among them counts, all goes on."""
    jobs = jobs_of(own_services)
    jobs.announce("host:1", 2, seconds=60)
    odd = {"a": "x", "b": "99999999999 x", "c": "nan 1 ", "d": f"99999999999 {'9' * 500} ", "e": "99999999999 1 odd"}
    jobs._client.hset(redis_keys.SLOTS, mapping=odd)
    figures = '"nominal": NaN, "measured": 1, "size": 1, "queued_at": 1, "ready_at": 1'
    for key in (redis_keys.FINISHED, redis_keys.SAMPLES):
        jobs._client.lpush(key, "{", f"{{{figures}}}", "[" * 10_000)
    sound = created(jobs)
    Janitor(own_services, tmp_path / "alive")._whole_round()
    assert sound.id in published(own_services)
    assert (jobs.workers(), jobs.pauses(), jobs.recent_finished()) == ({"host:1": 2, "e": 1}, {}, ())
    assert jobs.samples(9)


def test_ends_are_saved_beside_one_that_cannot_be(own_services: Services) -> None:
    """The spoiled one leaves the list: it would be due for ever."""
    spoilt, sound = (ended(own_services) for _ in range(2))
    spoil(own_services, spoilt, "no JSON")
    assert save_ended(own_services) == 1
    assert own_services.objects.stat(keys.ended(sound.id)).size
    assert own_services.jobs.unsaved(9) == ()
    assert own_services.jobs.faults()["record"] == 1


def ended(services: Services, **fields: Any) -> Job:
    """Create a job that failed."""
    job = created(services.jobs, **fields)
    return services.jobs.move(job.id, JobState.FAILED)


class Failing(LocalObjectStore):
    """An object store in which one job's objects fail in a way that nobody foresaw, or are deleted just now."""

    def __init__(self, root: Path, job_id: str, error: Exception) -> None:
        super().__init__(root)
        self.prepare()
        self._job_id, self._error = job_id, error

    def put_bytes(self, key: str, data: bytes, *, content_type: str) -> ObjectInfo:
        """Fail for the job."""
        self._fail(key)
        return super().put_bytes(key, data, content_type=content_type)

    def delete_prefix(self, prefix: str) -> int:
        """Fail for the job."""
        self._fail(prefix)
        return super().delete_prefix(prefix)

    def stat(self, key: str) -> ObjectInfo:
        """Fail for the job."""
        self._fail(key)
        return super().stat(key)

    def _fail(self, key: str) -> None:
        if self._job_id in key:
            raise self._error


@pytest.mark.parametrize("error", [ObjectNotFoundError(), ValueError("nobody thought of it")], ids=["gone", "fault"])
def test_one_jobs_objects_fail(error: Exception, own_services: Services, tmp_path: Path) -> None:
    """Saving, clearing and looking for orphans go on with the next job; what a deletion took is no fault."""
    spoilt, sound = (ended(own_services) for _ in range(2))
    parts = replace(own_services, objects=Failing(tmp_path / "failing", spoilt.id, error))
    janitor = Janitor(parts, tmp_path / "alive")
    with capture_logs() as logs:
        janitor._whole_round()
    assert parts.objects.stat(keys.ended(sound.id)).size
    assert parts.jobs.leftovers(9) == () or spoilt.id in parts.jobs.leftovers(9)
    assert sound.id not in parts.jobs.leftovers(9)
    said = [line["job"] for line in logs if line["event"] == "one job's fault"]
    counted = parts.jobs.faults()
    if isinstance(error, ObjectNotFoundError):
        assert (said, counted) == ([], {})
    else:
        assert (set(said), counted) == ({spoilt.id}, {"saving": 1, "clearing": 1})


class OddPublisher(MemoryPublisher):
    """A broker that takes no message of one job, for a reason that nobody foresaw."""

    job_id = ""

    def publish(self, task: Task) -> None:
        """Fail for the job."""
        if task.job_id == self.job_id:
            raise ValueError("nobody thought of it")
        super().publish(task)


def test_one_jobs_message_fails(own_services: Services, tmp_path: Path) -> None:
    """The others' are published, by whoever dispatches and by the janitor."""
    publisher = OddPublisher()
    parts = replace(own_services, publisher=publisher)
    spoilt, sound = created(parts.jobs), created(parts.jobs)
    publisher.job_id = spoilt.id
    dispatch(parts)
    assert published(parts) == {sound.id}
    janitor = Janitor(parts, tmp_path / "alive")
    for _ in range(2):
        janitor.make_round()
    assert published(parts) == {sound.id}
    assert parts.jobs.faults().keys() == {"dispatch", "mend"}


class Receiving:
    """Takes every notice."""

    def __init__(self) -> None:
        self.told: list[bytes] = []

    def post(self, url: str, headers: dict[str, str], body: bytes) -> Answer:  # noqa: ARG002 - the contract's
        """Take it."""
        self.told.append(body)
        return Answer(Verdict.DELIVERED, "taken")


@contextmanager
def notifying(services: Services, sender: Receiving) -> Iterator[None]:
    """Run a notifier."""
    notifier = Notifier(services.jobs, services.objects, sender)
    thread = threading.Thread(target=notifier.run)
    thread.start()
    try:
        yield
    finally:
        notifier.stop()
        thread.join(10)


@pytest.mark.parametrize("url", ['"file:///etc/passwd"', '"http://[::"', '"http://a:99999999/"', "5", '""'])
def test_the_notifier_goes_on(url: str, own_services: Services) -> None:
    """Beside a notice whose address nobody can call, or whose record is none."""
    jobs, sender = jobs_of(own_services), Receiving()
    spoilt, sound = (ended(own_services, webhook_url=URL) for _ in range(2))
    key = redis_keys.of_job("job", spoilt.id)
    kept = jobs._client.hget(key, "intake")
    jobs._client.hset(key, "intake", str(kept).replace(f'"{URL}"', url))
    with notifying(own_services, sender):
        wait_until(lambda: sender.told, what="the other job's notice")
    assert sound.id.encode() in sender.told[0]
    assert jobs.faults()["record"] == 1


def test_watchers_go_on(own_services: Services) -> None:
    """Events of a job that cannot be read, and entries that are none, are passed over."""
    jobs = jobs_of(own_services)
    views = JobViews(jobs, own_services.objects, QueueSnapshot(jobs, 1))
    spoilt = created(jobs)
    spoil(own_services, spoilt, "no JSON")
    hub = Hub(jobs, views.present, limit=9, count_fault=jobs.count_fault)
    with hub.watch(None) as watcher:
        jobs._client.xadd(redis_keys.EVENTS, {"job": spoilt.id, "type": "state", "data": "{"})
        jobs._client.xadd(redis_keys.EVENTS, {"odd": "entry"})
        jobs._client.xadd(redis_keys.EVENTS, {"job": spoilt.id, "type": "state", "data": "{}"})
        sound = created(jobs)
        update = watcher.take(10)
        assert update is not None
        assert update.event.job_id == sound.id
    assert jobs.faults().keys() >= {"record", "events"}


def test_children_are_looked_at_beside_one_that_fails(own_services: Services, settings: Settings) -> None:
    """Leases that cannot be read are their job's fault."""
    jobs = jobs_of(own_services)
    spoilt, sound = encoding(jobs), encoding(jobs)
    jobs._client.hset(redis_keys.of_job("leases", spoilt.id), "segment:0", "odd")
    settings.scratch_dir.mkdir(parents=True)
    children = Children(own_services, settings)
    children.look([Running(Task(job.id, Stage.SEGMENT, 0), 4_000_123) for job in (spoilt, sound)])
    assert [child.task.job_id for child in children._without_lease] == [sound.id]
    assert jobs.faults() == {"children": 1}


class OddChannel:
    """A broker's channel that has forgotten one of its messages."""

    def __init__(self, fault: Exception) -> None:
        self._fault = fault
        self.acknowledged: list[str] = []
        self.qos = self
        self._delivered, self._dirty = {"odd": None, "sound": None}, set[str]()

    def basic_ack(self, tag: str) -> None:
        """Fail for one."""
        if tag == "odd":
            raise self._fault
        self.acknowledged.append(tag)


def test_messages_are_acknowledged_beside_one_that_fails(own_services: Services) -> None:
    """The keeper goes on with the next."""
    channel = OddChannel(KeyError("odd"))
    acknowledge_ended(channel, (), own_services.jobs.count_fault)
    assert (channel.acknowledged, own_services.jobs.faults()) == (["sound"], {"message": 1})


@pytest.mark.parametrize("outage", [redis.ConnectionError("cut"), redis.TimeoutError("frozen")])
def test_an_outage_is_no_messages_fault(own_services: Services, outage: Exception) -> None:
    """Redis went away while a message was acknowledged: the next beat does it."""
    with pytest.raises(BusyError):
        acknowledge_ended(OddChannel(outage), (), own_services.jobs.count_fault)
    assert own_services.jobs.faults() == {}


def test_a_lease_is_kept_through_a_fault(own_services: Services, settings: Settings) -> None:
    """A fault of one renewal does not end the thread that renews."""
    jobs = jobs_of(own_services)
    job = encoding(jobs)
    failures = iter([ValueError("nobody thought of it")])
    renew = jobs.renew

    def odd(*arguments: Any, **named: Any) -> bool:
        for failure in failures:
            raise failure
        return renew(*arguments, **named)

    jobs.renew = odd  # type: ignore[method-assign]
    seen: list[bool] = []

    def stage(attempt: Any) -> None:
        wait_until(lambda: jobs.faults().get("lease"), what="the fault")
        time.sleep(1.5)  # in which it is renewed once more
        seen.append(attempt.watch.cancelled.is_set())

    attempt_task(Task(job.id, Stage.SEGMENT, 0), stage, own_services, settings)
    assert (seen, next(failures, None)) == ([False], None)


def test_a_rebuild_goes_on(own_services: Services) -> None:
    """One job whose manifest was manipulated is said, the others are restored."""
    spoilt, sound = make_job(), make_job()
    for job in (spoilt, sound):
        own_services.objects.put_bytes(keys.original(job.id), b"x", content_type="video/mp4")
        put_manifest(own_services.objects, keys.manifest(job.id), Manifest(job=job))
    kept = b"".join(own_services.objects.read(keys.manifest(spoilt.id)))
    spoiled = kept.replace(b'"local"', b'"\\n"')
    assert spoiled != kept
    own_services.objects.put_bytes(keys.manifest(spoilt.id), spoiled, content_type="application/json")
    whole, said = rebuilt(own_services)
    assert not whole
    assert spoilt.id in said[0]
    assert own_services.jobs.get(sound.id).state is JobState.QUEUED
    with pytest.raises(JobNotFoundError):
        own_services.jobs.get(spoilt.id)


def test_a_storm_of_creating_and_deleting(own_services: Services, tmp_path: Path) -> None:
    """The janitor and what shares its process live through it, no job is lost, and nothing stays of the deleted."""
    janitor = Janitor(own_services, tmp_path / "alive")
    over = threading.Event()
    kept: list[str] = []

    def make_rounds() -> None:
        while not over.is_set():
            janitor._whole_round()

    def one(number: int) -> None:
        job = created(own_services.jobs, webhook_url=URL)
        put_manifest(own_services.objects, keys.manifest(job.id), Manifest(job=job))
        own_services.jobs.move(job.id, JobState.CANCELLED)
        if number % 4 == 0:
            kept.append(job.id)
            return
        own_services.jobs.delete(job.id)
        delete_job_objects(own_services.objects, job.id)

    rounds = threading.Thread(target=make_rounds)
    rounds.start()
    with ThreadPoolExecutor(8) as people:
        list(people.map(one, range(300)))
    over.set()
    rounds.join(60)
    assert not rounds.is_alive()
    assert own_services.jobs.faults() == {}
    janitor._whole_round()
    assert {job_id for job_id in kept if own_services.objects.stat(keys.ended(job_id))} == set(kept)
    assert claim(own_services.jobs, Task(kept[0], Stage.PLAN)).value != "granted"
