"""Event streams: the present state first, then what was missed, then the end."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from storage.model.job import Job, JobState
from storage.services import Services
from tests.support.jobs import CREATED_AT, make_job
from tests.support.streams import Sent, parse_events
from web.read.event_hub import Update
from web.routes import events
from web.words.language import language


def read(client: FlaskClient, path: str, last_event_id: str | None = None) -> list[Sent]:
    """Return all events of a stream that ends by itself."""
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    with client.get(path, headers=headers) as answer:
        assert answer.mimetype == "text/event-stream"
        assert answer.headers["X-Accel-Buffering"] == "no"
        assert answer.headers["Cache-Control"] == "no-store"
        return list(parse_events(answer.get_data(as_text=True).splitlines()))


@pytest.fixture
def job(own_services: Services) -> Job:
    """Give a job that was created, planned and cancelled."""
    made = make_job()
    own_services.jobs.create(made)
    own_services.jobs.move(made.id, JobState.PLANNING)
    own_services.jobs.move(made.id, JobState.CANCELLED)
    return made


def test_a_finished_job_is_shown_and_the_stream_ends(client: FlaskClient, own_services: Services, job: Job) -> None:
    """One `job` event with the whole job; its id is where a reconnection goes on."""
    (only,) = read(client, f"/api/jobs/{job.id}/events")
    assert (only.kind, only.data["job"]["state"]) == ("job", "cancelled")
    assert only.id == own_services.jobs.last_event_id()


def test_what_was_missed_is_replayed(client: FlaskClient, own_services: Services, job: Job) -> None:
    """After the present state come the events behind Last-Event-ID, each with the present job, and the end."""
    first, *_ = own_services.jobs.events(job.id, "0")
    sent = read(client, f"/api/jobs/{job.id}/events", first.id)
    assert [(event.kind, event.data.get("data")) for event in sent] == [
        ("job", None),
        ("state", {"state": "planning"}),
        ("state", {"state": "cancelled"}),
    ]
    assert all(event.data["job"]["state"] == "cancelled" for event in sent)
    assert sent[0].id == first.id
    assert read(client, f"/api/jobs/{job.id}/events?last_event_id={first.id}") == sent


def test_who_knows_the_end_is_told_to_stay_away(client: FlaskClient, own_services: Services, job: Job) -> None:
    """204 makes a browser stop connecting."""
    headers = {"Last-Event-ID": own_services.jobs.last_event_id()}
    assert client.get(f"/api/jobs/{job.id}/events", headers=headers).status_code == 204


@pytest.mark.parametrize("wrong", ["x", "1", "1-2-3", "-1"])
def test_a_foreign_event_id_is_no_reason_to_fail(client: FlaskClient, job: Job, wrong: str) -> None:
    """A header in another form gets the present state; a query in another form is refused."""
    assert read(client, f"/api/jobs/{job.id}/events", wrong)[0].data["job"]["state"] == "cancelled"
    answer = client.get(f"/api/jobs/{job.id}/events?last_event_id={wrong}")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_request")


def test_the_stream_of_all_begins_with_recent_jobs(client: FlaskClient, own_services: Services, job: Job) -> None:
    """The oldest of the recent jobs comes first, so that the newest ends on top; then what happens."""
    newer = make_job(created_at=CREATED_AT + 9)
    own_services.jobs.create(newer)
    with client.get("/api/events", buffered=False) as answer:
        lines = (line for chunk in answer.iter_encoded() for line in chunk.decode().splitlines())
        events = parse_events(lines)
        assert [next(events).data["job"]["id"] for _ in range(2)] == [job.id, newer.id]
        own_services.jobs.delete(newer.id)
        gone = next(events)
        assert (gone.kind, gone.data["job_id"], gone.data["job"]) == ("deleted", newer.id, None)


def test_no_more_watchers_than_threads_allow(client: FlaskClient) -> None:
    """Streams hold threads: the one too many gets 503 with a time, and there is room again when one leaves."""
    streams = [client.get("/api/events", buffered=False) for _ in range(6)]
    refused = client.get("/api/events")
    assert (refused.status_code, refused.get_json()["code"]) == (503, "busy")
    assert int(refused.headers["Retry-After"]) > 0
    for stream in streams:
        stream.close()
    with client.get("/api/events", buffered=False) as answer:
        assert answer.status_code == 200


def test_pages_are_told_what_rows_say(client: FlaskClient, job: Job) -> None:
    """In the language that they ask for; whoever asks for none gets codes and values alone."""
    (korean,) = read(client, f"/api/jobs/{job.id}/events?language=ko")
    (english,) = read(client, f"/api/jobs/{job.id}/events?language=en")
    (neutral,) = read(client, f"/api/jobs/{job.id}/events")
    assert (korean.data["words"]["state"], english.data["words"]["state"]) == ("취소됨", "Cancelled")
    assert english.data["words"]["headline"] == "Can be started again"
    assert "words" not in neutral.data
    assert client.get("/rows").get_json()["jobs"][0]["words"]["headline"] == english.data["words"]["headline"]
    assert (
        client.get("/rows", headers={"Accept-Language": "ko"}).get_json()["jobs"][0]["words"]["state"]
        == korean.data["words"]["state"]
    )
    assert client.get(f"/api/jobs/{job.id}/events?language=xx").status_code == 400


def test_an_event_is_worded_once_for_all_who_watch(client: FlaskClient, own_services: Services) -> None:
    """Once in each language, however many watchers there are."""
    job = make_job()
    own_services.jobs.create(job)
    event = own_services.jobs.events(job.id, "0")[0]
    worded: list[str] = []

    def say(_: object) -> dict[str, Any]:
        worded.append(language())
        return {}

    update = Update(event, {"id": job.id})
    for chosen in ("ko", "en", None) * 20:
        assert event.id in events.Frames(client.application, chosen, say).of(update)
    assert worded == ["ko", "en"]


def test_the_jobs_page_goes_on_in_the_words_it_began_with(client: FlaskClient, job: Job) -> None:
    """What its script fetches says what the page says, and what the job's events say."""
    words = client.get(f"/jobs/{job.id}/words").get_json()["words"]
    (event,) = read(client, f"/api/jobs/{job.id}/events?language=en")
    assert event.data["words"] == words
    page = client.get(f"/jobs/{job.id}").get_data(as_text=True)
    assert all(words[name] in page for name in ("state", "heading", "headline", "picture"))
    assert words["notification"] == f"{job.title} was cancelled"
    assert client.get("/jobs/unknown/words").status_code == 404
