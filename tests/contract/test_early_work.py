"""Work before the upload is whole, on a real Redis: for slots that would be idle, and kept or thrown away as one."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from storage.job_store.contract import Claim
from storage.job_store.early_contract import FIRST_LOOK_BYTES, LOOK_FACTOR, MOST_WASTED
from storage.model.early import EarlyPlan, HandedIndex
from storage.model.job import Changes, Job, JobState
from storage.model.task import Stage, Task
from storage.model.upload import OpenUpload
from tests.support.job_store import OwnJobStore
from tests.support.jobs import WHY, claim, created, encoding, held, make_job, make_plan, make_segments
from tests.support.sums_right import wrong_sums

SEGMENTS, FRAMES = 4, 100
PLAN = make_plan(segments=SEGMENTS, frames=FRAMES, audio=False)
NEED = 1_000_000
INDEX = HandedIndex("uploads/x/index/5-a", 5, 9, "0" * 64)
WITH_SOUND = make_plan(segments=SEGMENTS, frames=FRAMES)
HEARD = {"made": True, "codec": "mp4a.40.2", "complete": False, "parts": [{"bytes": 9, "seconds": 4.0}]}
EARLY = EarlyPlan(PLAN, make_segments(PLAN), tuple(NEED * (n + 1) for n in range(SEGMENTS)), INDEX, slots=2, pace=1.5)
LENGTH = 100 * FIRST_LOOK_BYTES


@pytest.fixture
def store() -> OwnJobStore:
    """A store of its own."""
    return OwnJobStore()


def uploading(store: OwnJobStore, came: int = 0, **fields: object) -> Job:
    """Return the job of an upload that is followed, of which so many bytes have come."""
    job = created(store, state=JobState.UPLOADING, incomplete=True, size=LENGTH, **fields)
    arrive(store, job, came)
    return job


def arrive(store: OwnJobStore, job: Job, size: int) -> None:
    """Note how many bytes of an upload have come."""
    store.note_upload(OpenUpload(job.id, "127.0.0.1", size, LENGTH - size, time.time()))


def planned_early(store: OwnJobStore, came: int, **fields: object) -> Job:
    """Return the job of an upload that has an early plan."""
    job = uploading(store, came, **fields)
    assert store.save_early(job.id, EARLY)
    return job


def early_plan(job: Job) -> Task:
    """Return the task that plans it early."""
    return Task(job.id, Stage.EARLY_PLAN)


def early_segment(job: Job, index: int) -> Task:
    """Return the task that encodes a segment early."""
    return Task(job.id, Stage.EARLY_SEGMENT, index)


def early_audio(job: Job) -> Task:
    """Return the task that encodes what has come of its sound."""
    return Task(job.id, Stage.EARLY_AUDIO)


def done(store: OwnJobStore, job: Job, *indices: int, seconds: float = 3.0) -> None:
    """Do early segments."""
    for index in indices:
        task = early_segment(job, index)
        assert claim(store, task) is Claim.GRANTED
        store.finish(task, "a", {"frames": FRAMES, "seconds": seconds, "rungs": {}})


def whole(store: OwnJobStore, job: Job) -> Job:
    """Let the upload become whole and its job be planned, up to the move to encoding."""
    store.create(replace(job, state=JobState.QUEUED, incomplete=False))
    store.forget_upload(job.id)
    return store.move(job.id, JobState.PLANNING)


def encoded(store: OwnJobStore, job: Job, *, early: bool) -> Job:
    """Let the whole upload's job be encoded."""
    changes = Changes(plan=PLAN, segments=make_segments(PLAN), keeps_early=early)
    return store.move(job.id, JobState.ENCODING, changes)


def test_an_upload_is_looked_at_when_much_has_come(store: OwnJobStore) -> None:
    """And again, if it could not be planned, when much more has."""
    job = uploading(store, FIRST_LOOK_BYTES - 1)
    assert store.issue_early(2) == ()
    arrive(store, job, FIRST_LOOK_BYTES)
    assert store.issue_early(2) == (early_plan(job),)
    claim(store, early_plan(job))
    store.release(early_plan(job), "a")
    assert store.issue_early(2) == ()
    arrive(store, job, LOOK_FACTOR * FIRST_LOOK_BYTES - 1)
    assert store.issue_early(2) == ()
    arrive(store, job, LOOK_FACTOR * FIRST_LOOK_BYTES)
    assert store.issue_early(2) == (early_plan(job),)


