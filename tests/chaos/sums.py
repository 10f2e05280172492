"""Are the sums that the job store keeps those of its jobs? To be asked while nobody changes anything.

A sum that is changed with each change of a job goes wrong for good if a single change is missed or made twice.
"""

from __future__ import annotations

from collections.abc import Iterator

from storage.job_store.contract import JobStore
from storage.model.job import JobState
from tests.support.sums_right import wrong_sums
from tests.support.whole_queue import backlog


def wrong_now(jobs: JobStore, when: str) -> Iterator[str]:
    """Yield a sentence for each figure that is kept otherwise than all jobs say."""
    yield from (f"{when}: {sentence}" for sentence in wrong_sums(jobs))
    totals, counts, works = jobs.totals(), jobs.counts(), backlog(jobs)
    waiting = sum(work.state is JobState.QUEUED for work in works)
    kept = (totals.arrived - totals.ended, counts.waiting, counts.active)
    counted = (len(works), waiting, len(works) - waiting)
    if kept != counted:
        yield f"{when}: unfinished, waiting and active jobs are {kept} and not {counted}"
