"""Manifests: a job as JSON beside its original, so that its record can be made again when Redis is lost.

Three are kept, each a whole job, so that the last one there is enough: as it was accepted (by the web service, before
it answers), as it was planned (by the planner, before the first segment) and as it ended (by the janitor, just after).
Each is written once a run and replaced whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError

from storage.errors import ManifestError, RecordError
from storage.model.event import Event
from storage.model.job import Job, JobState
from storage.model.job_warnings import Warnings
from storage.model.plan import Plan, Segment
from storage.model.record_checks import LATEST, check_job, check_segment, expect, spoiled
from storage.objects import keys
from storage.objects.contract import ObjectStore

# A film of twelve hours in thousands of segments is some megabytes; what is larger is no manifest of ours.
LONGEST_BYTES = 64 * 1024**2
VERSION: Final = 2  # 1 held the upload's fields only, with rounded times


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A job as it was at one moment.

    The first one has the original's `sha256` if it came as a form, and since when the job waits, `accepted_at` in Unix
    seconds (None: since it was created). The second one has its `segments`, the last one its `events` and how many
    attempts at each task were counted.
    """

    version: Literal[2] = VERSION
    job: Job
    segments: tuple[Segment, ...] = ()
    sha256: str = ""
    accepted_at: float | None = None
    events: tuple[Event, ...] = ()
    attempts: Mapping[str, int] = field(default_factory=dict, hash=False)


_MANIFEST = TypeAdapter(Manifest)


def put_manifest(objects: ObjectStore, key: str, manifest: Manifest) -> None:
    """Write the manifest under one of the job's three keys; it is durable when this returns."""
    objects.put_bytes(key, _MANIFEST.dump_json(manifest, indent=1), content_type="application/json")


def read_manifest(objects: ObjectStore, key: str, job_id: str, *, most: int = LONGEST_BYTES) -> Manifest:
    """Return the job's manifest under one of its keys, of at most so many bytes.

    Raises ObjectNotFoundError, and ManifestError when it cannot be read or is another job's.
    """
    data = b"".join(objects.read(key, length=most + 1))
    if len(data) > most:
        raise ManifestError(detail=f"{key}: longer than any manifest.")
    try:
        manifest = _MANIFEST.validate_json(data)
    except RecursionError as error:
        raise ManifestError(detail=f"{key}: too deep for any manifest.") from error
    except ValidationError as error:
        issue = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in issue["loc"]) or "JSON"
        raise ManifestError(detail=f"{key}: {place}: {issue['msg']}") from error
    try:
        check_job(manifest.job)
        with spoiled(job_id):
            expect(manifest.accepted_at is None or 0 <= manifest.accepted_at <= LATEST, "accepted_at")
        for segment in manifest.segments:
            check_segment(segment, job_id)
    except RecordError as error:
        raise ManifestError(detail=f"{key}: {error.detail}") from error
    if manifest.job.id != job_id:
        raise ManifestError(detail=f"{key}: belongs to job {manifest.job.id}.")
    return manifest


def save_planned(objects: ObjectStore, job: Job, plan: Plan, segments: tuple[Segment, ...], warnings: Warnings) -> None:
    """Write the manifest of a job that is about to be encoded by this plan.

    It comes before the first segment, or segments would be found that belong to no plan.
    """
    planned = replace(job, state=JobState.ENCODING, plan=plan, warnings=warnings)
    put_manifest(objects, keys.planned(job.id), Manifest(job=planned, segments=segments))


def forget_run(objects: ObjectStore, job_id: str) -> None:
    """Remove what is there of the job's last run, before it starts again.

    How it ended goes first, so that a rebuild starts it again too. The new run may cut its segments otherwise and would
    not replace all that the janitor has not come to yet.
    """
    for prefix in (keys.ended(job_id), keys.planned(job_id), keys.renditions(job_id)):
        objects.delete_prefix(prefix)


def delete_job_objects(objects: ObjectStore, job_id: str) -> None:
    """Remove all objects of a job.

    The manifest goes first: a deletion that breaks off leaves objects that nobody knows, which the janitor removes.
    The other way round it would leave a job that a rebuild brings back without its original.
    """
    objects.delete_prefix(keys.manifest(job_id))
    objects.delete_prefix(keys.renditions(job_id))
    delete_originals(objects, job_id)


def delete_originals(objects: ObjectStore, job_id: str) -> None:
    """Remove all that came in of a job; the parts of the original first, since it tells of them."""
    for prefix in (keys.upload_parts(job_id), keys.originals(job_id), keys.upload(job_id)):
        objects.delete_prefix(prefix)
