"""The janitor and uploads of which nothing comes any more, over a real Redis and a local store."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from storage.job_store.upload_contract import QUIET_SECONDS
from storage.model.event import NO_EVENT
from storage.model.job import JobState
from storage.model.upload import OpenUpload
from storage.objects import keys
from storage.services import Services
from storage.services.uploads import job_to_be, note_open
from storage.services.whole_jobs import whole_job
from tests.support.uploads import begun
from web.routes.uploading import new_job_id
from workers.janitor.incoming import keep_uploads
from workers.janitor.janitor import Janitor
from workers.janitor.saving import save_ended

DAY = 24 * 3600.0


@pytest.fixture
def services(own_services: Services) -> Services:
    """Give parts of the test's own."""
    return own_services


def looked(services: Services, later: float = 0.0) -> list[str]:
    """Let the janitor look, so many seconds later."""
    return list(keep_uploads(services, now=time.time() + later, expiry=DAY))


def test_a_forgotten_upload_goes(services: Services) -> None:
    """A day after the last of its bytes, whether or not it was ever begun."""
    for data, length in ((b"half", 9), (b"", 9), (b"any", None)):
        upload = begun(services, data, length=length)
        note_open(services, upload, 0, now=time.time())
        assert looked(services, DAY - 5) == []
        assert looked(services, DAY + 5) == [upload.id]
        assert list(services.objects.keys(keys.UPLOADS)) == []
        assert services.jobs.open_uploads() == ()
        assert services.jobs.get(upload.id).state is JobState.FAILED


def test_an_upload_that_goes_on_is_kept(services: Services) -> None:
    """By its last byte, not by its creation."""
    begun(services, b"half", created_at=time.time() - 30 * DAY)
    assert looked(services) == []


def test_redis_learns_of_uploads_that_it_lost(services: Services) -> None:
    """And forgets those that are nowhere."""
    upload = begun(services, b"half")
    services.jobs.note_upload(OpenUpload(new_job_id(), "127.0.0.1", 0, 5, time.time()))
    assert looked(services) == []
    (known,) = services.jobs.open_uploads()
    assert (known.id, known.size, known.left) == (upload.id, 4, 5)
    assert abs(known.at - time.time()) < 60


def test_a_whole_upload_is_never_given_up(services: Services) -> None:
    """The web service is told of it, which makes it a job."""
    upload = begun(services, b"whole one")
    assert looked(services, 30 * DAY) == []
    (known,) = services.jobs.open_uploads()
    assert (known.id, known.size, known.left) == (upload.id, 9, 0)


def test_what_the_web_service_says_is_left_alone(services: Services) -> None:
    """It receives the upload now, and knows better; when it says nothing for a while, what is stored counts."""
    upload = begun(services, b"half")
    services.jobs.note_upload(OpenUpload(upload.id, "127.0.0.1", 6, 3, time.time()))
    looked(services)
    assert services.jobs.open_uploads()[0].size == 6
    looked(services, QUIET_SECONDS + 5)
    assert services.jobs.open_uploads()[0].size == 4


def test_a_removal_that_broke_off_is_finished(services: Services) -> None:
    """The record went first: bytes without one belong to nobody."""
    upload = begun(services, b"half")
    services.objects.delete_prefix(keys.upload_record(upload.id))
    assert looked(services) == [upload.id]
    assert list(services.objects.keys(keys.UPLOADS)) == []


def test_one_spoiled_record_keeps_no_other_upload(services: Services) -> None:
    """It is told as a fault, and goes in the end as what nobody sends any more."""
    spoilt, other = begun(services, b"half"), begun(services, b"other")
    services.objects.put_bytes(keys.upload_record(spoilt.id), b'{"id": "../x"}', content_type="application/json")
    assert looked(services) == []
    assert [upload.id for upload in services.jobs.open_uploads()] == [other.id]
    assert services.jobs.faults() == {"upload": 1}
    assert looked(services, DAY + 5) == [*sorted((spoilt.id, other.id))]


