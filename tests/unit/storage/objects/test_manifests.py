"""Manifests survive the way to the store and back, and go first when a job is deleted."""

from __future__ import annotations

import json

import pytest

from storage.errors import ManifestError, ObjectNotFoundError, ObjectStoreDownError
from storage.model.job import Job, JobError, JobState, Output
from storage.model.job_warnings import JobWarning, warning
from storage.objects import keys
from storage.objects.local import LocalObjectStore
from storage.objects.manifests import Manifest, delete_job_objects, put_manifest, read_manifest
from storage.services import Services
from tests.support.jobs import CREATED_AT, make_job, make_plan, make_segments

PLAN = make_plan(segments=3)
JOBS = (
    make_job(webhook_url="https://example.org/hook?a=1&b=%C3%BC", created_at=CREATED_AT + 1 / 3),
    make_job(
        state=JobState.ENCODING,
        plan=PLAN,
        started_at=CREATED_AT + 0.000001,
        warnings=(JobWarning("x", "Zwölf \u2028"), warning("video_left_out", n=2)),
    ),
    make_job(
        state=JobState.FAILED,
        finished_at=CREATED_AT + 1e-6,
        outputs=(Output("480p", 2**50),),
        error=JobError("decode_failed", "It broke.", "\x00\x1b[31m" * 1000),
    ),
)


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.state)
def test_manifests_survive(own_services: Services, job: Job) -> None:
    """Every field comes back equal, times to the last digit."""
    segments = make_segments(PLAN) if job.plan is not None else ()
    manifest = Manifest(job=job, segments=segments, sha256="0" * 64, accepted_at=CREATED_AT + 1e-6)
    put_manifest(own_services.objects, keys.ended(job.id), manifest)
    assert read_manifest(own_services.objects, keys.ended(job.id), job.id) == manifest


def test_the_first_manifest_says_what_came_in(own_services: Services) -> None:
    """People and other programs find its version, name, size, owner, time and checksum."""
    job = JOBS[0]
    put_manifest(own_services.objects, keys.manifest(job.id), Manifest(job=job, sha256="ab" * 32))
    told = json.loads(b"".join(own_services.objects.read(keys.manifest(job.id))))
    assert (told["version"], told["sha256"]) == (2, "ab" * 32)
    shown = {"id", "owner", "title", "filename", "size", "created_at", "webhook_url"}
    assert {name: told["job"][name] for name in shown} == {name: getattr(job, name) for name in shown}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "JSON: Invalid JSON"),
        ("[1]", "JSON: Input should be"),
        ('{"version": 3, "job": {}}', "version: Input should be 2"),
        ('{"version": 2, "job": {"id": 5}}', "job.id: Input should be a valid string"),
        (json.dumps({"version": 2, "job": {}}), "job.id: Field required"),
        ("[" * 100_000, "JSON: Invalid JSON"),
    ],
    ids=["empty", "a list", "from the future", "wrong type", "no job", "deep"],
)
def test_what_is_no_manifest_is_named(own_services: Services, text: str, said: str) -> None:
    """The error says which object, what of it, and why."""
    job_id = JOBS[0].id
    own_services.objects.put_bytes(keys.manifest(job_id), text.encode(), content_type="application/json")
    with pytest.raises(ManifestError) as caught:
        read_manifest(own_services.objects, keys.manifest(job_id), job_id)
    assert caught.value.detail.startswith(f"{keys.manifest(job_id)}: {said}")


def test_a_manifest_of_another_job_is_refused(own_services: Services) -> None:
    """A folder that was copied by hand does not become the job it was copied from."""
    put_manifest(own_services.objects, keys.manifest(JOBS[1].id), Manifest(job=JOBS[0]))
    with pytest.raises(ManifestError, match=f"belongs to job {JOBS[0].id}"):
        read_manifest(own_services.objects, keys.manifest(JOBS[1].id), JOBS[1].id)
    with pytest.raises(ObjectNotFoundError):
        read_manifest(own_services.objects, keys.ended(JOBS[1].id), JOBS[1].id)


@pytest.mark.parametrize("at", [-1.0, 1e300])
def test_no_job_was_accepted_at_a_time_that_is_none(own_services: Services, at: float) -> None:
    """Its place among all others would be nonsense."""
    put_manifest(own_services.objects, keys.manifest(JOBS[0].id), Manifest(job=JOBS[0], accepted_at=at))
    with pytest.raises(ManifestError, match="accepted_at"):
        read_manifest(own_services.objects, keys.manifest(JOBS[0].id), JOBS[0].id)


class _Breaking(LocalObjectStore):
    """An object store that goes away after its first deletion."""

    deletions = 0

    def delete_prefix(self, prefix: str) -> int:
        self.deletions += 1
        if self.deletions > 1:
            raise ObjectStoreDownError(detail="The store is away.")
        return super().delete_prefix(prefix)


def test_a_deletion_that_breaks_off_leaves_no_manifest(own_services: Services) -> None:
    """What is left of the job is nobody's, and no rebuild brings it back."""
    root = own_services.objects.local_path("originals")
    assert root is not None
    job_id = JOBS[0].id
    for key in (keys.original(job_id), keys.manifest(job_id), keys.ended(job_id), keys.rendition(job_id, "poster.jpg")):
        own_services.objects.put_bytes(key, b"x", content_type="application/json")
    with pytest.raises(ObjectStoreDownError):
        delete_job_objects(_Breaking(root.parent), job_id)
    left = set(own_services.objects.keys(""))
    assert left == {keys.original(job_id), keys.ended(job_id), keys.rendition(job_id, "poster.jpg")}
    delete_job_objects(own_services.objects, job_id)
    assert list(own_services.objects.keys("")) == []