def test_one_upload_is_looked_at_at_a_time(store: OwnJobStore) -> None:
    """The next one when that is over, in whatever way."""
    first, second = (uploading(store, FIRST_LOOK_BYTES, created_at=at) for at in (1.0, 2.0))
    assert store.issue_early(2) == (early_plan(first),)
    assert store.issue_early(2) == ()
    claim(store, early_plan(first))
    store.release(early_plan(first), "a")
    assert store.issue_early(2) == (early_plan(second),)


def test_segments_go_out_as_their_bytes_come(store: OwnJobStore) -> None:
    """In order, each once, and no more than there are slots."""
    job = planned_early(store, NEED)
    assert store.issue_early(2) == (early_segment(job, 0),)
    assert store.issue_early(2) == ()
    arrive(store, job, LENGTH)
    assert store.issue_early(2) == (early_segment(job, 1),)
    assert store.issue_early(2) == ()
    done(store, job, 0)
    assert store.issue_early(2) == (early_segment(job, 2),)
    task = early_segment(job, 1)
    assert claim(store, task) is Claim.GRANTED
    store.release(task, "a")
    assert store.issue_early(2) == (early_segment(job, 3),)
    assert claim(store, early_segment(job, 0)) is Claim.DONE


def test_whole_uploads_come_first(store: OwnJobStore) -> None:
    """Whatever of theirs waits, nothing is handed out; and their tasks take slots from early work, not it from them."""
    job = planned_early(store, LENGTH)
    assert not store.others_wait()
    other = created(store)
    assert store.others_wait()
    assert store.issue_early(2) == ()
    store.issue(plans=2, tasks=2)
    store.move(other.id, JobState.PLANNING)
    assert store.issue_early(2) == ()
    store.move(other.id, JobState.CANCELLED)
    assert store.issue_early(2) == (early_segment(job, 0), early_segment(job, 1))
    film = encoding(store, segments=9)
    assert {task.job_id for task in store.issue(plans=2, tasks=3)} == {film.id}
    done(store, job, 0)
    assert store.issue_early(2) == ()


def test_what_is_given_back_goes_out_again(store: OwnJobStore) -> None:
    """A slot that others needed was not used."""
    job = planned_early(store, LENGTH)
    assert store.issue_early(1) == (early_segment(job, 0),)
    store.give_back_early(early_segment(job, 0))
    assert store.issue_early(1) == (early_segment(job, 0),)


def test_an_early_plan_is_kept_once(store: OwnJobStore) -> None:
    """As it was saved, and only as long as the upload lasts."""
    job = uploading(store, FIRST_LOOK_BYTES)
    assert store.early(job.id) is None
    assert store.save_early(job.id, EARLY)
    assert not store.save_early(job.id, replace(EARLY, slots=9))
    assert store.early(job.id) == EARLY
    assert not store.save_early(created(store).id, EARLY)


def test_what_was_done_early_counts(store: OwnJobStore) -> None:
    """When the plan turns out to be the same: as if the job had done it, and the rest is handed out."""
    job = planned_early(store, LENGTH)
    done(store, job, 0, 2)
    assert list(wrong_sums(store)) == []
    whole(store, job)
    done(store, job, 1)  # what has begun goes on until the tasks are known
    assert list(wrong_sums(store)) == []
    found = encoded(store, job, early=True)
    assert (found.frames_done, found.encoder_seconds) == (3 * FRAMES, 9.0)
    assert set(store.results(job.id)) == {"segment:0", "segment:1", "segment:2"}
    assert store.early(job.id) is None
    assert {task.field for task in store.issue(plans=9, tasks=9)} == {"segment:3", "poster:0"}
    assert list(wrong_sums(store)) == []
    assert store.wasted(job.owner) == 0
    for field in ("segment:3", "poster:0"):
        task = Task.of_field(job.id, field)
        assert claim(store, task) is Claim.GRANTED
        last = store.finish(task, "a", {"frames": FRAMES, "seconds": 1.0})
    assert last
    assert store.get(job.id).frames_done == PLAN.frames


