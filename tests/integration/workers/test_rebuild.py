"""Redis is lost and the object store is not: real stages and ffmpeg, local objects and a real MinIO."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from storage.job_store.queue_contract import QueueCounts
from storage.model.job import Job, JobState
from storage.model.task import Results, Stage, Task
from storage.model.timed_text import SubtitleTrack
from storage.objects import keys
from storage.objects.contract import ObjectStore
from storage.objects.manifests import Manifest, forget_run, put_manifest, read_manifest
from storage.services import Services
from storage.services.subtitles import add_subtitles
from storage.settings import Settings
from tests.support.driving import drive, submit
from tests.support.ended import slimmed, whole
from tests.support.job_store import OwnJobStore
from tests.support.jobs import make_job, position
from tests.support.losing import go_on, rebuilt, step_until, without_redis
from web.routes.uploading import new_job_id
from workers.janitor.janitor import Janitor
from workers.janitor.saving import save_ended
from workers.planning.segments import without_cuts
from workers.rebuild.surviving_results import found_results

JSON = "application/json"
DONE = ("segment:0", "segment:1")


@pytest.fixture
def film(clip: Callable[..., Path]) -> Path:
    """Give a clip of several segments."""
    return clip("film.mp4", seconds=6)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Give settings of an installation with two slots, whatever machine this is."""
    return settings.model_copy(update={"encoders": 2})


def half_encoded(services: Services, settings: Settings, film: Path) -> Job:
    """Work on the film until its first segments are there; return the job."""
    job = submit(services, film)
    step_until(services, settings, lambda: services.jobs.results(job.id).keys() >= set(DONE))
    job = services.jobs.get(job.id)
    assert job.plan is not None
    assert job.plan.segment_count > len(DONE)
    return job


def attempts(services: Services, job: Job) -> list[int]:
    """Return how many attempts at each segment are counted."""
    assert job.plan is not None
    counted = services.jobs.attempts(job.id)
    return [counted.get(Task(job.id, Stage.SEGMENT, index).field, 0) for index in range(job.plan.segment_count)]


def content(services: Services, key: str) -> bytes:
    """Return the whole object."""
    return b"".join(services.objects.read(key))


def found(services: Services, job: Job) -> Results:
    """Return what is found of a job, by its manifest."""
    manifest = read_manifest(services.objects, keys.planned(job.id), job.id)
    assert manifest.job.plan is not None
    return found_results(services.objects, job.id, manifest.job.plan, manifest.segments)


def test_a_half_encoded_job_goes_on_from_its_segments(
    object_store: ObjectStore, own_services: Services, settings: Settings, film: Path, tmp_path: Path
) -> None:
    """What was there is not encoded again, and the result is that of a job to which nothing happened."""
    services = replace(own_services, objects=object_store)
    undisturbed = drive(services, settings, film)
    job = half_encoded(services, settings, film)
    before = {index: services.objects.stat(keys.segment(job.id, "180p", index)) for index in range(len(DONE))}
    results = {field: services.jobs.results(job.id)[field] for field in DONE}

    services = without_redis(services)
    assert rebuilt(services) == (True, ["restored: 2 encoding"])
    again = services.jobs.get(job.id)
    assert (again.state, again.plan, again.started_at) == (JobState.ENCODING, job.plan, job.started_at)
    assert again.frames_done == sum(result["frames"] for result in results.values())
    told = services.jobs.results(job.id)
    assert {field: told[field] | {"seconds": results[field]["seconds"]} for field in DONE} == results

    go_on(services, settings, tmp_path)
    assert services.jobs.get(job.id).state is services.jobs.get(undisturbed.id).state is JobState.READY
    counted = attempts(services, job)
    assert set(counted[: len(DONE)]) == {0}
    assert set(counted[len(DONE) :]) == {1}
    assert {index: services.objects.stat(info.key) for index, info in before.items()} == before
    for name in ("180p.mp4", "hls/master.m3u8", "hls/180p/index.m3u8", "hls/audio/index.m3u8"):
        made = content(services, keys.rendition(job.id, name))
        assert made == content(services, keys.rendition(undisturbed.id, name))


