"""Jobs of uploads that are not whole, over a real Redis and a local store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from storage.errors import JobNotFoundError, ObjectStoreDownError, TransitionError
from storage.model.job import Job, JobState, Promise
from storage.model.upload import Upload
from storage.objects import keys
from storage.objects.manifests import Manifest, delete_job_objects, put_manifest
from storage.services import Services
from storage.services.holding import Holding
from storage.services.upload_jobs import begin, cancel, is_whole
from storage.services.uploads import arrived, complete, job_of, job_to_be, upload_of
from storage.upload_errors import UploadEndedError, UploadNotFoundError, UploadTakenError
from tests.support.uploads import begun

FILM = b"whole one"


@pytest.fixture
def services(own_services: Services) -> Services:
    """Give parts of the test's own."""
    return own_services


def begun_with_job(services: Services, data: bytes = b"half") -> Upload:
    """Return an upload of which these bytes have come, with its job."""
    upload = begun(services, data)
    services.jobs.create(job_to_be(upload))
    return upload


def test_an_upload_begins_with_its_job(services: Services) -> None:
    """Which shows what was announced, and was created then; bytes of which nothing was said count as none."""
    upload = replace(begun(services, b""), length=None)
    begin(services, upload)
    job = services.jobs.get(upload.id)
    assert (job.state, job.size, job.created_at, job.title) == ("uploading", 0, upload.created_at, "film")
    assert (upload_of(services.objects, upload.id), len(services.jobs.open_uploads())) == (upload, 1)
    assert not is_whole(services, upload)


def test_a_job_that_the_janitor_found_first(services: Services) -> None:
    """Between the two steps of its making: it is the same one."""
    upload = begun_with_job(services, b"")
    begin(services, upload)
    assert services.jobs.get(upload.id) == job_to_be(upload)


def test_a_job_that_was_lost_is_made_again(services: Services) -> None:
    """By whoever meets its upload; not where the upload was whole, for that one is to be rebuilt."""
    upload, accepted = begun(services, b"half"), begun(services, b"half")
    put_manifest(services.objects, keys.manifest(accepted.id), Manifest(job=job_to_be(accepted)))
    for one in (upload, upload, accepted):
        assert not is_whole(services, one)
    assert services.jobs.get(upload.id) == job_to_be(upload)
    with pytest.raises(JobNotFoundError):
        services.jobs.get(accepted.id)


@pytest.mark.parametrize("known", [True, False])
def test_a_whole_upload_becomes_its_job(services: Services, *, known: bool) -> None:
    """With its size, a promise, and the creation of its upload, also where Redis does not know it."""
    upload = begun_with_job(services, FILM) if known else begun(services, FILM)
    made = complete(services, upload, promise=lambda size: Promise(size, 2.0 * size))
    job = services.jobs.get(upload.id)
    assert (made.state, made.id) == (job.state, job.id) == (JobState.QUEUED, upload.id)
    assert (job.size, job.created_at, job.promise) == (9, upload.created_at, Promise(9.0, 18.0))
    assert is_whole(services, upload)
    assert complete(services, upload).state is JobState.QUEUED
    assert services.jobs.totals().arrived == 1
    assert (list(services.objects.keys(keys.UPLOADS)), services.jobs.open_uploads()) == ([], ())


def test_cancelling_ends_the_upload(services: Services) -> None:
    """Whoever receives it stores nothing more, and nothing is left; whoever goes on with it finds it gone."""
    upload = begun_with_job(services)
    receiver = Holding(services.jobs, upload).take()
    receiver.leave()
    assert cancel(services, upload.id).state is JobState.CANCELLED
    with pytest.raises(UploadTakenError):
        receiver.look()
    assert (list(services.objects.keys("")), services.jobs.open_uploads()) == ([], ())
    with pytest.raises(UploadNotFoundError):
        is_whole(services, upload)


def test_a_job_that_is_whole_is_cancelled_as_it_was(services: Services) -> None:
    """Its original stays, so that it can be started again."""
    upload = begun_with_job(services, FILM)
    complete(services, upload)
    with pytest.raises(TransitionError):
        cancel(services, upload.id, if_in=JobState.UPLOADING)
    assert cancel(services, upload.id).state is JobState.CANCELLED
    assert arrived(services.objects, upload.id).size == len(FILM)
    assert services.jobs.move(upload.id, JobState.QUEUED).state is JobState.QUEUED


@pytest.mark.parametrize("at", ["promise", "estimate"])
def test_the_last_byte_and_a_cancellation_at_once(services: Services, at: str) -> None:
    """One of the two wins: either nothing is left, or a job that is whole was cancelled."""
    upload = begun_with_job(services, FILM)

    def cancelled(_: int | Job) -> None:
        cancel(services, upload.id)

    with suppress(UploadNotFoundError):
        complete(services, upload, **{at: cancelled})
    job = services.jobs.get(upload.id)
    assert (job.state, job.incomplete) == (JobState.CANCELLED, at == "promise")
    stored = {keys.original(upload.id), keys.manifest(upload.id)}
    assert set(services.objects.keys("")) == (set() if job.incomplete else stored)


def test_the_last_byte_and_a_deletion_at_once(services: Services) -> None:
    """The job does not come back."""
    upload = begun_with_job(services, FILM)

    def deleted(_: int) -> None:
        cancel(services, upload.id)
        delete_job_objects(services.objects, upload.id)
        services.jobs.delete(upload.id)

    with pytest.raises(UploadEndedError):
        complete(services, upload, promise=deleted)
    assert (list(services.objects.keys("")), job_of(services, upload.id)) == ([], None)


def test_a_store_that_is_away_does_not_keep_a_job_from_being_cancelled(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left is the janitor's; the job is over."""
    upload = begun_with_job(services)
    monkeypatch.setattr(services.objects, "delete_prefix", _away)
    assert cancel(services, upload.id).state is JobState.CANCELLED
    assert services.jobs.leftovers(9) == (upload.id,)


def _away(_: str) -> Callable[[], None]:
    raise ObjectStoreDownError