def test_a_picture_of_early_work_stands_for_the_poster(store: OwnJobStore) -> None:
    """As long as early work counts; what has become the job's own says nothing of one."""
    made = {"frames": FRAMES, "seconds": 1.0, "rungs": {}, "poster": True}
    thrown, kept = planned_early(store, LENGTH), planned_early(store, LENGTH)
    for job in (thrown, kept):
        claim(store, early_segment(job, 0))
    store.finish(early_segment(thrown, 0), "a", made)
    assert store.get(thrown.id).has_poster
    store.forget_early(thrown.id)
    assert not store.get(thrown.id).has_poster
    whole(store, kept)
    encoded(store, kept, early=True)
    store.finish(early_segment(kept, 0), "a", made)
    assert not store.get(kept.id).has_poster
    assert set(store.results(kept.id)) == {"segment:0"}


def test_what_is_at_work_becomes_the_jobs_own(store: OwnJobStore) -> None:
    """An attempt that began early keeps its lease, its result counts, and nobody else is given the segment."""
    job = planned_early(store, LENGTH)
    at_work, given_up = early_segment(job, 1), early_segment(job, 2)
    assert len(store.issue_early(2)) == 2
    claim(store, at_work)
    claim(store, given_up, "b", lease=-1.0)
    whole(store, job)
    encoded(store, job, early=True)
    assert held(store, job.id) == {"segment:1"}
    assert store.renew(at_work, "a", lease_seconds=9)
    assert not store.renew(given_up, "b", lease_seconds=9)
    assert not store.renew(at_work, "b", lease_seconds=9)
    assert claim(store, early_segment(job, 3), "c") is Claim.OBSOLETE
    fields = [task.field for task in store.issue(plans=9, tasks=9)]
    assert sorted(fields) == ["poster:0", "segment:0", "segment:2", "segment:3"]
    assert store.report(at_work, "a", 7)
    assert store.get(job.id).frames_done == 7
    for field in fields:
        claim(store, Task.of_field(job.id, field), "d")
        assert not store.finish(Task.of_field(job.id, field), "d", {"frames": FRAMES})
    assert store.finish(at_work, "a", {"frames": FRAMES, "seconds": 2.0})
    assert store.get(job.id).frames_done == PLAN.frames
    assert list(wrong_sums(store)) == []


def test_what_was_at_work_and_died_is_done_again(store: OwnJobStore) -> None:
    """As any task of the job."""
    job = planned_early(store, LENGTH)
    claim(store, early_segment(job, 1))
    whole(store, job)
    encoded(store, job, early=True)
    assert store.fail(early_segment(job, 1), "a", WHY)
    assert store.attempts(job.id) == {"segment:1": 1}
    assert claim(store, Task(job.id, Stage.SEGMENT, 1), "b") is Claim.GRANTED


def test_what_was_done_by_another_plan_is_gone(store: OwnJobStore) -> None:
    """Nothing of it counts but as waste, and who is at work on it is refused."""
    job = planned_early(store, LENGTH)
    done(store, job, 0, 1)
    at_work = early_segment(job, 2)
    claim(store, at_work)
    whole(store, job)
    assert store.renew(at_work, "a", lease_seconds=9)
    store.forget_early(job.id)
    assert not store.renew(at_work, "a", lease_seconds=9)
    assert claim(store, early_segment(job, 3)) is Claim.OBSOLETE
    found = encoded(store, job, early=False)
    assert (found.frames_done, store.results(job.id)) == (0, {})
    assert store.wasted(job.owner) == 6.0
    assert list(wrong_sums(store)) == []
    assert {task.field for task in store.issue(plans=9, tasks=3)} == {"segment:0", "segment:1", "poster:0"}


def heard(store: OwnJobStore, came: int) -> Job:
    """Return the job of an upload of which the first segment is done and the sound is encoded as far as it goes."""
    job = uploading(store, came)
    assert store.save_early(job.id, replace(EARLY, plan=WITH_SOUND))
    assert store.issue_early(1) == (early_segment(job, 0),)
    done(store, job, 0)
    assert store.issue_early(1) == (early_audio(job),)
    assert claim(store, early_audio(job)) is Claim.GRANTED
    assert store.interim(early_audio(job), "a", HEARD)
    store.finish(early_audio(job), "a", {"seconds": 2.0})
    return job


def test_sound_is_encoded_again_when_much_more_has_come(store: OwnJobStore) -> None:
    """One attempt at a time, from the first segment on."""
    job = heard(store, NEED)
    arrive(store, job, LOOK_FACTOR * NEED - 1)
    assert store.issue_early(2) == ()
    arrive(store, job, LOOK_FACTOR * NEED)
    assert store.issue_early(9) == (early_audio(job), early_segment(job, 1))
    arrive(store, job, LENGTH)
    assert store.issue_early(9) == (early_segment(job, 2), early_segment(job, 3))
    for _ in range(9):
        assert claim(store, early_audio(job)) is Claim.GRANTED
        store.finish(early_audio(job), "a", {"seconds": 0.0})
    assert store.issue_early(9) == (early_audio(job),)


