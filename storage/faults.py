"""One job's fault stays that job's: loops over many jobs go on with the next one, and say whose fault it was.

Every loop of a service over jobs, messages or notices does what it does for one of them inside `of_one_job`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from storage.errors import BusyError, JobNotFoundError, ObjectNotFoundError

# So many faults are remembered, so that one that comes again with each round does not fill the log.
_REMEMBERED = 1000
_told: dict[tuple[str, str, str], None] = {}
_log = structlog.get_logger()


@contextmanager
def of_one_job(place: str, job_id: str, count: Callable[[str], None]) -> Iterator[None]:
    """Go on behind the context where it failed for this job: the fault is logged with its id and counted by `place`.

    What a deletion took in the meantime is gone, and no fault. Raises BusyError: an outage is nobody's fault.
    """
    try:
        yield
    except BusyError:
        raise
    except (JobNotFoundError, ObjectNotFoundError) as error:
        _log.debug("gone meanwhile", place=place, job=job_id, error=str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, the others are not to suffer for it
        note_fault(place, job_id, error, count)


def note_fault(place: str, job_id: str, error: Exception, count: Callable[[str], None]) -> None:
    """Log the fault of this job, once, and count it. Raises BusyError where it cannot be counted."""
    known = (place, job_id, f"{type(error).__name__}: {error}")
    if known not in _told:
        _log.error("one job's fault", place=place, job=job_id, exc_info=error)
        while len(_told) >= _REMEMBERED:
            del _told[next(iter(_told))]
        _told[known] = None
    count(place)
