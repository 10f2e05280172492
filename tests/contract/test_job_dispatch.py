"""Dispatch, slots, interim results and new plans of the JobStore contract, on a real Redis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from storage.errors import HighShareError, JobNotFoundError, TransitionError
from storage.job_store.contract import Claim, JobStore
from storage.model.job import Job, JobState, Priority
from storage.model.job_warnings import warning
from storage.model.task import Stage, Task
from tests.support.jobs import (
    CREATED_AT,
    LEASE,
    WHY,
    claim,
    created,
    encoding,
    held,
    make_plan,
    make_segments,
    position,
    with_plan,
)
from tests.support.waiting import wait_until
from web.routes.uploading import new_job_id


def fields(tasks: tuple[Task, ...]) -> list[str]:
    """Return the tasks' fields in the order they were issued."""
    return [task.field for task in tasks]


def issued(store: JobStore, tasks: int) -> list[str]:
    """Issue tasks of encoding up to this budget; return their fields."""
    return fields(store.issue(plans=0, tasks=tasks))


def finish(store: JobStore, task: Task) -> None:
    """Claim and finish a task."""
    claim(store, task)
    store.finish(task, "a", {})


def placed(store: JobStore, *, target: float, segments: int = 2) -> Job:
    """Create a silent job that encodes, with its start already issued and done, and this target."""
    plan = make_plan(segments=segments, audio=False)
    job = created(store, state=JobState.ENCODING, plan=plan, issued=1, target=target)
    for field in store.out(job.id):
        finish(store, Task.of_field(job.id, field))
    return job


def test_a_job_starts_with_first_segment_sound_and_poster(job_store: JobStore) -> None:
    """They go out together, in the order in which playback waits for them, whatever the budget is."""
    job = encoding(job_store, segments=4)
    assert job_store.out(job.id) == frozenset()
    assert issued(job_store, 1) == ["segment:0", "audio:0", "poster:0"]
    assert job_store.get(job.id).issued == 1
    assert job_store.out(job.id) == {"segment:0", "audio:0", "poster:0"}


def test_no_more_tasks_are_out_than_the_budget(job_store: JobStore) -> None:
    """A finished task makes room for the next segment, until there are none."""
    job = encoding(job_store, segments=4)
    assert issued(job_store, 4) == ["segment:0", "audio:0", "poster:0", "segment:1"]
    assert issued(job_store, 4) == []
    finish(job_store, Task(job.id, Stage.AUDIO))
    finish(job_store, Task(job.id, Stage.SEGMENT, 1))
    assert issued(job_store, 3) == ["segment:2"]
    assert issued(job_store, 99) == ["segment:3"]
    assert issued(job_store, 99) == []
    assert job_store.get(job.id).issued == 4


def test_a_smaller_budget_issues_nothing_until_enough_are_done(job_store: JobStore) -> None:
    """When encoders go, what is out stays out and nothing new comes."""
    encoding(job_store, segments=4)
    issued(job_store, 3)
    assert issued(job_store, 1) == []


def test_the_earliest_target_comes_first(job_store: JobStore) -> None:
    """All segments of the job whose target is earliest, then those of the next one."""
    late, early = placed(job_store, target=2e9, segments=3), placed(job_store, target=1e9, segments=3)
    tasks = job_store.issue(plans=0, tasks=3)
    assert [(task.job_id, task.index) for task in tasks] == [(early.id, 1), (early.id, 2), (late.id, 1)]


def test_a_new_jobs_start_comes_before_a_film(job_store: JobStore) -> None:
    """It goes by the target of the start, not by that of the whole job."""
    film = placed(job_store, target=3e9, segments=3)
    newer = encoding(job_store)
    assert [task.job_id for task in job_store.issue(plans=0, tasks=1)] == [newer.id] * 3
    assert issued(job_store, 5) == ["segment:1", "segment:1"]
    assert job_store.get(film.id).issued == 2


