"""Lists, positions and counts of the JobStore contract, on a real Redis."""

from __future__ import annotations

import pytest

from storage.errors import InvalidRequestError
from storage.job_store.contract import JobStore
from storage.job_store.queue_contract import QueueCounts
from storage.model.job import Job, JobState
from tests.support.jobs import CREATED_AT, created, position


def test_pages_go_from_new_to_old_and_end(job_store: JobStore) -> None:
    """Every job comes exactly once, even those created at the same moment, and others' jobs never."""
    mine = [created(job_store, created_at=CREATED_AT + number // 3) for number in range(10)]
    created(job_store, owner="somebody else")
    seen: list[Job] = []
    cursor: str | None = None
    while True:
        page = job_store.page(owner="local", state=None, limit=4, cursor=cursor)
        seen += page.jobs
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == sorted(mine, key=lambda job: (job.created_at, job.id), reverse=True)
    assert job_store.page(owner="local", state=None, limit=10, cursor=None).cursor is None


def test_jobs_of_all_states_are_one_list(job_store: JobStore) -> None:
    """Each stands by its creation, whatever became of it, page after page."""
    jobs = [created(job_store, created_at=CREATED_AT + number) for number in range(9)]
    for job, state in zip(jobs[1:], [JobState.FAILED, JobState.PLANNING, JobState.CANCELLED] * 2, strict=False):
        job_store.move(job.id, state)
    page = job_store.page(owner="local", state=None, limit=2, cursor=None)
    seen = [job.id for job in page.jobs]
    while page.cursor is not None:
        page = job_store.page(owner="local", state=None, limit=2, cursor=page.cursor)
        seen += [job.id for job in page.jobs]
    assert seen == [job.id for job in reversed(jobs)]


def test_pages_by_state_follow_the_moves(job_store: JobStore) -> None:
    """A job is listed under its present state only."""
    job = created(job_store)
    other = created(job_store)
    job_store.move(job.id, JobState.CANCELLED)

    def listed(state: JobState) -> list[str]:
        return [job.id for job in job_store.page(owner="local", state=state, limit=9, cursor=None).jobs]

    assert listed(JobState.CANCELLED) == [job.id]
    assert listed(JobState.QUEUED) == [other.id]
    assert listed(JobState.READY) == []


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "0",
        "x" * 50,
        "00000000000000000:zz",
        "-inf",
        "\u0661" * 17 + ":" + "0" * 32,
        "0" * 17 + ":" + "0" * 32 + "\n",
    ],
)
def test_a_made_up_cursor_is_refused(job_store: JobStore, cursor: str) -> None:
    """Only what a page gave is a cursor."""
    with pytest.raises(InvalidRequestError):
        job_store.page(owner="local", state=None, limit=1, cursor=cursor)


def test_positions_count_who_comes_first(job_store: JobStore) -> None:
    """The first is 1; one that started has none and the others move up; one that starts again goes to the end."""
    first, second, third = (created(job_store) for _ in range(3))
    assert [position(job_store, job.id) for job in (first, second, third)] == [1, 2, 3]
    job_store.move(first.id, JobState.PLANNING)
    assert [position(job_store, job.id) for job in (first, second, third)] == [None, 1, 2]
    job_store.move(first.id, JobState.FAILED)
    job_store.move(first.id, JobState.QUEUED)
    assert [position(job_store, job.id) for job in (second, third, first)] == [1, 2, 3]


def test_counts_and_unfinished_follow_the_moves(job_store: JobStore) -> None:
    """Waiting, active and finished jobs are told apart; the unfinished come oldest first."""
    newer = created(job_store, created_at=CREATED_AT + 5)
    older = created(job_store)
    done = created(job_store)
    job_store.move(done.id, JobState.CANCELLED)
    job_store.move(newer.id, JobState.PLANNING)
    assert job_store.counts() == QueueCounts(waiting=1, active=1)
    assert job_store.unfinished() == (older.id, newer.id)
