"""The JobStore contract, on the in-memory twin and on a real Redis."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from storage.errors import (
    InvalidRequestError,
    JobExistsError,
    JobNotFoundError,
    LeaseLostError,
    TransitionError,
)
from storage.job_store import RATES_KEPT, Claim, JobStore, QueueCounts
from storage.jobs import Changes, Job, JobError, JobState, Output, Stage, Task, new_job_id
from tests.support.jobs import CREATED_AT, make_job, make_plan
from tests.support.waiting import wait_until

LEASE = 30.0
LIMIT = 3


def claim(store: JobStore, task: Task, attempt: str = "a", *, lease: float = LEASE, limit: int = LIMIT) -> Claim:
    """Claim with the defaults of these tests."""
    return store.claim(task, attempt, lease_seconds=lease, limit=limit)


def created(store: JobStore, **fields: object) -> Job:
    """Create a job and return it."""
    job = make_job(**fields)
    store.create(job)
    return job


def encoding(store: JobStore, *, segments: int = 2, audio: bool = True) -> Job:
    """Create a job and bring it to `encoding`."""
    job = created(store)
    store.move(job.id, JobState.PLANNING)
    return store.move(job.id, JobState.ENCODING, Changes(plan=make_plan(segments=segments, audio=audio)))


def finish_all(store: JobStore, job: Job) -> None:
    """Finish every task of an encoding job."""
    assert job.plan is not None
    stages = [Task(job.id, Stage.POSTER), Task(job.id, Stage.AUDIO)]
    for task in (*stages, *(Task(job.id, Stage.SEGMENT, segment.index) for segment in job.plan.segments)):
        if claim(store, task) is Claim.GRANTED:
            store.finish(task, "a", {"made": True})


# --- records and moves


def test_a_created_job_reads_back_as_it_was(job_store: JobStore) -> None:
    """Every field survives, whatever characters it holds."""
    job = created(job_store, webhook_url="https://example.org/hook?a=1&b=ü")
    assert job_store.get(job.id) == job


def test_create_keeps_a_job_in_any_state(job_store: JobStore) -> None:
    """A rebuilt record comes back with plan, outputs, warnings, error and times."""
    job = make_job(
        state=JobState.FAILED,
        started_at=CREATED_AT + 1.5,
        encoding_at=CREATED_AT + 2.125,
        finished_at=CREATED_AT + 9,
        plan=make_plan(),
        frames_done=17,
        has_poster=True,
        outputs=(Output("1080p", 10**12),),
        warnings=("a", "b"),
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
    assert job_store.position(unknown) is None
    assert job_store.results(unknown) == {}
    assert job_store.leased(unknown) == frozenset()
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
    ready = job_store.move(job.id, JobState.READY, Changes(outputs=outputs, warnings=("truncated",)))
    assert (ready.state, ready.outputs, ready.warnings) == (JobState.READY, outputs, ("truncated",))
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
    job_store.move(job.id, JobState.FAILED, Changes(error=JobError("tool_failed", "It broke."), warnings=("w",)))
    again = job_store.move(job.id, JobState.QUEUED)
    fresh = Job(job.id, job.owner, job.title, job.filename, job.size, job.created_at, job.webhook_url)
    assert again == fresh
    assert job_store.results(job.id) == {}
    assert job_store.leased(job.id) == frozenset()
    job_store.move(job.id, JobState.PLANNING)
    job_store.move(job.id, JobState.ENCODING, Changes(plan=make_plan()))
    assert not job_store.renew(Task(job.id, Stage.SEGMENT, 1), "old", lease_seconds=LEASE)
    assert claim(job_store, Task(job.id, Stage.SEGMENT, 1), "new", limit=1) is Claim.GRANTED


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
    job_store.create(job)
    assert job_store.results(job.id) == {}


# --- lists and counts


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


@pytest.mark.parametrize("cursor", ["", "0", "x" * 50, "00000000000000000:zz", "-inf"])
def test_a_made_up_cursor_is_refused(job_store: JobStore, cursor: str) -> None:
    """Only what a page gave is a cursor."""
    with pytest.raises(InvalidRequestError):
        job_store.page(owner="local", state=None, limit=1, cursor=cursor)


def test_positions_count_who_comes_first(job_store: JobStore) -> None:
    """The first is 1; one that started has none and the others move up; one that starts again goes to the end."""
    first, second, third = (created(job_store) for _ in range(3))
    assert [job_store.position(job.id) for job in (first, second, third)] == [1, 2, 3]
    job_store.move(first.id, JobState.PLANNING)
    assert [job_store.position(job.id) for job in (first, second, third)] == [None, 1, 2]
    job_store.move(first.id, JobState.FAILED)
    job_store.move(first.id, JobState.QUEUED)
    assert [job_store.position(job.id) for job in (second, third, first)] == [1, 2, 3]


def test_counts_and_unfinished_follow_the_moves(job_store: JobStore) -> None:
    """Waiting, active and finished jobs are told apart; the unfinished come oldest first."""
    newer = created(job_store, created_at=CREATED_AT + 5)
    older = created(job_store)
    done = created(job_store)
    job_store.move(done.id, JobState.CANCELLED)
    job_store.move(newer.id, JobState.PLANNING)
    assert job_store.counts() == QueueCounts(waiting=1, active=1)
    assert job_store.unfinished() == (older.id, newer.id)


def test_rates_are_kept_of_the_last_ready_jobs(job_store: JobStore) -> None:
    """Each ready job adds seconds of work per second of video; failed ones add nothing."""
    assert job_store.recent_rates() == ()
    failed = encoding(job_store)
    job_store.move(failed.id, JobState.FAILED)
    for _ in range(RATES_KEPT + 2):
        job = encoding(job_store, segments=1)
        job_store.move(job.id, JobState.PACKAGING)
        job_store.move(job.id, JobState.READY)
    rates = job_store.recent_rates()
    assert len(rates) == RATES_KEPT
    ready = job_store.get(job.id)
    assert ready.plan is not None
    assert ready.finished_at is not None
    assert ready.encoding_at is not None
    assert rates[0] == pytest.approx((ready.finished_at - ready.encoding_at) / ready.plan.duration, abs=1e-5)


# --- claims


@pytest.mark.parametrize(
    ("stage", "wanted_in"),
    [
        (Stage.PLAN, {JobState.QUEUED, JobState.PLANNING}),
        (Stage.SEGMENT, {JobState.ENCODING}),
        (Stage.AUDIO, {JobState.ENCODING}),
        (Stage.POSTER, {JobState.ENCODING}),
        (Stage.PACKAGE, {JobState.PACKAGING}),
    ],
)
def test_a_stage_is_wanted_in_its_own_state_only(job_store: JobStore, stage: Stage, wanted_in: set[JobState]) -> None:
    """A delivery that comes too early, too late or for a finished job is obsolete."""
    for state in JobState:
        job = created(job_store, state=state, plan=None if state is JobState.QUEUED else make_plan())
        expected = Claim.GRANTED if state in wanted_in else Claim.OBSOLETE
        assert claim(job_store, Task(job.id, stage)) is expected


def test_tasks_outside_the_plan_are_obsolete(job_store: JobStore) -> None:
    """A segment the plan does not have, and audio of a silent video, are not wanted."""
    job = encoding(job_store, segments=2, audio=False)
    assert claim(job_store, Task(job.id, Stage.SEGMENT, 2)) is Claim.OBSOLETE
    assert claim(job_store, Task(job.id, Stage.AUDIO)) is Claim.OBSOLETE


def test_a_held_task_is_held_until_it_is_released(job_store: JobStore) -> None:
    """A second attempt gets nothing while the first lives; the same attempt may ask again without a count."""
    task = Task(encoding(job_store).id, Stage.SEGMENT, 0)
    assert claim(job_store, task, "a", limit=2) is Claim.GRANTED
    assert claim(job_store, task, "a", limit=2) is Claim.GRANTED
    assert claim(job_store, task, "b", limit=2) is Claim.HELD
    assert job_store.leased(task.job_id) == {"segment:0"}
    job_store.release(task, "b")
    assert claim(job_store, task, "b", limit=2) is Claim.HELD
    job_store.release(task, "a")
    assert job_store.leased(task.job_id) == frozenset()
    assert claim(job_store, task, "b", limit=2) is Claim.GRANTED
    job_store.release(task, "b")
    assert claim(job_store, task, "c", limit=2) is Claim.SPENT


def test_a_refund_takes_the_count_back_once(job_store: JobStore) -> None:
    """Drains do not use up attempts, and a repeated release does not refund twice."""
    task = Task(encoding(job_store).id, Stage.AUDIO)
    for number in range(5):
        assert claim(job_store, task, f"drained {number}", limit=1) is Claim.GRANTED
        job_store.release(task, f"drained {number}", refund=True)
        job_store.release(task, f"drained {number}", refund=True)
    assert claim(job_store, task, "last", limit=1) is Claim.GRANTED
    job_store.release(task, "last")
    assert claim(job_store, task, "one more", limit=1) is Claim.SPENT


def test_a_lease_ends_by_itself(job_store: JobStore) -> None:
    """After `lease_seconds` without a renewal the task is free, and the first attempt has lost it."""
    task = Task(encoding(job_store).id, Stage.SEGMENT, 0)
    assert claim(job_store, task, "a", lease=0.2) is Claim.GRANTED
    wait_until(lambda: claim(job_store, task, "b") is Claim.GRANTED, seconds=5)
    assert not job_store.renew(task, "a", lease_seconds=LEASE)
    assert not job_store.report(task, "a", 5)
    with pytest.raises(LeaseLostError):
        job_store.finish(task, "a", {})


def test_a_renewed_lease_lasts(job_store: JobStore) -> None:
    """Renewal begins a new term, for the holder only."""
    task = Task(encoding(job_store).id, Stage.SEGMENT, 0)
    claim(job_store, task, "a", lease=0.5)
    assert not job_store.renew(task, "b", lease_seconds=LEASE)
    assert job_store.renew(task, "a", lease_seconds=LEASE)
    assert claim(job_store, task, "b") is Claim.HELD


def test_a_lease_that_nobody_took_is_revived(job_store: JobStore) -> None:
    """A worker that could not renew while Redis was away goes on and wastes no attempt."""
    task = Task(encoding(job_store).id, Stage.SEGMENT, 0)
    claim(job_store, task, "a", lease=0.05, limit=1)
    wait_until(lambda: not job_store.leased(task.job_id), seconds=5)
    assert job_store.renew(task, "a", lease_seconds=LEASE)
    assert job_store.leased(task.job_id) == {"segment:0"}
    assert claim(job_store, task, "a", limit=1) is Claim.GRANTED
    assert not job_store.finish(task, "a", {})


@pytest.mark.parametrize("end", [JobState.CANCELLED, JobState.FAILED])
def test_a_stopped_job_takes_the_leases_from_its_workers(job_store: JobStore, end: JobState) -> None:
    """Renewals and results are refused, while `leased` still shows who may be writing."""
    task = Task(encoding(job_store).id, Stage.SEGMENT, 0)
    claim(job_store, task, "a")
    job_store.move(task.job_id, end)
    assert not job_store.renew(task, "a", lease_seconds=LEASE)
    assert not job_store.report(task, "a", 10)
    with pytest.raises(LeaseLostError):
        job_store.finish(task, "a", {})
    assert job_store.leased(task.job_id) == {"segment:0"}
    job_store.release(task, "a")
    assert job_store.leased(task.job_id) == frozenset()


def test_of_many_claimers_one_is_granted(job_store: JobStore) -> None:
    """Sixteen threads that claim the same task at once get one grant and fifteen refusals."""
    task = Task(encoding(job_store).id, Stage.SEGMENT, 0)
    start = threading.Barrier(16)

    def race(number: int) -> Claim:
        start.wait(10)
        return claim(job_store, task, f"attempt {number}")

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(race, range(16)))
    assert answers.count(Claim.GRANTED) == 1
    assert answers.count(Claim.HELD) == 15


def test_the_plan_goes_on_under_its_lease(job_store: JobStore) -> None:
    """Moving to planning keeps the planner's lease; moving to encoding ends it."""
    task = Task(created(job_store).id, Stage.PLAN)
    claim(job_store, task)
    job_store.move(task.job_id, JobState.PLANNING)
    assert job_store.renew(task, "a", lease_seconds=LEASE)
    assert job_store.finish(task, "a", {})
    assert claim(job_store, task, "b") is Claim.GRANTED  # a crash between finish and move is mended
    job_store.move(task.job_id, JobState.ENCODING, Changes(plan=make_plan()))
    assert not job_store.renew(task, "b", lease_seconds=LEASE)
    assert job_store.leased(task.job_id) == frozenset()


