"""Whole uploads without a job: the web service makes them jobs, over a real Redis and a local store."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from storage.job_store.upload_contract import QUIET_SECONDS
from storage.model.job import Job, Promise
from storage.objects import keys
from storage.services import Services
from storage.services.uploads import note_open
from tests.support.jobs import created
from tests.support.uploads import begun
from web.upload.finishing import finish_whole

PROMISE = Promise(1.0, 2.0)


@pytest.fixture
def services(own_services: Services) -> Services:
    """Give parts that know a job: an empty Redis may be a new one."""
    created(own_services.jobs)
    return own_services


def finished(services: Services, later: float = QUIET_SECONDS + 5) -> list[Job]:
    """Let the web service look, so many seconds later."""
    now = time.time() + later
    return list(finish_whole(services, now=now, promise=lambda *_: PROMISE, estimate=lambda _: None))


def test_a_whole_upload_becomes_its_job(services: Services) -> None:
    """Once the process that received it has had the time to do that itself; and nothing is left of the upload."""
    upload = begun(services, b"whole one")
    note_open(services, upload, 9, now=time.time())
    assert finished(services, 0) == []
    (job,) = finished(services)
    assert services.jobs.get(upload.id).size == job.size == 9
    assert (job.filename, job.title, job.owner, job.promise) == ("film.mp4", "film", "local", PROMISE)
    assert b"".join(services.objects.read(keys.original(upload.id))) == b"whole one"
    assert list(services.objects.keys(keys.UPLOADS)) == []
    assert services.jobs.open_uploads() == ()
    assert finished(services) == []


def test_what_was_left_half_done_is_finished(services: Services) -> None:
    """Its parts are the original already, or the job is there, too: each step is made once."""
    first, second = begun(services, b"whole one"), begun(services, b"whole two")
    for upload in (first, second):
        note_open(services, upload, 9, now=time.time())
        services.objects.incoming.finish(upload.id, keys.original(upload.id), content_type="video/mp4")
    job = created(services.jobs)
    services.jobs.create(replace(job, id=second.id))
    finished(services)
    assert services.jobs.get(first.id).size == 9
    assert services.jobs.get(second.id).created_at == job.created_at
    assert list(services.objects.keys(keys.UPLOADS)) == []


def test_what_is_not_whole_waits(services: Services) -> None:
    """Whatever Redis says of it: what is stored counts."""
    for data, length in ((b"half", 9), (b"any", None)):
        note_open(services, replace(begun(services, data, length=length), length=None), 9, now=time.time())
    assert finished(services) == []
    assert len(services.jobs.open_uploads()) == 2


def test_an_empty_redis_makes_no_job_of_what_may_be_one(own_services: Services) -> None:
    """A rebuild brings that back as it was."""
    note_open(own_services, begun(own_services, b"whole one"), 9, now=time.time())
    assert finished(own_services) == []


def test_an_upload_that_ended_meanwhile_is_no_fault(services: Services) -> None:
    """Nor is one that is a job by now."""
    upload = begun(services, b"whole one")
    note_open(services, upload, 9, now=time.time())
    services.objects.delete_prefix(keys.upload(upload.id))
    assert finished(services) == []
    assert services.jobs.faults() == {}
