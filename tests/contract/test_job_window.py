"""Credit, slots, interim results and new plans of the JobStore contract, on the in-memory twin and on a real Redis."""

from __future__ import annotations

import pytest

from storage.errors import TransitionError
from storage.job_store import Claim, JobStore
from storage.jobs import JobState, Stage, Task, new_job_id
from tests.support.jobs import LEASE, claim, created, encoding, make_plan
from tests.support.waiting import wait_until


def indexes(tasks: tuple[Task, ...]) -> list[int]:
    """Return the segments' numbers."""
    assert all(task.stage is Stage.SEGMENT for task in tasks)
    return [task.index for task in tasks]


def test_no_more_segments_are_out_than_the_window(job_store: JobStore) -> None:
    """The first segments are issued up to the window; a finished one is credit for the next, until there are none."""
    job = encoding(job_store, segments=4)
    assert indexes(job_store.issue(job.id, 2)) == [0, 1]
    assert job_store.issue(job.id, 2) == ()
    assert job_store.get(job.id).issued == 2
    claim(job_store, Task(job.id, Stage.SEGMENT, 1))
    job_store.finish(Task(job.id, Stage.SEGMENT, 1), "a", {})
    assert indexes(job_store.issue(job.id, 2)) == [2]
    assert indexes(job_store.issue(job.id, 99)) == [3]
    assert job_store.issue(job.id, 99) == ()


def test_a_smaller_window_issues_nothing_until_enough_are_done(job_store: JobStore) -> None:
    """When encoders go, what is out stays out and nothing new comes."""
    job = encoding(job_store, segments=4)
    job_store.issue(job.id, 3)
    assert job_store.issue(job.id, 1) == ()


def test_only_encoding_jobs_have_credit(job_store: JobStore) -> None:
    """Jobs that wait, ended or do not exist get nothing; a job started again begins anew."""
    waiting = created(job_store)
    job = encoding(job_store)
    job_store.issue(job.id, 1)
    job_store.move(job.id, JobState.CANCELLED)
    assert [job_store.issue(job_id, 9) for job_id in (waiting.id, job.id, new_job_id())] == [(), (), ()]
    assert job_store.move(job.id, JobState.QUEUED).issued == 0


def test_slots_are_those_announced_lately(job_store: JobStore) -> None:
    """A worker's newest announcement counts, and it ends by itself."""
    assert job_store.slots() == 0
    job_store.announce("one", 4, seconds=60)
    job_store.announce("one", 2, seconds=60)
    job_store.announce("two", 3, seconds=0.2)
    assert job_store.slots() in {2, 5}
    wait_until(lambda: job_store.slots() == 2)


def test_interim_results_are_seen_only_when_asked_for(job_store: JobStore) -> None:
    """What a running task has so far is no result; the lease's holder writes it, and finishing replaces it."""
    task = Task(encoding(job_store).id, Stage.AUDIO)
    assert not job_store.interim(task, "a", {"parts": 1})
    claim(job_store, task)
    assert job_store.interim(task, "a", {"parts": 2})
    assert not job_store.interim(task, "b", {"parts": 3})
    assert job_store.results(task.job_id) == {}
    assert job_store.results(task.job_id, interim=True) == {"audio:0": {"parts": 2}}
    job_store.finish(task, "a", {"parts": 4})
    assert job_store.results(task.job_id, interim=True) == job_store.results(task.job_id) == {"audio:0": {"parts": 4}}


@pytest.mark.parametrize("first", ["audio", "segment"])
def test_a_job_is_playable_with_its_first_segment_and_its_first_sound(job_store: JobStore, first: str) -> None:
    """Whichever comes last makes it so, once, with one event."""
    job = encoding(job_store)
    audio, segment = Task(job.id, Stage.AUDIO), Task(job.id, Stage.SEGMENT, 0)
    claim(job_store, audio)
    claim(job_store, segment)
    steps = [lambda: job_store.interim(audio, "a", {"parts": 1}), lambda: job_store.finish(segment, "a", {})]
    for step in steps if first == "audio" else reversed(steps):
        assert not job_store.get(job.id).playable
        step()
    assert job_store.get(job.id).playable
    job_store.finish(audio, "a", {})
    assert [event.type for event in job_store.events(job.id, "0")].count("playable") == 1


def test_a_silent_job_is_playable_with_its_first_segment(job_store: JobStore) -> None:
    """No sound is waited for where there is none."""
    job = encoding(job_store, audio=False)
    claim(job_store, Task(job.id, Stage.SEGMENT, 0))
    job_store.finish(Task(job.id, Stage.SEGMENT, 0), "a", {})
    assert job_store.get(job.id).playable


def test_a_new_plan_keeps_sound_and_poster_and_forgets_segments(job_store: JobStore) -> None:
    """Segments, their progress, attempts and leases begin anew; what is done of the rest counts for the end."""
    job = encoding(job_store)
    tasks = [Task(job.id, Stage.AUDIO), Task(job.id, Stage.POSTER), Task(job.id, Stage.SEGMENT, 0)]
    for task in tasks:
        claim(job_store, task)
        job_store.finish(task, "a", {"made": True})
    running = Task(job.id, Stage.SEGMENT, 1)
    claim(job_store, running)
    job_store.report(running, "a", 50)
    anew = job_store.replan(job.id, make_plan(segments=1, frames=200), ("one piece",))
    assert (anew.frames_done, anew.issued, anew.playable, anew.warnings) == (0, 0, False, ("one piece",))
    assert not job_store.renew(running, "a", lease_seconds=LEASE)
    assert set(job_store.results(job.id)) == {"audio:0", "poster:0"}
    assert indexes(job_store.issue(job.id, 9)) == [0]
    assert claim(job_store, tasks[2], "b") is Claim.GRANTED
    assert job_store.finish(tasks[2], "b", {})
    assert job_store.get(job.id).frames_done == 200


def test_only_an_encoding_job_is_planned_anew(job_store: JobStore) -> None:
    """A job that ended meanwhile stays as it is."""
    job = encoding(job_store)
    job_store.move(job.id, JobState.CANCELLED)
    with pytest.raises(TransitionError):
        job_store.replan(job.id, make_plan(), ())