def test_finished_jobs_come_back_as_they_were(
    object_store: ObjectStore, own_services: Services, settings: Settings, clip: Callable[..., Path], tmp_path: Path
) -> None:
    """Ready, failed and cancelled: every field, the places in the lists, and not an object touched."""
    services = replace(own_services, objects=object_store)
    (tmp_path / "noise.mp4").write_bytes(b"noise" * 1000)
    ready, failed = (drive(services, settings, path) for path in (clip("short.mp4", seconds=1), tmp_path / "noise.mp4"))
    cancelled = services.jobs.move(submit(services, tmp_path / "noise.mp4").id, JobState.CANCELLED)
    assert (ready.state, failed.state) == (JobState.READY, JobState.FAILED)
    assert save_ended(services) == 3
    assert save_ended(services) == 0
    objects = {key: services.objects.stat(key) for key in services.objects.keys("")}

    services = without_redis(services)
    assert rebuilt(services) == (True, ["restored: 1 ready, 1 failed, 1 cancelled"])
    for job in (ready, failed, cancelled):
        assert whole(services, job.id) == job
        page = services.jobs.page(owner=job.owner, state=job.state, limit=9, cursor=None)
        assert page.jobs == (slimmed(job),)
    assert services.jobs.counts() == QueueCounts(0, 0)
    assert {key: services.objects.stat(key) for key in services.objects.keys("")} == objects


def test_subtitles_that_were_added_come_back(own_services: Services, film: Path) -> None:
    """Also those that came after the last manifest; what is not what was written is said, and nothing made of it."""
    job = submit(own_services, film)
    track = add_subtitles(own_services, job, SubtitleTrack("", "ko", forced=True), b"00:01.000 --> 00:02.000\nHi")
    services = without_redis(own_services)
    assert rebuilt(services) == (True, ["restored: 1 queued"])
    assert services.jobs.get(job.id).added == (track,)

    services.objects.put_bytes(keys.added_track(job.id, track.id), b'{"id": "../x"}', content_type="application/json")
    services = without_redis(own_services)
    assert rebuilt(services)[0] is False


def test_jobs_wait_in_the_order_they_were_accepted(own_services: Services, film: Path) -> None:
    """A job whose retry was accepted waits again, as it did. One whose upload took long was accepted after it."""
    jobs = [submit(own_services, film) for _ in range(3)]
    own_services.jobs.move(jobs[0].id, JobState.FAILED)
    save_ended(own_services)
    forget_run(own_services.objects, jobs[0].id)
    for place, job in enumerate(jobs):
        at = job.created_at + 3 - place
        early, late = replace(job, created_at=at), replace(job, created_at=place)
        manifest = Manifest(job=late, accepted_at=at) if place % 2 else Manifest(job=early)
        put_manifest(own_services.objects, keys.manifest(job.id), manifest)
    services = without_redis(own_services)
    assert rebuilt(services) == (True, ["restored: 3 queued"])
    assert [position(services.jobs, job.id) for job in jobs] == [3, 2, 1]
    assert services.jobs.get(jobs[0].id).error is None


def test_an_end_that_was_not_saved_is_come_to_again(
    own_services: Services, settings: Settings, clip: Callable[..., Path], tmp_path: Path
) -> None:
    """Redis went away in the moment in which a job became ready: it is packaged again, from the same segments."""
    job = drive(own_services, settings, clip("short.mp4", seconds=1))
    whole = content(own_services, keys.rendition(job.id, "180p.mp4"))
    services = without_redis(own_services)
    assert rebuilt(services) == (True, ["restored: 1 encoding"])
    go_on(services, settings, tmp_path)
    assert services.jobs.get(job.id).outputs == job.outputs
    assert "segment:0" not in services.jobs.attempts(job.id)
    assert content(services, keys.rendition(job.id, "180p.mp4")) == whole


class _Overtaken(OwnJobStore):
    """A job store in which every job starts again right after its end was read."""

    def unsaved(self, limit: int) -> tuple[Job, ...]:
        ended = super().unsaved(limit)
        for job in ended:
            self.move(job.id, JobState.QUEUED)
        return ended


def test_a_retry_that_overtakes_the_saving_is_not_forgotten(own_services: Services, film: Path) -> None:
    """What was written of an end that is over is taken back, so that a rebuild starts the job again too."""
    services = replace(own_services, jobs=_Overtaken())
    job = submit(services, film)
    services.jobs.move(job.id, JobState.FAILED)
    assert save_ended(services) == 1
    assert set(services.objects.keys("")) == {keys.original(job.id), keys.manifest(job.id)}


def test_a_restored_job_is_left_alone(own_services: Services, settings: Settings, film: Path) -> None:
    """A second rebuild, or one beside running workers, changes nothing of jobs that have a record."""
    half_encoded(own_services, settings, film)
    services = without_redis(own_services)
    new = submit(services, film)
    services.jobs.move(new.id, JobState.CANCELLED)
    assert rebuilt(services) == (True, ["restored: 1 encoding", "had a record: 1"])
    last = services.jobs.last_event_id()
    assert rebuilt(services) == (True, ["restored: none", "had a record: 2"])
    assert services.jobs.last_event_id() == last


