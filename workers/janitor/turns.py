"""Whose turn it is: all unfinished jobs are looked at when a janitor begins, and then again some in each round.

What changes is in the index of active jobs and seen at once. The turn finds what no index tells: records of an earlier
version, and what somebody changed by hand.
"""

from __future__ import annotations

from collections.abc import Sequence

from storage.faults import of_one_job
from storage.job_store.contract import JobStore
from storage.services.queue_reading import estimate_anew, read_queue, works_of

# Of ten thousand jobs each is looked at every seven minutes, for 2 % of a core; the first time within a minute, so that
# rounds stay short beside the time for which the janitor has its role.
TURN_JOBS, FIRST_TURN_JOBS = 50, 500


class LookedAt:
    """The place up to which a janitor has looked."""

    def __init__(self) -> None:
        self._behind = 0
        self._first = True

    def next_ids(self, store: JobStore) -> tuple[str, ...]:
        """Return the ids whose turn it is: many at a time until each had one."""
        most = FIRST_TURN_JOBS if self._first else TURN_JOBS
        found = store.unfinished(most, behind=self._behind)
        ended = len(found) < most
        self._behind = 0 if ended else self._behind + most
        self._first = self._first and not ended
        return found


def keep_estimates(store: JobStore, active: Sequence[str], turn: Sequence[str]) -> None:
    """Bring up to date what is expected of the jobs; those whose turn it is, or of which nothing is out, count anew."""
    ids = tuple(dict.fromkeys([*active, *turn]))
    works = works_of(store, ids)
    if works:
        estimate_anew(store, read_queue(store, encoders=1).outlook, works)
    idle = (work.job_id for work in works if not (work.out or work.held))
    for job_id in dict.fromkeys([*turn, *idle]):
        with of_one_job("estimate", job_id, store.count_fault):
            store.estimate(job_id, None)
