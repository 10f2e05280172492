"""Making a whole upload a job: what the web service does at once, and the janitor for one whose web process died."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from storage.errors import JobExistsError, JobStoreDownError, ObjectStoreDownError
from storage.model.job import Job
from storage.objects import keys
from storage.objects.manifests import Manifest, put_manifest
from storage.services import Services
from storage.services.dispatch import dispatch_or_leave

_log = structlog.get_logger(__name__)


def accept(
    services: Services, job: Job, *, sha256: str, estimate: Callable[[Job], object], undo: Callable[[], object]
) -> None:
    """Make the job, whose original is stored, and publish its first task; `estimate` is called once it is there.

    The manifest comes before the record, so that an accepted job can always be rebuilt. Raises BusyError if one of the
    stores went away. If that is the object store, `undo` is called. If it is the job store, the original stays: the
    record may be there, and only the word of it was lost. If not, the janitor removes it in the end. Raises
    TransitionError if the job of this id ended before its upload was whole.
    """
    objects = services.objects
    with _or_undone(undo):
        put_manifest(objects, keys.manifest(job.id), Manifest(job=job, sha256=sha256, accepted_at=time.time()))
    # A job that nobody was promised is not to be restored.
    with _or_undone(lambda: objects.delete_prefix(keys.manifest(job.id))):
        _create(services, job)
    estimate(job)
    dispatch_or_leave(services)  # a broker that is away is no reason to refuse an upload


def _create(services: Services, job: Job) -> None:
    """Create the record; once more if the answer was lost, since a job without its objects is worse than a delay."""
    try:
        services.jobs.create(job)
    except JobExistsError:
        return  # nobody else knows this id: an earlier try of the store's own went through
    except JobStoreDownError:
        try:
            services.jobs.create(job)
        except JobExistsError:
            return


@contextmanager
def _or_undone(undo: Callable[[], object]) -> Iterator[None]:
    """Call `undo` if the upload is refused in the block."""
    try:
        yield
    except BaseException:
        try:
            undo()
        except ObjectStoreDownError as error:
            _log.warning("objects of a refused upload are left behind", error=error.message, detail=error.detail)
        raise
