"""What `/api/queue` and its history say of the queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storage.job_store.queue_contract import Pause
from storage.model.job import JobState
from storage.model.layers import Layer
from storage.model.task import Stage, Task
from storage.services import Services
from storage.services.queue_reading import estimate_all
from tests.support.jobs import CREATED_AT, claim, encoding, make_job, make_plan, with_plan
from tests.support.samples import EMPTY
from web.schemas.queue import Queue, QueueHistory


def queue(client: FlaskClient) -> Queue:
    """Ask for the queue; the answer is exactly the documented model."""
    shown = client.get("/api/queue").get_json()
    found = Queue.model_validate(shown)
    assert found.model_dump(mode="json") == shown
    return found


def test_an_idle_installation(client: FlaskClient) -> None:
    """Nothing waits, nothing is known of rates, and uploads are taken."""
    found = queue(client)
    assert (found.waiting, found.active, found.wait_seconds, found.jobs, found.workers) == (0, 0, 0.0, [], [])
    assert (found.admission.open, found.admission.code, found.refused) == (True, None, {})
    assert (found.rates.utilisation, found.rates.jobs_by_little, found.promises.compared) == (None, None, 0)


def test_the_queue_shows_what_waits_and_runs(client: FlaskClient, own_services: Services) -> None:
    """Counts, places and progress of the unfinished jobs, oldest first, and the work of each kind."""
    running = make_job(state=JobState.ENCODING, plan=make_plan(), frames_done=100, begun_at=CREATED_AT)
    waiting = make_job(created_at=CREATED_AT + 1)
    for made in (waiting, running, make_job(state=JobState.READY)):
        own_services.jobs.create(made)
    estimate_all(own_services.jobs)
    found = queue(client)
    assert (found.waiting, found.active, found.uploads) == (1, 1, 0)
    assert found.running_work_seconds > 0
    assert found.waiting_work_seconds > found.running_work_seconds  # half of the same plan is done
    assert [(job.id, job.queue_position) for job in found.jobs] == [(running.id, None), (waiting.id, 1)]


def test_each_machine_shows_what_it_does(client: FlaskClient, own_services: Services) -> None:
    """Its slots, and the tasks that attempts on it hold; planning takes no slot."""
    store = own_services.jobs
    job = encoding(store)
    other = make_job()
    store.create(other)
    for worker, slots in (("one:7", 2), ("one:8", 1), ("two:7", 4)):
        store.announce(worker, slots, seconds=60)
    claim(store, Task(job.id, Stage.SEGMENT, 1), "one_70_abc")
    claim(store, Task(other.id, Stage.PLAN), "control_9_abc")
    found = queue(client)
    assert [(worker.name, worker.slots, [(it.job_id, it.task) for it in worker.tasks]) for worker in found.workers] == [
        ("control", 0, [(other.id, "plan:0")]),
        ("one", 3, [(job.id, "segment:1")]),
        ("two", 4, []),
    ]
    assert (found.slots, found.busy) == (7, 1)


def test_a_machine_that_pauses_says_why(client: FlaskClient, own_services: Services) -> None:
    """It has no slots meanwhile; the others have theirs."""
    own_services.jobs.announce("one:7", 0, seconds=60, pause=Pause.SCRATCH)
    own_services.jobs.announce("two:7", 4, seconds=60)
    found = queue(client)
    assert [(worker.name, worker.slots, worker.pause) for worker in found.workers] == [
        ("one", 0, Pause.SCRATCH),
        ("two", 4, None),
    ]
    page = client.get("/queue", headers={"Accept-Language": "ko"}).get_data(as_text=True)
    assert "일시 중지: 작업 디스크 공간 부족" in page
    assert "paused: scratch disk is nearly full" in client.get("/queue").get_data(as_text=True)


def test_a_machine_whose_sandbox_lacks_a_layer_says_so(client: FlaskClient, own_services: Services) -> None:
    """Beside its slots; one without slots says it too."""
    own_services.jobs.announce("one:7", 2, seconds=60, lacks=(Layer.PORTS,))
    own_services.jobs.announce("two:7", 0, seconds=60, lacks=(Layer.FILES, Layer.CALLS))
    own_services.jobs.announce("three:7", 1, seconds=60)
    found = queue(client)
    assert {worker.name: worker.lacks for worker in found.workers} == {
        "one": [Layer.PORTS],
        "two": [Layer.FILES, Layer.CALLS],
        "three": [],
    }
    page = client.get("/queue").get_data(as_text=True)
    assert "0 of 2 · no sandbox around ports" in page
    assert ">no sandbox around files · no sandbox around system calls<" in page
    assert "네트워크 포트 격리 없음" in client.get("/queue", headers={"Accept-Language": "ko"}).get_data(as_text=True)


def test_the_page_goes_on_in_the_words_it_began_with(client: FlaskClient, own_services: Services) -> None:
    """What its script fetches is worded by the server, in the language of the request."""
    store = own_services.jobs
    job = encoding(store)
    store.announce("one:7", 2, seconds=60)
    claim(store, Task(job.id, Stage.SEGMENT, 1), "one_70_abc")
    worded = client.get("/queue/words").get_json()
    held = {"job_id": job.id, "words": f"segment 2 of {job.title}"}
    assert worded["workers"] == [{"name": "one", "load": "1 of 2", "tasks": [held]}]
    assert (worded["open"], worded["figures"]["slots"]) == (True, "1 of 2")
    page = client.get("/queue").get_data(as_text=True)
    assert all(words in page for words in (worded["admission"], held["words"], *worded["figures"].values()))
    korean = client.get("/queue/words", headers={"Accept-Language": "ko"}).get_json()
    assert korean["workers"][0]["tasks"][0]["words"].endswith("구간 2")


def test_rates_come_from_samples_and_finished_jobs(client: FlaskClient, own_services: Services) -> None:
    """A job every 30 s that costs 20 encoder-seconds keeps two slots busy for a third of their time."""
    store = own_services.jobs
    store.announce("one:1", 2, seconds=60)
    job = make_job()
    store.create(job)
    store.move(job.id, JobState.PLANNING)
    store.move(job.id, JobState.ENCODING, with_plan(segments=1))
    task = Task(job.id, Stage.SEGMENT, 0)
    claim(store, task)
    store.finish(task, "a", {"seconds": 20.0})
    store.move(job.id, JobState.PACKAGING)
    store.move(job.id, JobState.READY)
    for number in range(61):
        store.record_sample(
            replace(
                EMPTY, at=number * 10.0, running=2, arrived=number // 3, ended=number // 3, stayed=number // 3 * 60.0
            )
        )
    found = queue(client).rates
    assert (found.measured_seconds, found.arrivals_per_hour, found.service_per_hour) == (600, 120.0, 360.0)
    assert found.utilisation == pytest.approx(1 / 3, abs=0.01)
    assert (found.jobs, found.stay_seconds, found.jobs_by_little) == (2.0, 60.0, 2.0)


def test_a_full_queue_says_why_uploads_are_refused(make_app: Callable[..., Flask], own_services: Services) -> None:
    """With the code of the refusal and the time when there will be room."""
    own_services.jobs.create(make_job(size=100_000_000))
    estimate_all(own_services.jobs)
    found = queue(make_app(own_services, admission_max_wait_seconds=60, encoders=1).test_client())
    assert (found.admission.open, found.admission.code, found.admission.max_wait_seconds) == (False, "queue_full", 60)
    assert found.admission.retry_after == pytest.approx(found.wait_seconds - 60, abs=1)


def test_the_last_hour_comes_as_columns(client: FlaskClient, own_services: Services) -> None:
    """One figure for each time; what is counted, by the minute; a store that began anew counts from nothing."""
    for number, arrived in enumerate((5, 8, 0)):
        own_services.jobs.record_sample(replace(EMPTY, at=10.0 * number, waiting=number, arrived=arrived))
    shown = client.get("/api/queue/history").get_json()
    found = QueueHistory.model_validate(shown)
    assert found.model_dump(mode="json") == shown
    assert (found.at, found.waiting, found.arrived) == ([10.0, 20.0], [1, 2], [18.0, 0.0])
    assert {len(column) for column in shown.values()} == {2}


def test_counts_are_smoothed_over_a_minute(client: FlaskClient, own_services: Services) -> None:
    """One job is one a minute for a minute, not six a minute for ten seconds."""
    for number in range(9):
        own_services.jobs.record_sample(replace(EMPTY, at=10.0 * number, ended=int(number > 1)))
    found = QueueHistory.model_validate(client.get("/api/queue/history").get_json())
    assert found.ended == [0.0, 3.0, 2.0, 1.5, 1.2, 1.0, 1.0, 0.0]
