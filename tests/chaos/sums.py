"""Are the sums that the job store keeps those of its records? To be asked while nobody changes anything.

A sum that is changed with each change of a job goes wrong for good if a single change is missed or made twice. So what
is kept is held against what is counted anew from every record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from storage.job_store.contract import JobStore
from storage.model.job import JobState


@dataclass(frozen=True, slots=True)
class Sums:
    """Figures by name: as the store keeps them, and as counted anew from the records."""

    kept: Mapping[str, float]
    counted: Mapping[str, float]


def sums_of(jobs: JobStore) -> Sums:
    """Read everything of which the store keeps a sum, and the same from its records."""
    totals, counts, backlog = jobs.totals(), jobs.counts(), jobs.backlog()
    waiting = sum(work.state is JobState.QUEUED for work in backlog)
    return Sums(
        kept={
            "unfinished jobs": totals.arrived - totals.ended,
            "waiting jobs": counts.waiting,
            "active jobs": counts.active,
        },
        counted={
            "unfinished jobs": len(backlog),
            "waiting jobs": waiting,
            "active jobs": len(backlog) - waiting,
        },
    )


def wrong_sums(sums: Sums, when: str) -> Iterator[str]:
    """Yield a sentence for each figure that is kept otherwise than it is counted."""
    for name in sorted({*sums.kept, *sums.counted}):
        kept, counted = sums.kept.get(name), sums.counted.get(name)
        if kept != counted:
            yield f"{name}, {when}: {kept} kept, {counted} counted"
