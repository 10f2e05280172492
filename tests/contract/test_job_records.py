"""Records and moves of the JobStore contract, on a real Redis."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from storage.errors import JobExistsError, JobNotFoundError, TransitionError
from storage.job_store.contract import Claim, JobStore
from storage.job_store.queue_contract import QueueCounts
from storage.model.damage import Damage, DamageKind
from storage.model.job import Changes, FailedAttempt, Job, JobError, JobState, Output, Priority, Promise
from storage.model.job_fields import FIELDS, Kind, named
from storage.model.job_warnings import warning
from storage.model.loudness import Loudness, Measured
from storage.model.task import Stage, Task
from storage.model.timed_text import SubtitleTrack
from tests.support.jobs import (
    CREATED_AT,
    LEASE,
    WHY,
    claim,
    created,
    encoding,
    make_job,
    make_plan,
    position,
    with_plan,
)
from web.routes.uploading import new_job_id


def test_a_created_job_reads_back_as_it_was(job_store: JobStore) -> None:
    """Every field survives, whatever characters it holds."""
    job = created(job_store, webhook_url="https://example.org/hook?a=1&b=%C3%BC")
    assert job_store.get(job.id) == job


def test_create_keeps_a_job_in_any_state(job_store: JobStore) -> None:
    """A rebuilt record comes back with plan, outputs, warnings, damage, error and times."""
    job = make_job(
        state=JobState.FAILED,
        started_at=CREATED_AT + 1.5,
        encoding_at=CREATED_AT + 2.125,
        finished_at=CREATED_AT + 9,
        plan=make_plan(),
        frames_done=17,
        has_poster=True,
        has_storyboard=True,
        outputs=(Output("1080p", 10**12),),
        warnings=(warning("pixel_shape"), warning("cut_short", done=1.5, whole=4.0)),
        damage=(Damage(DamageKind.SOUND_MISSING, 1.5, 0.25),),
        error=JobError("decode_failed", "It broke.", "x" * 5000),
    )
    job_store.create(job)
    assert job_store.get(job.id) == job
    assert job_store.unfinished() == ()


def test_create_refuses_a_known_id(job_store: JobStore) -> None:
    """A second job with the same id changes nothing."""
    job = created(job_store)
    with pytest.raises(JobExistsError):
        job_store.create(replace(job, title="other"))
    assert job_store.get(job.id) == job


def test_unknown_jobs_are_not_found(job_store: JobStore) -> None:
    """Reading and moving say so; lists and claims are empty."""
    unknown = new_job_id()
    with pytest.raises(JobNotFoundError):
        job_store.get(unknown)
    with pytest.raises(JobNotFoundError):
        job_store.move(unknown, JobState.PLANNING)
    assert position(job_store, unknown) is None
    assert job_store.results(unknown) == {}
    assert job_store.leases(unknown) == {}
    assert claim(job_store, Task(unknown, Stage.PLAN)) is Claim.OBSOLETE


def test_a_job_runs_through_its_states(job_store: JobStore) -> None:
    """Each move writes its time and its changes and returns the job after it."""
    job = encoding(job_store)
    assert job.plan == make_plan()
    assert job.started_at is not None
    assert job.encoding_at is not None
    assert job.encoding_at >= job.started_at
    job_store.move(job.id, JobState.PACKAGING)
    outputs = (Output("1080p", 5), Output("480p", 3))
    assert not job_store.get(job.id).has_storyboard
    damage = (Damage(DamageKind.PICTURES_MISSING, 0.5, 0.04), Damage(DamageKind.PICTURES_REPAIRED, 0.54, 1.4))
    changes = Changes(outputs=outputs, has_storyboard=True, warnings=(warning("not_cut"),), damage=damage)
    ready = job_store.move(job.id, JobState.READY, changes)
    assert (ready.state, ready.outputs, ready.has_storyboard) == (JobState.READY, outputs, True)
    assert (ready.warnings, ready.damage) == ((warning("not_cut"),), damage)
    assert ready.finished_at is not None
    assert job_store.get(job.id) == ready


def test_moving_to_the_present_state_changes_nothing(job_store: JobStore) -> None:
    """A repeated move is no error, writes nothing and appends no event."""
    job = created(job_store)
    first = job_store.move(job.id, JobState.FAILED, Changes(error=JobError("a", "b")))
    last = job_store.last_event_id()
    assert job_store.move(job.id, JobState.FAILED, Changes(error=JobError("other", "c"))) == first
    assert job_store.last_event_id() == last


@pytest.mark.parametrize("to", [JobState.ENCODING, JobState.PACKAGING, JobState.READY])
def test_moves_outside_the_table_are_refused(job_store: JobStore, to: JobState) -> None:
    """A queued job cannot skip planning."""
    job = created(job_store)
    with pytest.raises(TransitionError):
        job_store.move(job.id, to)
    assert job_store.get(job.id) == job


def test_only_one_of_two_racing_moves_wins(job_store: JobStore) -> None:
    """Of many threads that cancel, fail and go on, exactly one move is made and one event appended."""
    for _ in range(10):
        job = created(job_store)
        job_store.move(job.id, JobState.PLANNING)
        before = job_store.last_event_id()
        goals = [JobState.CANCELLED, JobState.FAILED] * 4
        start = threading.Barrier(len(goals))

        def race(goal: JobState, job_id: str = job.id, start: threading.Barrier = start) -> JobState | None:
            start.wait(10)
            try:
                return job_store.move(job_id, goal).state
            except TransitionError:
                return None

        with ThreadPoolExecutor(len(goals)) as pool:
            outcomes = set(pool.map(race, goals)) - {None}
        assert outcomes == {job_store.get(job.id).state}
        assert len(job_store.events(job.id, before)) == 1


def test_starting_again_forgets_the_last_run(job_store: JobStore) -> None:
    """A retry drops plan, progress, results, error, times and attempts, and keeps what the person gave."""
    job = encoding(job_store)
    task = Task(job.id, Stage.SEGMENT, 0)
    assert claim(job_store, task, limit=1) is Claim.GRANTED
    job_store.finish(task, "a", {"bytes": 1})
    assert claim(job_store, Task(job.id, Stage.SEGMENT, 1), "old", limit=1) is Claim.GRANTED
    job_store.move(
        job.id, JobState.FAILED, Changes(error=JobError("tool_failed", "It broke."), warnings=(warning("not_cut"),))
    )
    again = job_store.move(job.id, JobState.QUEUED)
    fresh = Job(job.id, job.owner, job.title, job.filename, job.size, job.created_at, job.webhook_url)
    assert again == replace(fresh, start_target=again.start_target, target=again.start_target)
    assert job_store.results(job.id) == {}
    assert job_store.leases(job.id) == {}
    job_store.move(job.id, JobState.PLANNING)
    job_store.move(job.id, JobState.ENCODING, with_plan())
    assert not job_store.renew(Task(job.id, Stage.SEGMENT, 1), "old", lease_seconds=LEASE)
    assert claim(job_store, Task(job.id, Stage.SEGMENT, 1), "new", limit=1) is Claim.GRANTED


def test_no_field_of_a_run_is_left_in_the_next_one(job_store: JobStore) -> None:
    """What came with the upload and beside it stays, as the priority does; its place in the queue is a new one."""
    job = make_job(
        webhook_url="https://example.org/hook",
        loudness=-16,
        priority=Priority.LOW,
        state=JobState.FAILED,
        **dict.fromkeys(("started_at", "encoding_at", "begun_at", "finished_at"), CREATED_AT + 1),
        plan=make_plan(),
        frames_done=7,
        issued=2,
        has_poster=True,
        playable=True,
        outputs=(Output("480p", 1),),
        has_storyboard=True,
        subtitles_made=("0",),
        warnings=(warning("not_cut"),),
        measured=(Measured("audio", Loudness(-20.0, 5.0, -1.0), 4.0),),
        added=(SubtitleTrack("a", "ko", ""),),
        damage=(Damage(DamageKind.SOUND_MISSING, 1.0, 2.0),),
        error=WHY,
        failed_attempts=(FailedAttempt("plan:0", "a", CREATED_AT, "tool_failed", "It broke."),),
        promise=Promise(CREATED_AT, CREATED_AT + 9),
        encoder_seconds=3.5,
        in_flight=4.0,
        start_target=CREATED_AT,
        target=CREATED_AT + 60,
    )
    assert [field.name for field in FIELDS if getattr(job, field.name) == field.default] == ["incomplete", "slim"]
    job_store.create(job)
    assert job_store.get(job.id) == job
    again = job_store.move(job.id, JobState.QUEUED)
    left = {field.name for field in FIELDS if field.forgotten and getattr(again, field.name) != field.default}
    assert left == {"start_target", "target"}
    assert CREATED_AT not in {again.start_target, again.target}
    assert [getattr(again, name) for name in named(Kind.INTAKE)] == [getattr(job, name) for name in named(Kind.INTAKE)]
    assert (again.state, again.priority, again.added) == (JobState.QUEUED, Priority.LOW, job.added)


def test_a_deleted_job_is_gone_and_says_so_once(job_store: JobStore) -> None:
    """Record, lists and tasks go; the event stays to be read; deleting again is no error."""
    job = encoding(job_store)
    task = Task(job.id, Stage.SEGMENT, 0)
    claim(job_store, task)
    job_store.delete(job.id)
    job_store.delete(job.id)
    with pytest.raises(JobNotFoundError):
        job_store.get(job.id)
    assert job_store.page(owner=job.owner, state=None, limit=9, cursor=None).jobs == ()
    assert job_store.counts() == QueueCounts(0, 0)
    assert not job_store.renew(task, "a", lease_seconds=LEASE)
    assert [event.type for event in job_store.events(job.id, "0")].count("deleted") == 1
    assert job_store.results(job.id) == {}
