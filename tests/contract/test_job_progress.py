"""Progress and results of the JobStore contract, on a real Redis."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from storage.job_store.contract import Claim, JobStore
from storage.model.job import JobState
from storage.model.task import Stage, Task
from tests.support.jobs import LEASE, claim, encoding
from tests.support.waiting import wait_until


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
    assert job_store.leases(job.id) == {}
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


def test_results_keep_their_json(job_store: JobStore) -> None:
    """Numbers, text, lists and nothing at all come back as they went in."""
    task = Task(encoding(job_store).id, Stage.AUDIO)
    claim(job_store, task)
    result = {"bytes": 2**53, "seconds": 1.25, "name": "ü\n\x00", "list": [], "map": {}, "none": None}
    job_store.finish(task, "a", result)
    assert job_store.results(task.job_id)["audio:0"] == result