def put(objects: ObjectStore, key: str, content: str) -> None:
    """Write an object."""
    objects.put_bytes(key, content.encode(), content_type=JSON)


def test_what_cannot_be_read_is_said_and_the_rest_restored(
    object_store: ObjectStore, own_services: Services, film: Path
) -> None:
    """Garbage, another version, another job's manifest, a missing original: each is named; leftovers are counted."""
    services = replace(own_services, objects=object_store)
    good = submit(services, film)
    garbage, old, foreign, headless = (new_job_id() for _ in range(4))
    put(object_store, keys.manifest(garbage), "{")
    put(object_store, keys.manifest(old), json.dumps({"version": 1, "id": old}))
    put_manifest(object_store, keys.manifest(foreign), Manifest(job=good))
    put_manifest(object_store, keys.manifest(headless), Manifest(job=make_job(id=headless)))
    for key in (keys.original(new_job_id()), keys.ended(new_job_id()), "originals/notes.txt", "originals/a/b/c"):
        put(object_store, key, "x")
    before = set(object_store.keys(""))

    services = without_redis(services)
    whole, lines = rebuilt(services)
    assert not whole
    assert lines[-3:] == ["restored: 1 queued", "never accepted, or half deleted: 4", "not restored: 4"]
    said = "\n".join(lines)
    for job_id, why in (
        (garbage, "JSON: Invalid JSON"),
        (old, "version: Input should be 2"),
        (foreign, f"belongs to job {good.id}"),
        (headless, "its original is missing"),
    ):
        assert any(job_id in line and why in line for line in lines), said
    assert services.jobs.unfinished() == (good.id,)
    assert set(object_store.keys("")) == before


def test_an_unreadable_end_costs_work_not_the_job(
    own_services: Services, settings: Settings, clip: Callable[..., Path]
) -> None:
    """The job goes on from its plan, and it is said why."""
    job = drive(own_services, settings, clip("short.mp4", seconds=1))
    save_ended(own_services)
    put(own_services.objects, keys.ended(job.id), "")
    whole, lines = rebuilt(without_redis(own_services))
    assert whole
    assert lines[0].startswith(f"{keys.ended(job.id)}: JSON: Invalid JSON")
    assert lines[1:] == ["restored: 1 encoding"]


@pytest.mark.parametrize(
    "loss", ["a rung's init section", "cut off", "another segment", "older than the plan", "of another plan", "empty"]
)
def test_only_what_fits_the_plan_counts(loss: str, own_services: Services, settings: Settings, film: Path) -> None:
    """A segment whose bytes are not exactly the planned frames in their places is encoded again."""
    job = half_encoded(own_services, settings, film)
    assert found(own_services, job).keys() >= set(DONE)
    first, second = (own_services.objects.local_path(keys.segment(job.id, "180p", index)) for index in range(2))
    assert first is not None
    assert second is not None
    left = set()
    match loss:
        case "a rung's init section":
            own_services.objects.delete_prefix(keys.init(job.id, "180p"))
        case "cut off":
            second.write_bytes(second.read_bytes()[:-1])
            left = {"segment:0"}
        case "another segment":
            second.write_bytes(first.read_bytes())
            left = {"segment:0"}
        case "empty":
            second.write_bytes(b"")
            left = {"segment:0"}
        case "older than the plan":
            manifest = read_manifest(own_services.objects, keys.planned(job.id), job.id)
            put_manifest(own_services.objects, keys.planned(job.id), manifest)
        case "of another plan":
            assert job.plan is not None
            plan, segments = without_cuts(job.plan, threads=1)
            manifest = Manifest(job=replace(job, plan=plan), segments=segments)
            put_manifest(own_services.objects, keys.planned(job.id), manifest)
            for path in (first, second):
                os.utime(path)
    assert {field for field in found(own_services, job) if field.startswith("segment")} == left


def test_the_janitor_says_that_redis_was_lost(own_services: Services, film: Path, tmp_path: Path) -> None:
    """Once, naming the command; not where there is nothing to restore, nor where Redis has jobs."""
    janitors = [Janitor(services, tmp_path / "alive") for services in (own_services, without_redis(own_services))]
    with structlog.testing.capture_logs() as lines:
        janitors[0].look_for_loss()
        submit(own_services, film)
        for janitor in (*janitors, janitors[1]):
            janitor.look_for_loss()
    assert [line["event"] for line in lines if "rungs rebuild" in line["event"]] == [lines[0]["event"]]
    assert len(lines) == 1
