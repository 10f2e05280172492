"""Jobs, watched until nothing more happens to them.

Their JSON is asked for again and again, rather than followed by Server-Sent Events: one short request at a time does
for any number of jobs, where each stream would hold a connection and a thread of the server; proxies that gather or
cut streams change nothing; and the job's JSON has its place and its times as they are now, which no event announces.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Protocol

from web.client.answers import SeenJob, WholeJob
from web.client.failures import ClientError, RefusedError, UnreachableError
from web.client.retrying import Failed, Tries, decide
from web.client.server import RemoteServer
from web.client.statuses import Status

SOON_SECONDS = 1.0  # a bar that moves once a second looks alive
LATER_SECONDS = 5.0  # a place in the line changes no faster
NEAR_SECONDS = 30.0  # before its turn a job is watched closely


class JobTeller(Protocol):
    """Whoever is told how jobs are."""

    def job(self, seen: SeenJob, document: dict[str, Any]) -> None:
        """A job has changed."""

    def unreached(self, error: ClientError, seconds: float) -> None:
        """The server will be asked again in so many seconds."""


def pause(jobs: Iterable[SeenJob]) -> float:
    """Return in how many seconds to look at these unfinished jobs again. Pure."""
    moving = (job for job in jobs if job.upload is None or job.upload.moving)
    near = (job.starts_in_seconds is None or job.starts_in_seconds < NEAR_SECONDS for job in moving)
    return SOON_SECONDS if any(near) else LATER_SECONDS


def watch(server: RemoteServer, ids: Iterable[str], told: JobTeller) -> dict[str, SeenJob | ClientError]:
    """Return how each job ended; an error for one that is not there. Raises UnreachableError after long patience."""
    wanted, documents = tuple(dict.fromkeys(ids)), dict[str, dict[str, Any]]()
    found: dict[str, SeenJob | ClientError] = {}
    while True:
        for job_id in [job_id for job_id in wanted if goes_on(found.get(job_id))]:
            try:
                document = patient(server, job_id, told, reached=bool(found))
            except RefusedError as error:
                if error.status != Status.NOT_FOUND:
                    raise
                found[job_id] = error
                continue
            found[job_id] = seen = server.seen(WholeJob, document)
            if document != documents.get(job_id):
                documents[job_id] = document
                told.job(seen, document)
        unfinished = [job for job in found.values() if isinstance(job, SeenJob) and not job.is_over]
        if not unfinished:
            return found
        time.sleep(pause(unfinished))


def goes_on(known: SeenJob | ClientError | None) -> bool:
    """Tell whether the job has to be asked for again."""
    return known is None or (isinstance(known, SeenJob) and not known.is_over)


def patient(server: RemoteServer, job_id: str, told: JobTeller, *, reached: bool) -> dict[str, Any]:
    """Return the job's JSON; a server that was `reached` before may be away for a while.

    Raises RefusedError, UnreachableError.
    """
    tries, since = Tries(reached=reached), time.monotonic()
    while True:
        try:
            return server.json("GET", f"/api/jobs/{job_id}")
        except (RefusedError, UnreachableError) as error:
            failed = Failed(error.status, error.retry_after) if isinstance(error, RefusedError) else Failed(None)
            tries = replace(tries, stuck_seconds=time.monotonic() - since)
            again = decide(failed, tries, chance=random.random())  # noqa: S311 - no secret
            if again is None:
                raise
            told.unreached(error, again.seconds)
            time.sleep(again.seconds)
            tries = replace(tries, failures=tries.failures + 1)
