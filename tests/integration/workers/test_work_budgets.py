"""A file that takes far more work than it says ends with its job, once, while others' jobs go on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage.model.job import Job, JobState
from storage.model.task import Stage
from storage.services import Services
from storage.settings import Settings
from tests.support.driving import drive_on, step, submit
from tests.support.lying import swelling_movie
from tests.support.waiting import wait_until
from workers.stages import work_budgets

Clip = Callable[..., Path]


@pytest.fixture(autouse=True)
def low_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tasks take a second at least instead of twenty, so that the tests do not take them either."""
    monkeypatch.setattr(work_budgets, "FLOOR_SECONDS", 1.0)


def test_a_movie_that_swells_ends_with_its_job(tmp_path: Path, own_services: Services, settings: Settings) -> None:
    """By a code of its own, after one attempt at the task that found it; no other plan is tried."""
    job = submit(own_services, swelling_movie(tmp_path / "swelling.mov"))
    ended = drive_on(own_services, settings, job)
    assert ended.error is not None
    assert (ended.state, ended.error.code) == (JobState.FAILED, "too_much_work")
    found = [failed for failed in ended.failed_attempts if failed.code == "too_much_work"]
    assert {failed.task.partition(":")[0] for failed in found} <= {Stage.SEGMENT, Stage.POSTER}
    assert len(found) == len({failed.task for failed in found})  # no task was tried twice


def test_another_owners_job_goes_on(tmp_path: Path, clip: Clip, own_services: Services, settings: Settings) -> None:
    """In two slots both are worked on; the honest one is ready whatever the other comes to."""
    bad = submit(own_services, swelling_movie(tmp_path / "swelling.mov"), owner="one")
    good = submit(own_services, clip("honest.mp4", seconds=2), owner="another")

    def work() -> None:
        wait_until(
            lambda: not step(own_services, settings) and _ended(own_services, good, bad), seconds=60, what="both ends"
        )

    with ThreadPoolExecutor(2) as slots:
        for slot in [slots.submit(work) for _ in range(2)]:
            slot.result()
    assert own_services.jobs.get(good.id).state is JobState.READY
    error = own_services.jobs.get(bad.id).error
    assert error is not None
    assert error.code == "too_much_work"


def _ended(services: Services, *jobs: Job) -> bool:
    return all(services.jobs.get(job.id).state.finished for job in jobs)