# --- progress and results


def test_reports_add_up_and_never_exceed_the_plan(job_store: JobStore) -> None:
    """Frames of all segments are summed; a tool that reports too many or negative frames changes nothing more."""
    job = encoding(job_store)
    first, second = (Task(job.id, Stage.SEGMENT, index) for index in range(2))
    claim(job_store, first)
    claim(job_store, second)
    seen = []
    for task, frames in ((first, 10), (second, 5), (first, 30), (first, 30), (first, 5000), (second, -3)):
        assert job_store.report(task, "a", frames)
        seen.append(job_store.get(job.id).frames_done)
    assert seen == [10, 15, 35, 35, 105, 105]
    assert not job_store.report(first, "b", 1)


def test_progress_does_not_go_down_when_an_attempt_starts_over(job_store: JobStore) -> None:
    """A new attempt's frames count from where the last one got to."""
    task = Task(encoding(job_store).id, Stage.SEGMENT, 0)
    claim(job_store, task, "a")
    job_store.report(task, "a", 60)
    job_store.release(task, "a")
    claim(job_store, task, "b")
    job_store.report(task, "b", 20)
    assert job_store.get(task.job_id).frames_done == 60
    job_store.report(task, "b", 61)
    assert job_store.get(task.job_id).frames_done == 61