def test_a_task_that_rests_makes_room(job_store: JobStore) -> None:
    """A segment that fails again and again is not to keep others from the encoders; claimed anew it counts again."""
    job = placed(job_store, target=1e9, segments=4)
    assert issued(job_store, 1) == ["segment:1"]
    resting = Task(job.id, Stage.SEGMENT, 1)
    claim(job_store, resting)
    job_store.fail(resting, "a", WHY, rest=0.2)
    assert issued(job_store, 1) == ["segment:2"]
    finish(job_store, Task(job.id, Stage.SEGMENT, 2))
    wait_until(lambda: claim(job_store, resting, "b") is Claim.GRANTED)
    assert issued(job_store, 1) == []
    job_store.release(resting, "b")
    assert issued(job_store, 1) == []


@pytest.mark.parametrize("end", [JobState.CANCELLED, JobState.FAILED, None])
def test_a_job_that_goes_makes_room(job_store: JobStore, end: JobState | None) -> None:
    """Its tasks are not out any more, and none is issued; None deletes the job."""
    job, other = placed(job_store, target=1e9), placed(job_store, target=2e9)
    assert [task.job_id for task in job_store.issue(plans=0, tasks=1)] == [job.id]
    if end is None:
        job_store.delete(job.id)
    else:
        job_store.move(job.id, end)
    assert job_store.out(job.id) == frozenset()
    assert [task.job_id for task in job_store.issue(plans=0, tasks=9)] == [other.id]


def test_plans_have_a_budget_of_their_own(job_store: JobStore) -> None:
    """Jobs are planned in the order they came, so many at once; one that encodes makes room for the next."""
    jobs = [created(job_store) for _ in range(4)]
    assert [task.job_id for task in job_store.issue(plans=2, tasks=0)] == [job.id for job in jobs[:2]]
    assert job_store.issue(plans=2, tasks=0) == ()
    assert job_store.out(jobs[0].id) == {"plan:0"}
    job_store.move(jobs[1].id, JobState.PLANNING)
    assert job_store.issue(plans=2, tasks=0) == ()
    job_store.move(jobs[1].id, JobState.ENCODING, with_plan())
    assert job_store.issue(plans=2, tasks=0) == (Task(jobs[2].id, Stage.PLAN),)
    job_store.delete(jobs[0].id)
    assert job_store.issue(plans=2, tasks=0) == (Task(jobs[3].id, Stage.PLAN),)


def test_a_plan_that_rests_makes_room(job_store: JobStore) -> None:
    """A job that cannot be planned keeps no other from it."""
    first, second = created(job_store), created(job_store)
    plan = job_store.issue(plans=1, tasks=0)[0]
    claim(job_store, plan)
    job_store.move(first.id, JobState.PLANNING)
    job_store.fail(plan, "a", WHY, rest=60)
    assert job_store.issue(plans=1, tasks=0) == (Task(second.id, Stage.PLAN),)


def test_an_owner_with_one_job_is_planned_before_anothers_many(job_store: JobStore) -> None:
    """The number of jobs that an owner has in flight is counted when each is accepted."""
    many = [created(job_store, owner="many") for _ in range(3)]
    single = created(job_store, owner="single")
    order = [task.job_id for task in job_store.issue(plans=9, tasks=0)]
    assert order == [many[0].id, single.id, many[1].id, many[2].id]
    assert [job_store.get(job.id).in_flight for job in (*many, single)] == [1, 2, 3, 1]


def test_an_owners_jobs_keep_their_order(job_store: JobStore) -> None:
    """A newcomer does not pass what its owner brought before, however many of those were ready meanwhile."""
    crowd = [created(job_store, created_at=CREATED_AT + place) for place in range(5)]
    for job in crowd[1:4]:
        job_store.move(job.id, JobState.CANCELLED)
    newcomer = created(job_store, created_at=CREATED_AT + 5)
    assert newcomer.start_target > crowd[4].start_target
    assert newcomer.in_flight == pytest.approx(5.0, abs=0.1)
    other = created(job_store, owner="somebody else")
    order = [task.job_id for task in job_store.issue(plans=9, tasks=0)]
    assert order == [crowd[0].id, other.id, crowd[4].id, newcomer.id]