def test_sound_that_is_brought_to_a_loudness_is_not_encoded_early(store: OwnJobStore) -> None:
    """Its pictures are, and it cannot be watched without its sound."""
    job = uploading(store, NEED, loudness=-16)
    assert store.save_early(job.id, replace(EARLY, plan=WITH_SOUND))
    assert store.issue_early(9) == (early_segment(job, 0),)
    done(store, job, 0)
    arrive(store, job, LENGTH)
    assert store.issue_early(9) == tuple(early_segment(job, index) for index in range(1, SEGMENTS))
    assert not store.get(job.id).playable


def test_a_video_can_be_watched_before_it_is_whole(store: OwnJobStore) -> None:
    """From its first segment and its first sound on, and without a break until it is ready."""
    job = heard(store, NEED)
    assert store.get(job.id).playable
    assert store.planned_early(job.id) == WITH_SOUND
    assert store.results(job.id, interim=True)["audio:0"] == HEARD
    whole(store, job)
    assert store.get(job.id).playable
    assert not store.interim(early_audio(job), "a", HEARD)
    changes = Changes(plan=WITH_SOUND, segments=make_segments(WITH_SOUND), keeps_early=True)
    assert store.move(job.id, JobState.ENCODING, changes).playable
    assert store.results(job.id, interim=True).keys() == {"segment:0", "audio:0"}
    assert "audio:0" in {task.field for task in store.issue(plans=9, tasks=9)}
    assert store.wasted(job.owner) == 2.0


def test_sound_by_another_plan_is_gone(store: OwnJobStore) -> None:
    """The video cannot be watched any more, until there is something of its own."""
    job = heard(store, NEED)
    whole(store, job)
    store.forget_early(job.id)
    assert not store.get(job.id).playable
    assert store.planned_early(job.id) is None
    assert store.results(job.id, interim=True) == {}
    assert store.wasted(job.owner) == 5.0


def test_a_silent_video_waits_for_no_sound(store: OwnJobStore) -> None:
    """It can be watched from its first segment on."""
    job = planned_early(store, NEED)
    assert not store.get(job.id).playable
    done(store, job, 0)
    assert store.get(job.id).playable


@pytest.mark.parametrize("when", ["uploading", "queued", "deleted"])
def test_an_upload_that_ends_leaves_nothing(store: OwnJobStore, when: str) -> None:
    """But the count of what it cost."""
    job = planned_early(store, LENGTH)
    done(store, job, 0)
    if when == "queued":
        whole(store, job)
    if when == "deleted":
        store.delete(job.id)
    else:
        store.move(job.id, JobState.CANCELLED)
        assert store.wasted(job.owner) == 3.0
    assert store.issue_early(2) == ()
    assert store._client.keys("rungs:early:*") == []
    assert store._client.zcard("rungs:followed") == 0


def test_an_owner_may_not_waste_without_end(store: OwnJobStore) -> None:
    """Of others' uploads the work goes on."""
    job = planned_early(store, LENGTH)
    done(store, job, 0, seconds=MOST_WASTED)
    store.move(job.id, JobState.CANCELLED)
    again = planned_early(store, LENGTH)
    assert store.issue_early(2) == ()
    other = planned_early(store, LENGTH, owner="somebody else")
    assert {task.job_id for task in store.issue_early(2)} == {other.id}
    assert store._client.ttl(f"rungs:wasted-of:{again.owner}") > 0


def test_what_is_spoiled_is_passed_over(store: OwnJobStore) -> None:
    """The uploads behind it are worked on."""
    spoiled, job = (planned_early(store, LENGTH, created_at=at) for at in (1.0, 2.0))
    store._client.hset(f"rungs:early:{spoiled.id}", "next", "x")
    assert store.issue_early(1) == (early_segment(job, 0),)


def test_uploading_jobs_are_no_work_of_the_queue(store: OwnJobStore) -> None:
    """Also while they are worked on early: nobody else's forecast knows of them."""
    before = store.figures()
    done(store, planned_early(store, LENGTH), 0, 1)
    assert store.figures() == before
    assert store.active() == ()
    assert make_job().state is JobState.QUEUED
