"""Rebuilding job records from the manifests in the object store, after Redis was lost entirely.

A job that has a record is left alone, so this can be killed and run again, and run while web and workers do. What a
restored job should have out at the broker, the janitor finds missing and publishes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from storage.errors import BusyError, JobNotFoundError, ManifestError, ObjectNotFoundError, RecordError
from storage.faults import note_fault
from storage.job_store.subtitle_contract import Added
from storage.model.job import JobState
from storage.objects import keys
from storage.objects.contract import ObjectStore
from storage.objects.manifests import Manifest, read_manifest
from storage.services import Services
from storage.services.queue_reading import estimate_all
from storage.services.subtitles import stored_tracks
from workers.rebuild.stored_jobs import Kept, StoredJob, latest, read_kept, resumed, stored_jobs, webhook_may_be_unsent
from workers.rebuild.surviving_results import found_results

READERS = 16  # jobs read at once: enough to hide the store's delay, too few to disturb its other users
BATCH = 256  # jobs in hand: what is held does not grow with the store

# What can become of a stored job, besides the state it is restored in.
THERE = "had a record"
NO_JOB = "never accepted, or half deleted"
BROKEN = "not restored"


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of one stored job: words to count by, and sentences about what a person should look at."""

    words: str
    troubles: tuple[str, ...] = ()


def rebuild(services: Services, say: Callable[[str], None], *, now: float) -> bool:
    """Restore every job that is stored and has no record, and `say` what became of them; False if some could not be.

    `now` is Unix seconds. Raises BusyError when a store goes away; what was restored by then stays.
    """
    services.jobs.ping()
    services.objects.ping()
    counts: Counter[str] = Counter()
    stored = stored_jobs(services.objects)
    with ThreadPoolExecutor(READERS) as pool:
        while batch := tuple(islice(stored, BATCH)):
            for restored in pool.map(partial(restore, services, now), batch):
                counts[restored.words] += 1
                for trouble in restored.troubles:
                    say(trouble)
    estimate_all(services.jobs)
    for line in summary(counts):
        say(line)
    return not counts[BROKEN]


def summary(counts: Mapping[str, int]) -> Iterator[str]:
    """Yield what became of the jobs, a line for each kind."""
    restored = [f"{counts[state]} {state}" for state in JobState if counts.get(state)]
    yield f"restored: {', '.join(restored) or 'none'}"
    for words in (THERE, NO_JOB, BROKEN):
        if counts.get(words):
            yield f"{words}: {counts[words]}"


def restore(services: Services, now: float, stored: StoredJob) -> Restored:
    """Make the record of one stored job, if it is one and has none. Raises BusyError."""
    if not stored.accepted:
        return Restored(NO_JOB)
    if _has_record(services, stored.id):
        return Restored(THERE)
    try:
        kept = read_kept(services.objects, stored)
        missing = _missing(stored, kept)
        if missing:
            return Restored(BROKEN, (*kept.troubles, *missing))
        added = stored_tracks(services.objects, stored.id, stored.keys)
        state = _make_record(services, now, latest(kept.manifests), added)
    except ObjectNotFoundError:
        return Restored(NO_JOB)  # deleted since it was listed
    except BusyError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the others are restored
        note_fault("rebuild", stored.id, error, services.jobs.count_fault)
        return Restored(BROKEN, (f"{stored.id}: {type(error).__name__}, see the log.",))
    return Restored(state or THERE, kept.troubles)


def _missing(stored: StoredJob, kept: Kept) -> tuple[str, ...]:
    """Return what of the job would be needed and is not there."""
    if not kept.manifests:
        return (f"{stored.id}: none of its manifests can be read.",)
    if latest(kept.manifests).job.state.finished or keys.original(stored.id) in stored.keys:
        return ()
    return (f"{stored.id}: its original is missing, and it is not finished.",)


def _make_record(services: Services, now: float, manifest: Manifest, added: Added) -> JobState | None:
    """Make the record and return the job's state; None if somebody else made one meanwhile.

    Subtitles may have been `added` when the manifest was written long ago, and after that.
    """
    job, results, accepted_at = replace(manifest.job, added=added), {}, None
    if not job.state.finished:
        accepted_at = _accepted_at(services.objects, job.id)
        if job.plan is not None:
            results = found_results(services.objects, job.id, job.plan, manifest.segments)
        job = resumed(job, results)
    tell = webhook_may_be_unsent(job, now)
    made = services.jobs.restore(job, manifest.segments, results, tell=tell, accepted_at=accepted_at)
    return job.state if made else None


def _accepted_at(objects: ObjectStore, job_id: str) -> float | None:
    """Return since when the job waited, which is long after its creation where its upload took long."""
    try:
        return read_manifest(objects, keys.manifest(job_id), job_id).accepted_at
    except ManifestError:
        return None  # another one of the job's was read


def _has_record(services: Services, job_id: str) -> bool:
    try:
        services.jobs.get(job_id)
    except JobNotFoundError:
        return False
    except RecordError:
        return True  # somebody is to look at it; it is not overwritten
    return True