def test_the_last_finish_says_so_even_when_repeated(job_store: JobStore) -> None:
    """Whoever finishes last learns it, again if the answer was lost; finished frames are all counted."""
    job = encoding(job_store)
    tasks = [Task(job.id, stage) for stage in (Stage.POSTER, Stage.AUDIO)]
    tasks += [Task(job.id, Stage.SEGMENT, index) for index in range(2)]
    for task in tasks:
        claim(job_store, task)
    answers = [job_store.finish(task, "a", {"made": True, "size": number}) for number, task in enumerate(tasks)]
    assert answers == [False, False, False, True]
    assert [job_store.finish(task, "other", {"size": 99}) for task in tasks] == answers
    after = job_store.get(job.id)
    assert (after.frames_done, after.has_poster) == (200, True)
    assert job_store.results(job.id) == {
        task.field: {"made": True, "size": number} for number, task in enumerate(tasks)
    }
    assert claim(job_store, tasks[0], "b") is Claim.DONE
    assert job_store.leased(job.id) == frozenset()
    job_store.move(job.id, JobState.PACKAGING)
    assert job_store.finish(tasks[-1], "a", {}) is True
    package = Task(job.id, Stage.PACKAGE)
    assert claim(job_store, package) is Claim.GRANTED
    assert job_store.finish(package, "a", {}) is True


