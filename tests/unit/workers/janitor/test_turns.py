"""Whose turn it is to be looked at, and that what is expected of jobs is kept up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.model.job import JobState
from storage.model.task import Stage, Task
from storage.services import Services
from storage.services.queue_reading import estimate_all
from tests.support.job_store import OwnJobStore
from tests.support.jobs import CREATED_AT, claim, created, encoding, finish_all
from tests.support.sums_right import wrong_sums
from workers.janitor import turns
from workers.janitor.janitor import Janitor
from workers.janitor.turns import LookedAt, keep_estimates


@pytest.fixture
def store() -> OwnJobStore:
    """Give an empty store."""
    return OwnJobStore()


def test_many_are_looked_at_first_and_some_in_turn_then(store: OwnJobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them in as many rounds as it takes; then from the beginning, and what came meanwhile too."""
    monkeypatch.setattr(turns, "TURN_JOBS", 2)
    monkeypatch.setattr(turns, "FIRST_TURN_JOBS", 4)
    ids = [created(store, created_at=CREATED_AT + n).id for n in range(5)]
    looked = LookedAt()
    assert [looked.next_ids(store) for _ in range(2)] == [tuple(ids[:4]), (ids[4],)]
    assert [looked.next_ids(store) for _ in range(4)] == [tuple(ids[:2]), tuple(ids[2:4]), (ids[4],), tuple(ids[:2])]


def test_nothing_to_look_at_is_nothing(store: OwnJobStore) -> None:
    """An idle installation's rounds are empty."""
    looked = LookedAt()
    assert [looked.next_ids(store) for _ in range(3)] == [(), (), ()]


def test_a_job_that_nobody_estimated_is_estimated_in_its_turn(store: OwnJobStore) -> None:
    """As one whose web service died behind its creation; and counted anew, should its sums be lost."""
    jobs = [created(store), encoding(store)]
    store.lose_sums()
    keep_estimates(store, (), tuple(job.id for job in jobs))
    assert all(work.told > 0 and work.cost > 0 for work in store.works([job.id for job in jobs]))
    assert store.figures().waiting == 2
    assert list(wrong_sums(store)) == []


def test_what_is_worked_on_is_estimated_by_its_own_pace(store: OwnJobStore) -> None:
    """A job whose first segment took ten times what was expected is expected to take longer, and the queue with it."""
    job = encoding(store, segments=8)
    estimate_all(store)
    (before,) = store.works([job.id])
    task = Task(job.id, Stage.SEGMENT, 0)
    claim(store, task)
    store.finish(task, "a", {"seconds": 10 * before.cost})
    keep_estimates(store, store.active(), ())
    (after,) = store.works([job.id])
    assert after.cost > 2 * before.cost
    assert store.figures().work == pytest.approx(after.cost_left, abs=1e-5)


def test_a_lost_message_of_a_job_in_no_index_is_found_in_its_turn(own_services: Services, tmp_path: Path) -> None:
    """The index of active jobs is a help and no condition: what lies beside it is published at the second look."""
    store = own_services.jobs
    assert isinstance(store, OwnJobStore)
    job = created(store)
    store.issue(plans=9, tasks=0)
    store.lose_sums()
    janitor = Janitor(own_services, tmp_path / "alive")
    for _ in range(2):
        store.lose_sums()
        janitor.make_round()
    assert (job.id, Task(job.id, Stage.PLAN).field) in own_services.publisher.pending()


def test_a_job_between_encoding_and_packaging_is_active(store: OwnJobStore) -> None:
    """Whoever finished last may have died before saying so: the janitor looks for such jobs in each round."""
    job = encoding(store)
    finish_all(store, job)
    assert store.active() == (job.id,)
    store.move(job.id, JobState.PACKAGING)
    assert store.active() == (job.id,)
    store.move(job.id, JobState.READY)
    assert store.active() == ()