def test_an_urgent_job_holds_up_nothing_of_its_owner(job_store: JobStore) -> None:
    """Its lead, or what it gives up, is not counted against what comes after it."""
    low = created(job_store, priority=Priority.LOW)
    assert created(job_store).start_target < low.start_target
    assert created(job_store).in_flight == pytest.approx(3.0, abs=0.1)


def test_priority_moves_a_job(job_store: JobStore) -> None:
    """A job that is given a high priority stands before all normal ones, one with a low priority behind them."""
    first, second, third = (created(job_store, owner=f"{number}") for number in range(3))
    assert job_store.prioritise(third.id, Priority.HIGH).priority is Priority.HIGH
    job_store.prioritise(first.id, Priority.LOW)
    order = [task.job_id for task in job_store.issue(plans=9, tasks=0)]
    assert order == [third.id, second.id, first.id]
    assert position(job_store, first.id) == 3


def test_an_owner_has_a_share_of_urgent_jobs(job_store: JobStore) -> None:
    """One, and of many a tenth; another owner has a share of their own, and what is set back makes room."""
    own = [created(job_store) for _ in range(3)]
    job_store.prioritise(own[0].id, Priority.HIGH)
    assert job_store.prioritise(own[0].id, Priority.HIGH).priority is Priority.HIGH
    with pytest.raises(HighShareError):
        job_store.prioritise(own[1].id, Priority.HIGH)
    assert job_store.get(own[1].id).priority is Priority.NORMAL
    other = created(job_store, owner="another")
    assert job_store.prioritise(other.id, Priority.HIGH).priority is Priority.HIGH
    job_store.prioritise(own[0].id, Priority.NORMAL)
    job_store.prioritise(own[1].id, Priority.HIGH)
    for _ in range(17):
        created(job_store)
    job_store.prioritise(own[2].id, Priority.HIGH)
    with pytest.raises(HighShareError):
        job_store.prioritise(own[0].id, Priority.HIGH)


def test_urgent_jobs_that_are_started_again_share_as_well(job_store: JobStore) -> None:
    """Else whoever sets them high, cancels them and starts them again would have any number of them."""
    own = [created(job_store) for _ in range(3)]
    for job in own:
        job_store.prioritise(job.id, Priority.HIGH)
        job_store.move(job.id, JobState.CANCELLED)
    again = [job_store.move(job.id, JobState.QUEUED) for job in own]
    assert [job.priority for job in again] == [Priority.HIGH, Priority.NORMAL, Priority.NORMAL]
    assert again[0].start_target < again[1].start_target < again[2].start_target


def test_priority_holds_while_encoding(job_store: JobStore) -> None:
    """The segments to come are taken in the new order."""
    one, other = placed(job_store, target=1e9), placed(job_store, target=1e9 + 60)
    job_store.prioritise(other.id, Priority.HIGH)
    assert [task.job_id for task in job_store.issue(plans=0, tasks=2)] == [other.id, one.id]


def test_a_plan_keeps_a_priority_that_came_while_it_was_made(job_store: JobStore) -> None:
    """Where the whole job stands follows from where its start stands at that moment."""
    job = created(job_store)
    job_store.move(job.id, JobState.PLANNING)
    low = job_store.prioritise(job.id, Priority.LOW)
    planned = job_store.move(job.id, JobState.ENCODING, replace(with_plan(), after_start=50.0))
    assert planned.target == pytest.approx(low.start_target + 50.0)
    assert planned.start_target == low.start_target > job.start_target


def test_a_finished_job_has_no_priority_to_change(job_store: JobStore) -> None:
    """It says so; an unknown job is not found."""
    job = created(job_store)
    job_store.move(job.id, JobState.CANCELLED)
    with pytest.raises(TransitionError):
        job_store.prioritise(job.id, Priority.HIGH)
    with pytest.raises(JobNotFoundError):
        job_store.prioritise(new_job_id(), Priority.HIGH)


