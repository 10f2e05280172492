"""From what the object store tells of a job to its record: pure decisions."""

from __future__ import annotations

from typing import Any

import pytest

from storage.model.job import Job, JobState
from storage.model.job_warnings import warning
from storage.objects import keys
from storage.objects.manifests import Manifest
from tests.support.jobs import CREATED_AT, make_job, make_plan
from workers.rebuild.rebuild import BROKEN, NO_JOB, THERE, summary
from workers.rebuild.stored_jobs import TOLD_AGAIN_SECONDS, StoredJob, latest, resumed, webhook_may_be_unsent

PLAN = make_plan(segments=4)
FOUND = {"frames": 100, "rungs": {}}
ID = "0123456789abcdef0123456789abcdef"  # the same for each process that collects the tests


def at(state: JobState, *, started: float | None = None, finished: float | None = None) -> Manifest:
    """Return the manifest of a job in this state, with times in seconds since its creation."""
    times: dict[str, Any] = {
        "started_at": None if started is None else CREATED_AT + started,
        "finished_at": None if finished is None else CREATED_AT + finished,
    }
    return Manifest(job=make_job(state=state, **times))


ACCEPTED = at(JobState.QUEUED)
PLANNED = at(JobState.ENCODING, started=5)


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        ((ACCEPTED,), ACCEPTED),
        ((ACCEPTED, PLANNED), PLANNED),
        ((PLANNED, ready := at(JobState.READY, started=5, finished=9)), ready),
        ((failed := at(JobState.FAILED, started=5, finished=6), PLANNED), failed),
        # The end of an earlier run, saved late: the job has been planned again.
        ((at(JobState.FAILED, started=1, finished=2), PLANNED), PLANNED),
        ((at(JobState.CANCELLED, finished=2), PLANNED), PLANNED),
        # Cancelled while it waited for its second run, of which there is no plan.
        ((at(JobState.ENCODING, started=1), cancelled := at(JobState.CANCELLED, finished=3)), cancelled),
        ((ACCEPTED, cancelled), cancelled),
    ],
)
def test_the_last_run_counts_and_its_end_most(kept: tuple[Manifest, ...], expected: Manifest) -> None:
    """In whatever order they are read, the manifest of the last run counts, and of one run its end."""
    assert latest(kept) is expected
    assert latest(reversed(kept)) is expected


def encoding(**fields: Any) -> Job:
    """Return a job as its planner saved it."""
    return make_job(
        state=JobState.ENCODING, plan=PLAN, started_at=CREATED_AT + 1, warnings=(warning("not_cut"),), **fields
    )


@pytest.mark.parametrize(
    ("done", "frames", "issued", "poster"),
    [
        ((), 0, 0, False),
        (("poster:0",), 0, 0, True),
        (("segment:0",), 100, 1, False),
        (("segment:1", "segment:3", "poster:0"), 200, 4, True),
        (("segment:0", "segment:1", "segment:2", "segment:3"), 400, 4, False),
    ],
)
def test_a_planned_job_goes_on_from_what_is_there(
    done: tuple[str, ...], frames: int, issued: int, *, poster: bool
) -> None:
    """Progress and what is issued follow from the results, and the plan, the start and the warnings stay."""
    job = encoding(encoding_at=CREATED_AT + 2, frames_done=77, issued=2, has_poster=True, playable=True)
    on = resumed(job, dict.fromkeys(done, FOUND))
    assert (on.state, on.plan, on.started_at, on.warnings) == (JobState.ENCODING, PLAN, job.started_at, job.warnings)
    assert (on.frames_done, on.issued, on.has_poster) == (frames, issued, poster)
    assert (on.encoding_at, on.playable) == (None, False)


def test_a_job_without_a_plan_begins_again() -> None:
    """As it was accepted, whatever its planner had begun."""
    job = make_job()
    assert resumed(job, {}) == job
    begun = make_job(id=job.id, state=JobState.PLANNING, started_at=CREATED_AT + 1)
    assert resumed(begun, {}) == job


@pytest.mark.parametrize(
    ("finished_at", "told"),
    [(None, False), (CREATED_AT, True), (CREATED_AT - TOLD_AGAIN_SECONDS + 1, True), (CREATED_AT - 2e5, False)],
)
def test_webhooks_of_late_ends_are_told_again(finished_at: float | None, *, told: bool) -> None:
    """Nobody knows whether they were; those of long ago certainly were, or have been given up."""
    assert webhook_may_be_unsent(make_job(finished_at=finished_at), CREATED_AT) is told


@pytest.mark.parametrize(
    ("name", "names", "accepted"),
    [
        (ID, (keys.original(ID), keys.manifest(ID)), True),
        (ID, (keys.manifest(ID),), True),
        (ID, (keys.original(ID), keys.ended(ID), keys.planned(ID)), False),
        ("notes.txt", ("originals/notes.txt",), False),
        ("a", ("originals/a/manifest.json",), False),
    ],
)
def test_a_manifest_makes_the_job(name: str, names: tuple[str, ...], *, accepted: bool) -> None:
    """Without one, what is there is an upload that was not accepted or a deletion that broke off."""
    assert StoredJob(name, frozenset(names)).accepted is accepted


def test_what_became_of_the_jobs_is_told_in_short() -> None:
    """States in their order; what happened to none is left out."""
    counts = {"encoding": 3, "ready": 20, "queued": 1, THERE: 2, BROKEN: 1}
    assert list(summary(counts)) == ["restored: 1 queued, 3 encoding, 20 ready", "had a record: 2", "not restored: 1"]
    assert list(summary({NO_JOB: 4})) == ["restored: none", "never accepted, or half deleted: 4"]