def test_the_job_of_a_forgotten_upload_fails(services: Services, tmp_path: Path) -> None:
    """It says why, its webhook is told, nothing is left of its bytes, and its record becomes slim as all do."""
    upload = begun(services, b"half", webhook_url="https://example.com/hook")
    services.jobs.create(job_to_be(upload))
    assert looked(services, DAY + 5) == [upload.id]
    janitor = Janitor(services, tmp_path / "alive")
    for _ in range(2):
        janitor.make_round()
        save_ended(services)
    job = services.jobs.get(upload.id)
    assert (job.state, job.error and job.error.code, job.slim is None) == (JobState.FAILED, "upload_expired", False)
    assert whole_job(services.objects, job, services.jobs.count_fault).warnings == ()
    assert [notice.job.id for notice in services.jobs.due_notices(9)] == [upload.id]
    assert (list(services.objects.keys("")), services.jobs.leftovers(9), services.jobs.faults()) == ([], (), {})


def test_an_upload_that_became_a_job_meanwhile_costs_it_nothing(services: Services) -> None:
    """Its record went first, and the process died: what is left goes, and the job goes on."""
    upload = begun(services, b"half")
    services.jobs.create(replace(job_to_be(upload), state=JobState.QUEUED, incomplete=False))
    services.objects.delete_prefix(keys.upload_record(upload.id))
    assert looked(services) == [upload.id]
    assert services.jobs.get(upload.id).state is JobState.QUEUED


def test_redis_learns_of_jobs_that_it_lost(services: Services) -> None:
    """Of all uploads that are there, but not as a first event: that would hide that the others are to be rebuilt."""
    upload, received = begun(services, b"half"), begun(services, b"half")
    services.jobs.note_upload(received.standing(4, time.time()))
    assert looked(services) == []
    for one in (upload, received):
        assert services.jobs.get(one.id) == job_to_be(one)
    assert services.jobs.last_event_id() == NO_EVENT


def test_an_upload_without_a_store_waits_for_it(services: Services) -> None:
    """Where it stays away, the job fails in the end."""
    upload = begun(services, b"")
    services.jobs.create(job_to_be(upload))
    note_open(services, upload, 0, now=time.time())
    services.objects.delete_prefix(keys.upload(upload.id))
    assert looked(services, DAY - 5) == []
    assert services.jobs.get(upload.id).state is JobState.UPLOADING
    looked(services, DAY + 5)
    assert services.jobs.get(upload.id).state is JobState.FAILED
    assert services.jobs.open_uploads() == ()


def test_what_is_left_of_a_cancelled_upload_goes(services: Services, tmp_path: Path) -> None:
    """Also where the store was away as it was cancelled, and where the last byte came at the same moment."""
    upload = begun(services, b"whole one")
    services.jobs.create(job_to_be(upload))
    services.jobs.move(upload.id, JobState.CANCELLED)
    services.objects.incoming.finish(upload.id, keys.original(upload.id), content_type="video/mp4")
    Janitor(services, tmp_path / "alive").make_round()
    assert list(services.objects.keys("")) == []


def test_what_a_cancelled_upload_stores_late_goes(services: Services) -> None:
    """It is known no more, and neither is its job made again."""
    upload = begun(services, b"half")
    services.jobs.create(job_to_be(upload))
    services.jobs.move(upload.id, JobState.CANCELLED)
    assert looked(services) == [upload.id]
    assert (list(services.objects.keys("")), services.jobs.get(upload.id).state) == ([], JobState.CANCELLED)


def test_the_janitor_looks_at_uploads(services: Services, tmp_path: Path) -> None:
    """In its rounds, and counts what it mended."""
    begun(services, b"half")
    Janitor(services, tmp_path / "alive", upload_expiry=60.0).look_at_uploads(now=time.time() + 65)
    assert services.jobs.repairs() == {"expire": 1}
