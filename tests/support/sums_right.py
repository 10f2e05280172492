"""Whether the sums of work that the job store keeps are those of its jobs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple
from math import inf

from storage.job_store.contract import JobStore
from storage.model.job import JobState
from storage.scheduling.costs import Work
from storage.scheduling.work_sums import MICROSECONDS, Point, pieces_of
from tests.support.whole_queue import backlog, line_of, owners_jobs

_NEAR = 1e-5  # of seconds: amounts are whole microseconds
_COMPARED = 50  # jobs of whose targets the sums are asked for


def wrong_sums(store: JobStore) -> Iterator[str]:
    """Yield a sentence for each sum, count or index that is not what the jobs say. Nothing may change meanwhile."""
    works = backlog(store)
    yield from _wrong_figures(store, works)
    yield from _wrong_before(store, works)
    yield from _wrong_owners(store, works)
    yield from _wrong_indices(store, works)


def _wrong_figures(store: JobStore, works: Sequence[Work]) -> Iterator[str]:
    waiting = [work for work in works if work.waits]
    seconds = [sum(pieces_of(work).work for work in some) / MICROSECONDS for some in (works, waiting)]
    if not _alike(astuple(store.figures()), (*seconds, len(waiting), len(works))):
        yield f"the figures are {store.figures()} and not {(*seconds, len(waiting), len(works))}"


def _wrong_before(store: JobStore, works: Sequence[Work]) -> Iterator[str]:
    asked = [0.0, inf, *(target for work in works[:_COMPARED] for target in (work.start_target, work.target))]
    points = [Point(target, owner) for target in asked for owner in ("", *{work.owner for work in works})]
    for point, found, right in zip(points, store.sums(points), line_of(works).sums(points), strict=True):
        if not _alike(astuple(found), astuple(right)):
            yield f"the sums of '{point.owner}' before {point.target} are {found} and not {right}"


def _wrong_owners(store: JobStore, works: Sequence[Work]) -> Iterator[str]:
    line = line_of(works)
    for owner in {work.owner for work in works}:
        own, right = store.owners_jobs(owner), owners_jobs(works, owner)
        if not _alike((own.count, own.latest_start or 0), (right.count, right.latest_start or 0)):
            yield f"the jobs of '{owner}' are {own} and not {right}"
        least = max(0.0, line.work(owner) - 1)
        if set(store.owners_over(least)) != set(line.owners_over(least)):
            yield f"owners of more than {least} s are {store.owners_over(least)} and not {line.owners_over(least)}"


def _wrong_indices(store: JobStore, works: Sequence[Work]) -> Iterator[str]:
    unbegun = {work.job_id: work.start_target for work in works if work.waits and work.state is JobState.ENCODING}
    asked = dict(list(unbegun.items())[:_COMPARED])
    right = {job_id: 1 + sum(other < start for other in unbegun.values()) for job_id, start in asked.items()}
    if store.places(asked) != right:
        yield f"the places are {store.places(asked)} and not {right}"
    out = {work.job_id for work in works if store.out(work.job_id) or work.state is JobState.PACKAGING}
    if not out <= set(store.active()):
        yield f"{out - set(store.active())} have something out and are not active"


def _alike(found: tuple[float, ...], right: tuple[float, ...]) -> bool:
    return all(abs(one - other) < _NEAR for one, other in zip(found, right, strict=True))