def test_racing_finishers_agree_on_who_was_last(job_store: JobStore) -> None:
    """Of eight segments finished at once exactly one answer is True."""
    job = encoding(job_store, segments=8, audio=False)
    poster = Task(job.id, Stage.POSTER)
    claim(job_store, poster)
    job_store.finish(poster, "a", {})
    tasks = [Task(job.id, Stage.SEGMENT, index) for index in range(8)]
    for task in tasks:
        assert claim(job_store, task) is Claim.GRANTED
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda task: job_store.finish(task, "a", {}), tasks))
    assert answers.count(True) == 1
    assert job_store.get(job.id).frames_done == 800


def test_a_poster_that_could_not_be_made_is_finished_all_the_same(job_store: JobStore) -> None:
    """The task counts as done, but nobody is told to fetch a poster."""
    task = Task(encoding(job_store).id, Stage.POSTER)
    claim(job_store, task)
    job_store.finish(task, "a", {"made": False})
    assert not job_store.get(task.job_id).has_poster
    assert job_store.events(task.job_id, "0")[-1].type == "task"
    assert claim(job_store, task) is Claim.DONE


def test_a_role_has_one_holder(job_store: JobStore) -> None:
    """Others wait until its time is over; the holder prolongs it."""
    assert job_store.hold("janitor", "a", seconds=0.3)
    assert not job_store.hold("janitor", "b", seconds=LEASE)
    assert job_store.hold("other", "b", seconds=LEASE)
    assert job_store.hold("janitor", "a", seconds=0.2)
    wait_until(lambda: job_store.hold("janitor", "b", seconds=LEASE), seconds=5)
    assert not job_store.hold("janitor", "a", seconds=LEASE)


