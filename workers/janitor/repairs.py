"""What is to be mended, decided from what is seen: pure, no store, no broker, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from storage.job_store.contract import Lease
from storage.model.job import Job
from storage.model.task import Stage, Task, is_encoded, outstanding
from storage.objects import keys

# An attempt that holds its task while nothing moves for so long will never end: the longest step without any sign of
# progress, packaging a film of 12 hours, takes less than one.
STALLED_SECONDS = 6 * 3600.0
ABANDONED_SECONDS = 24 * 3600.0  # no upload lasts longer; what is older and belongs to no job was left by a crash


class Repair(StrEnum):
    """What can be mended; the names are those of `rungs_repairs_total`."""

    PUBLISH = "publish"  # a task that should be out is neither at the broker nor held: its message was lost
    RECLAIM = "reclaim"  # as PUBLISH, and an attempt had it until its lease ran out
    RESUME = "resume"  # as PUBLISH, and its rest after a failed attempt is over
    PACKAGE = "package"  # everything is encoded, but whoever finished last died before saying so
    GIVE_UP = "give_up"  # an attempt holds on to a job in which nothing moves any more: it fails
    CLEAR = "clear"  # what a failed, cancelled or deleted job left in the object store
    ABORT = "abort"  # unfinished writes to the object store
    ORPHAN = "orphan"  # an original whose upload died before it became a job
    EXPIRE = "expire"  # an upload of which nothing came for too long


# For how many rounds in a row something must be seen before it is mended. Between the publishing of a task and its
# claim, between the end of an attempt and its answer, and until an attempt renews its lease after an outage, a task is
# for a moment in neither place: the second look tells that moment from a loss. The end of a rest is no such moment.
LOOKS = {Repair.PUBLISH: 2, Repair.RECLAIM: 2, Repair.PACKAGE: 2, Repair.RESUME: 1}


@dataclass(frozen=True, slots=True)
class Sight:
    """What the janitor sees of one job: fields of its tasks out, leases by field, (job id, field) of all messages."""

    job: Job
    out: frozenset[str]
    leases: Mapping[str, Lease]
    pending: frozenset[tuple[str, str]]


def repairs(sight: Sight) -> Iterator[tuple[Repair, Task]]:
    """Yield what is to be published anew; nothing for a job that is as it should be."""
    if is_encoded(sight.job, sight.out):
        yield Repair.PACKAGE, Task(sight.job.id, Stage.PACKAGE)
        return
    for task in outstanding(sight.job, sight.out):
        lease = sight.leases.get(task.field)
        if (task.job_id, task.field) not in sight.pending and not (lease is not None and lease.live):
            yield _loss(lease), task


def _loss(lease: Lease | None) -> Repair:
    if lease is None:
        return Repair.PUBLISH
    return Repair.RECLAIM if lease.attempt else Repair.RESUME


def is_stalled(leases: Mapping[str, Lease], idle_seconds: float) -> bool:
    """Tell whether an attempt holds on to a job in which nothing has moved for too long.

    A job that only waits, for encoders that are switched off or behind other jobs, may wait for ever.
    """
    return idle_seconds > STALLED_SECONDS and _is_worked_on(leases)


def may_be_cleared(leases: Mapping[str, Lease]) -> bool:
    """Tell whether no attempt can write objects of the ended job any more."""
    return not _is_worked_on(leases)


def lone_originals(found: Iterable[str]) -> frozenset[str]:
    """Return the ids of the originals that nothing lies beside, given all keys of originals.

    Whatever else is there, a manifest above all, is what `rungs rebuild` restores a job from: those are never orphans.
    """
    by_job: dict[str, set[str]] = {}
    for key in found:
        by_job.setdefault(key.split("/")[1], set()).add(key)
    return frozenset(job_id for job_id, beside in by_job.items() if beside == {keys.original(job_id)})


def _is_worked_on(leases: Mapping[str, Lease]) -> bool:
    return any(lease.live and lease.attempt for lease in leases.values())