def test_a_job_started_again_takes_a_new_place_and_keeps_its_priority(job_store: JobStore) -> None:
    """It has no plan, so its target is that of its start; nothing of it is out."""
    job = placed(job_store, target=1e9)
    job_store.prioritise(job.id, Priority.HIGH)
    before = job_store.get(job.id)
    job_store.move(job.id, JobState.CANCELLED)
    again = job_store.move(job.id, JobState.QUEUED)
    assert (again.priority, again.issued, again.in_flight) == (Priority.HIGH, 0, 1)
    assert again.target == again.start_target > before.start_target
    assert job_store.issue(plans=9, tasks=9) == (Task(job.id, Stage.PLAN),)


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
    assert not job_store.interim(task, "a", {"frames": 1})
    claim(job_store, task)
    assert job_store.interim(task, "a", {"frames": 2})
    assert not job_store.interim(task, "b", {"frames": 3})
    assert job_store.results(task.job_id) == {}
    assert job_store.results(task.job_id, interim=True) == {"audio:0": {"frames": 2}}
    job_store.finish(task, "a", {"frames": 4})
    assert job_store.results(task.job_id, interim=True) == job_store.results(task.job_id) == {"audio:0": {"frames": 4}}


@pytest.mark.parametrize("first", ["audio", "segment"])
def test_a_job_is_playable_with_its_first_segment_and_its_first_sound(job_store: JobStore, first: str) -> None:
    """Whichever comes last makes it so, once, with one event."""
    job = encoding(job_store)
    audio, segment = Task(job.id, Stage.AUDIO), Task(job.id, Stage.SEGMENT, 0)
    claim(job_store, audio)
    claim(job_store, segment)
    steps: list[Callable[[], object]] = [
        lambda: job_store.interim(audio, "a", {"frames": 1}),
        lambda: job_store.finish(segment, "a", {}),
    ]
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
    plan = make_plan(segments=1, frames=200)
    anew = job_store.replan(job.id, plan, make_segments(plan), (warning("not_cut"),))
    assert (anew.frames_done, anew.issued, anew.playable, anew.warnings) == (0, 0, False, (warning("not_cut"),))
    assert not job_store.renew(running, "a", lease_seconds=LEASE)
    assert set(job_store.results(job.id)) == {"audio:0", "poster:0"}
    assert issued(job_store, 9) == ["segment:0"]
    assert claim(job_store, tasks[2], "b") is Claim.GRANTED
    assert job_store.finish(tasks[2], "b", {})
    assert job_store.get(job.id).frames_done == 200


def test_a_new_plan_leaves_running_sound_alone(job_store: JobStore) -> None:
    """The sound does not depend on the cuts: its attempt keeps its lease, its count and what it has so far."""
    job = encoding(job_store)
    audio, segment = Task(job.id, Stage.AUDIO), Task(job.id, Stage.SEGMENT, 1)
    for task in (audio, segment):
        claim(job_store, task)
    job_store.interim(audio, "a", {"frames": 1})
    plan = make_plan(segments=1, frames=200)
    job_store.replan(job.id, plan, make_segments(plan), ())
    assert held(job_store, job.id) == {"audio:0"}
    assert job_store.attempts(job.id) == {"audio:0": 1}
    assert job_store.renew(audio, "a", lease_seconds=LEASE)
    assert job_store.results(job.id, interim=True) == {"audio:0": {"frames": 1}}
    assert not job_store.finish(audio, "a", {"made": True})


def test_only_an_encoding_job_is_planned_anew(job_store: JobStore) -> None:
    """A job that ended meanwhile stays as it is."""
    job = encoding(job_store)
    job_store.move(job.id, JobState.CANCELLED)
    with pytest.raises(TransitionError):
        job_store.replan(job.id, make_plan(), (), ())