def test_releasing_tells_the_attempts_counted(job_store: JobStore) -> None:
    """The count is what `claim` compares with its limit; a refund takes one off."""
    task = Task(encoding(job_store).id, Stage.AUDIO)
    claim(job_store, task, "a")
    assert job_store.release(task, "a") == 1
    claim(job_store, task, "b")
    assert job_store.release(task, "b", refund=True) == 1
    assert job_store.release(task, "b", refund=True) == 1
    assert job_store.release(Task(new_job_id(), Stage.AUDIO), "a") == 0


def test_results_keep_their_json(job_store: JobStore) -> None:
    """Numbers, text, lists and nothing at all come back as they went in."""
    task = Task(encoding(job_store).id, Stage.AUDIO)
    claim(job_store, task)
    result = {"bytes": 2**53, "seconds": 1.25, "name": "ü\n\x00", "list": [], "map": {}, "none": None}
    job_store.finish(task, "a", result)
    assert job_store.results(task.job_id)["audio:0"] == result


# --- events


def test_a_jobs_events_tell_its_story(job_store: JobStore) -> None:
    """Every change has its event, in order, with its data; ids only grow."""
    job = encoding(job_store, segments=1, audio=False)
    finish_all(job_store, job)
    job_store.move(job.id, JobState.PACKAGING)
    events = job_store.events(job.id, "0")
    assert [(event.type, event.data) for event in events] == [
        ("created", {"state": "queued"}),
        ("state", {"state": "planning"}),
        ("state", {"state": "encoding"}),
        ("poster", {}),
        ("progress", {"frames_done": 100, "frames": 100}),
        ("task", {"field": "segment:0"}),
        ("state", {"state": "packaging"}),
    ]
    orders = [tuple(map(int, event.id.split("-"))) for event in events]
    assert orders == sorted(set(orders))
    assert {event.job_id for event in events} == {job.id}
    assert job_store.events(job.id, events[4].id) == events[5:]


def test_events_of_all_jobs_share_their_ids(job_store: JobStore) -> None:
    """The log of all jobs holds the same events as the jobs' own logs."""
    first, second = created(job_store), created(job_store)
    job_store.move(first.id, JobState.CANCELLED)
    every = job_store.events(None, "0")
    assert [event.job_id for event in every] == [first.id, second.id, first.id]
    assert [event for event in every if event.job_id == first.id] == list(job_store.events(first.id, "0"))
    assert job_store.last_event_id() == every[-1].id
    assert job_store.events(None, "0", limit=2) == every[:2]


@pytest.mark.parametrize("after", ["", "x", "1-", "$", "+", "(5", "1-1-1"])
def test_what_is_no_event_id_is_refused(job_store: JobStore, after: str) -> None:
    """A made-up Last-Event-ID is a request error, not a fault of the store."""
    with pytest.raises(InvalidRequestError):
        job_store.events(None, after)


def test_the_first_event_id_is_zero(job_store: JobStore) -> None:
    """A store without events says `0-0`."""
    assert job_store.last_event_id() == "0-0"


def test_waiting_ends_with_the_first_event(job_store: JobStore) -> None:
    """A watcher that waits is given what happens, long before its time is over."""
    with ThreadPoolExecutor(1) as pool:
        job = created(job_store)
        watcher = pool.submit(job_store.wait_events, job_store.last_event_id(), seconds=20.0)
        job_store.move(job.id, JobState.CANCELLED)
        events = watcher.result(timeout=10)
    assert [event.data for event in events] == [{"state": "cancelled"}]


def test_waiting_from_now_on_ignores_the_past(job_store: JobStore) -> None:
    """With `$` nothing old is returned, and nothing new means an empty answer after the time."""
    created(job_store)
    assert job_store.wait_events("$", seconds=0.2) == ()


def test_waiting_gives_what_was_missed(job_store: JobStore) -> None:
    """Events after the id that happened before the call come at once."""
    start = job_store.last_event_id()
    job = created(job_store)
    assert [event.job_id for event in job_store.wait_events(start, seconds=20.0)] == [job.id]


def test_ping_answers(job_store: JobStore) -> None:
    """A store that is there raises nothing."""
    job_store.ping()
