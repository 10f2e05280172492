"""Subtitles in the JobStore contract, on a real Redis: those that were read, and those that were added."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from storage.errors import JobNotFoundError
from storage.job_store.contract import JobStore
from storage.model.job import Changes, Job, JobState
from storage.model.plan import Plan
from storage.model.task import Stage, Task
from storage.model.timed_text import Chapter, SubtitleSource, SubtitleTrack
from tests.contract.test_job_slim import ready
from tests.support.job_store import OwnJobStore
from tests.support.jobs import claim, created, make_job, make_plan, make_segments
from web.routes.uploading import new_job_id

MANY = 100
ADDED = SubtitleTrack("a1", "ko", "\ud55c\uad6d\uc5b4", forced=True)
OTHER = SubtitleTrack("a2", "en", default=True, sdh=True)


def plan() -> Plan:
    """Return a plan with a track of text and a chapter."""
    sources = (SubtitleSource(SubtitleTrack("0", "en", "Full"), 2, "subrip"),)
    return replace(make_plan(), subtitles=sources, chapters=(Chapter(0.0, 1.0, "One"),))


def encoding(store: JobStore) -> Job:
    """Bring a job of that plan to `encoding`."""
    job = created(store)
    store.move(job.id, JobState.PLANNING)
    return store.move(job.id, JobState.ENCODING, Changes(plan=plan(), segments=make_segments(plan())))


def test_text_of_the_file_is_a_task_of_its_own(job_store: JobStore) -> None:
    """Handed out with the start of the job; once it is done, the record says which tracks there are."""
    job = encoding(job_store)
    assert job_store.get(job.id).plan == plan()
    task = Task(job.id, Stage.SUBTITLES)
    assert task in job_store.issue(plans=0, tasks=MANY)
    claim(job_store, task)
    assert job_store.get(job.id).subtitles_made is None
    job_store.finish(task, "a", {"made": True, "tracks": [{"id": "0", "cues": 1, "bytes": 9}], "failed": []})
    assert job_store.get(job.id).subtitles_made == ("0",)
    assert job_store.events(job.id, "0")[-1].type == "subtitles"


def test_a_job_without_text_has_no_such_task(job_store: JobStore) -> None:
    """Nor is one waited for."""
    job = created(job_store)
    job_store.move(job.id, JobState.PLANNING)
    job_store.move(job.id, JobState.ENCODING, Changes(plan=make_plan(), segments=make_segments(make_plan())))
    assert Task(job.id, Stage.SUBTITLES) not in job_store.issue(plans=0, tasks=MANY)


def test_tracks_are_added_in_every_state(job_store: JobStore) -> None:
    """With an event; another run keeps them, and forgets what was read of the file."""
    job = encoding(job_store)
    assert job_store.change_added(job.id, lambda present: (*present, ADDED)) == (ADDED,)
    assert job_store.events(job.id, "0")[-1].type == "subtitles"
    job_store.move(job.id, JobState.CANCELLED)
    again = job_store.move(job.id, JobState.QUEUED)
    assert (again.added, again.subtitles_made, again.plan) == ((ADDED,), None, None)
    assert job_store.change_added(job.id, lambda _: ()) == ()
    assert job_store.get(job.id).added == ()


def test_a_slim_record_keeps_and_takes_them() -> None:
    """Also when the job is started again from it; nothing else comes back with them."""
    store = OwnJobStore()
    job = ready(store)
    store.change_added(job.id, lambda _: (ADDED,))
    assert store.saved(store.get(job.id))
    assert store.get(job.id).added == (ADDED,)
    assert store.change_added(job.id, lambda present: (*present, OTHER)) == (ADDED, OTHER)
    found = store.get(job.id)
    assert found.slim is not None
    assert found.added == (ADDED, OTHER)


def test_they_are_kept_when_the_upload_becomes_a_job(job_store: JobStore) -> None:
    """Its record is made anew then."""
    job = make_job(state=JobState.UPLOADING, incomplete=True)
    job_store.create(job)
    job_store.change_added(job.id, lambda _: (ADDED,))
    job_store.create(replace(job, state=JobState.QUEUED, incomplete=False))
    assert job_store.get(job.id).added == (ADDED,)


def test_changes_at_once_lose_nothing(job_store: JobStore) -> None:
    """Whoever meets another one looks again."""
    job = created(job_store)

    def add(number: int) -> None:
        job_store.change_added(job.id, lambda present: (*present, SubtitleTrack(f"a{number}")))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(4)))
    assert sorted(track.id for track in job_store.get(job.id).added) == ["a0", "a1", "a2", "a3"]


def test_nothing_is_added_to_what_is_not_there(job_store: JobStore) -> None:
    """And no record comes to be by it."""
    job_id = new_job_id()
    with pytest.raises(JobNotFoundError):
        job_store.change_added(job_id, lambda _: (ADDED,))
    with pytest.raises(JobNotFoundError):
        job_store.get(job_id)


def test_a_plan_without_texts_is_one_of_before() -> None:
    """What was kept by earlier versions names neither tracks nor chapters."""
    store = OwnJobStore()
    job = created(store)
    store.move(job.id, JobState.PLANNING)
    store.move(job.id, JobState.ENCODING, Changes(plan=make_plan(), segments=make_segments(make_plan())))
    found = store.get(job.id).plan
    assert found is not None
    assert (found.subtitles, found.chapters) == ((), ())
    assert "subtitles" not in json.dumps(store.results(job.id))
