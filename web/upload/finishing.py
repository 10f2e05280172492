"""Whole uploads whose web process died before it made them jobs: another one does it, and so does the next start."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import structlog

from storage.errors import BusyError
from storage.faults import of_one_job
from storage.job_store.upload_contract import QUIET_SECONDS
from storage.model.event import NO_EVENT
from storage.model.job import Job, Promise
from storage.services import Services
from storage.services.holding import held
from storage.services.uploads import arrived, complete, upload_of
from storage.upload_errors import UploadNotFoundError

ROUND_SECONDS = 20.0

_log = structlog.get_logger(__name__)


def finish_whole(
    services: Services,
    *,
    now: float,
    promise: Callable[[str, int], Promise | None],
    estimate: Callable[[Job], object],
) -> Iterator[Job]:
    """Make jobs of the uploads that are known to be whole and that nobody receives; `now` is Unix seconds.

    `promise` is given the owner and the bytes. A Redis that knows no job may be a new one: then a rebuild comes first.
    """
    quiet = [one for one in services.jobs.open_uploads() if not one.left and now - one.at > QUIET_SECONDS]
    if not quiet or services.jobs.last_event_id() == NO_EVENT:
        return
    for one in quiet:
        job = None
        with of_one_job("upload", one.id, services.jobs.count_fault):
            job = _finished(services, one.id, promise, estimate)
        if job is not None:
            yield job


def _finished(
    services: Services,
    upload_id: str,
    promise: Callable[[str, int], Promise | None],
    estimate: Callable[[Job], object],
) -> Job | None:
    try:
        upload = upload_of(services.objects, upload_id)
    except UploadNotFoundError:
        return None  # it is a job already, or ended
    if upload.lacks(arrived(services.objects, upload_id).size):
        return None
    with suppress(UploadNotFoundError), held(services.jobs, upload) as holding, holding.beating():
        return complete(services, upload, promise=lambda size: promise(upload.owner, size), estimate=estimate)
    return None


def finish_in_rounds(finish: Callable[[], Iterator[Job]], stopping: Callable[[], bool]) -> None:
    """Look every ROUND_SECONDS until the service stops; an outage skips a round."""
    while not stopping():
        try:
            for job in finish():
                _log.warning("a whole upload was made a job", job=job.id)
        except BusyError as error:
            _log.debug("uploads are not looked at", reason=error.detail)
        time.sleep(ROUND_SECONDS)
