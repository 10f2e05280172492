"""What the object store tells of a job whose record is gone: which of its manifests counts, and where it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from storage.errors import ManifestError
from storage.model.job import Job, JobState, is_job_id
from storage.model.task import Results, Stage, Task
from storage.objects import keys
from storage.objects.contract import ObjectStore
from storage.objects.manifests import Manifest, read_manifest

# Whether a webhook was told of an end is not saved. Who ended lately is told once more: longer than the notifier tries,
# and than it takes somebody to notice that Redis is gone.
TOLD_AGAIN_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class StoredJob:
    """What lies in one folder under `originals/`: the folder's name, an id if it is a job of ours, and all keys."""

    id: str
    keys: frozenset[str]

    @property
    def accepted(self) -> bool:
        """Tell whether this is a job: its manifest is written last before the upload is answered, and deleted first."""
        return is_job_id(self.id) and keys.manifest(self.id) in self.keys


@dataclass(frozen=True, slots=True)
class Kept:
    """A job's manifests that count, and a sentence for each that cannot be read."""

    manifests: tuple[Manifest, ...]
    troubles: tuple[str, ...]


def stored_jobs(objects: ObjectStore) -> Iterator[StoredJob]:
    """Yield the folders under `originals/`, one after the other as the store lists them."""
    for name, group in groupby(objects.keys(keys.ORIGINALS), key=lambda key: key.split("/")[1]):
        yield StoredJob(name, frozenset(group))


def has_jobs(objects: ObjectStore) -> bool:
    """Tell whether the store holds any job that could be restored."""
    return any(stored.accepted for stored in stored_jobs(objects))


def read_kept(objects: ObjectStore, stored: StoredJob) -> Kept:
    """Read the manifests of the job's runs, or where none of them can be read, the one it was accepted with.

    Raises ObjectNotFoundError when they are being deleted.
    """
    manifests: list[Manifest] = []
    troubles: list[str] = []
    accepted = keys.manifest(stored.id)
    for key in (keys.ended(stored.id), keys.planned(stored.id), accepted):
        if key not in stored.keys or (key == accepted and manifests):
            continue
        try:
            manifests.append(read_manifest(objects, key, stored.id))
        except ManifestError as error:
            troubles.append(error.detail)
    return Kept(tuple(manifests), tuple(troubles))


def latest(manifests: Iterable[Manifest]) -> Manifest:
    """Return the manifest that tells how far the job's last run got: its end if it has one.

    An end of an earlier run may have been saved late, when the job was started again already.
    """
    return max(manifests, key=lambda manifest: (_run_of(manifest.job), manifest.job.state.finished))


def resumed(job: Job, results: Results) -> Job:
    """Return the unfinished job as it goes on: from its plan with these results, without a plan from the beginning."""
    if job.plan is None:
        return replace(job, state=JobState.QUEUED, started_at=None)
    done = [index for index in range(job.plan.segment_count) if Task(job.id, Stage.SEGMENT, index).field in results]
    return replace(
        job,
        state=JobState.ENCODING,
        encoding_at=None,  # or the time without Redis would count as work in the measured rates
        frames_done=sum(results[Task(job.id, Stage.SEGMENT, index).field]["frames"] for index in done),
        issued=done[-1] + 1 if done else 0,
        has_poster=Task(job.id, Stage.POSTER).field in results,
        subtitles_made=None,  # they are read again
        playable=False,  # the store finds out from the results
    )


def webhook_may_be_unsent(job: Job, now: float) -> bool:
    """Tell whether the job's webhook may not have been told of its end; `now` is Unix seconds."""
    return job.finished_at is not None and now - job.finished_at < TOLD_AGAIN_SECONDS


def _run_of(job: Job) -> float:
    """Return what the runs of a job sort by; the job as it was accepted comes before all."""
    return job.started_at or job.finished_at or 0.0
