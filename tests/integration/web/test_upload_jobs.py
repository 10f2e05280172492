"""A job from the first byte: it is there as its upload is created, shows how much has come, and ends with it."""

from __future__ import annotations

import io
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from flask.testing import FlaskClient

from storage.model.job import JobState
from storage.objects import keys
from storage.services import Services
from tests.integration.web.test_tus import FILM, OFFSET, TUS, created, metadata, nothing_left, send
from tests.support.job_store import OwnJobStore

HALF = len(FILM) // 2


def job_of(client: FlaskClient, place: str) -> dict[str, Any]:
    """Return the public JSON of an upload's job."""
    answer = client.get(f"/api/jobs/{id_of(place)}")
    assert answer.status_code == HTTPStatus.OK
    found: dict[str, Any] = answer.get_json()
    return found


def id_of(place: str) -> str:
    """Return an upload's id."""
    return place.rpartition("/")[2]


class Interrupted(io.BytesIO):
    """A body of which something happens `between` its two halves."""

    def __init__(self, between: Callable[[], object]) -> None:
        super().__init__(FILM)
        self.between = between

    def read(self, size: int | None = -1) -> bytes:
        """See BytesIO.read."""
        if self.tell() == HALF:
            self.between()
        return super().read(min(size or HALF, HALF))


def test_the_job_is_there_at_once(client: FlaskClient, own_services: Services) -> None:
    """With all that was announced; its page, the list and the queue show it, and the queue's figures do not."""
    before = client.get("/api/queue").get_json()
    place = created(client, Upload_Metadata=metadata(filename="Holiday.mp4", webhook_url="https://example.com/hook"))
    job = job_of(client, place)
    assert (job["state"], job["title"], job["size"]) == ("uploading", "Holiday", len(FILM))
    assert job["upload"] == {"received": 0, "length": len(FILM), "moving": True}
    assert (job["progress"], job["eta_seconds"], job["queue_position"], job["promise"]) == (0.0, None, None, None)
    links = job["links"]
    assert (links["cancel"] is None, links["retry"], links["priority"]) == (False, None, None)
    send(client, place, FILM[:HALF], 0)
    assert job_of(client, place)["upload"] == {"received": HALF, "length": len(FILM), "moving": True}
    for path in (f"/jobs/{id_of(place)}", "/", "/queue"):
        page = client.get(path).get_data(as_text=True)
        assert "Holiday" in page
        assert "3 kB of 5 kB has come" in page.replace("\N{NARROW NO-BREAK SPACE}", " ").replace("\xa0", " ")
    (listed,) = client.get("/api/jobs?state=uploading").get_json()["jobs"]
    assert listed["upload"]["received"] == HALF
    queue = client.get("/api/queue").get_json()
    (coming,) = queue.pop("uploading")
    assert (coming["id"], coming["upload"]) == (id_of(place), listed["upload"])
    assert queue == {name: value for name, value in before.items() if name != "uploading"}
    assert own_services.jobs.unfinished() == ()


def test_a_length_that_is_told_later(client: FlaskClient) -> None:
    """Is not known until then, and shown from then on."""
    place = created(client, None)
    job = job_of(client, place)
    assert (job["size"], job["upload"]["length"]) == (0, None)
    send(client, place, FILM[:HALF], 0)
    assert job_of(client, place)["upload"]["length"] is None
    assert "kB has come" in client.get(f"/jobs/{id_of(place)}").get_data(as_text=True).replace("\xa0", " ")
    send(client, place, FILM[HALF:-1], HALF, Upload_Length=str(len(FILM)))
    job = job_of(client, place)
    assert (job["size"], job["upload"]["received"], job["upload"]["length"]) == (len(FILM), len(FILM) - 1, len(FILM))
    send(client, place, FILM[-1:], len(FILM) - 1)
    job = job_of(client, place)
    assert (job["size"], job["state"], job["upload"]) == (len(FILM), "queued", None)


def test_a_whole_upload_goes_on_as_the_same_job(client: FlaskClient, own_services: Services) -> None:
    """It was created with its upload, waits from now on, and was one job all the time."""
    place = created(client)
    before = job_of(client, place)
    send(client, place, FILM, 0)
    after = job_of(client, place)
    assert (after["state"], after["created_at"], after["id"]) == ("queued", before["created_at"], before["id"])
    assert own_services.jobs.totals().arrived == 1
    assert [job["id"] for job in client.get("/api/jobs").get_json()["jobs"]] == [after["id"]]
    assert own_services.jobs.get(after["id"]).incomplete is False


@pytest.mark.parametrize("door", ["job", "upload"])
def test_cancelling_means_the_same_at_both_doors(client: FlaskClient, own_services: Services, door: str) -> None:
    """The job is cancelled, nothing of the upload is left, and whoever sends it is told."""
    place = created(client)
    send(client, place, FILM[:HALF], 0)
    job_id = id_of(place)
    answer = client.delete(place, headers=TUS) if door == "upload" else client.post(f"/api/jobs/{job_id}/cancel")
    assert answer.status_code in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}
    job = job_of(client, place)
    assert (job["state"], job["upload"], job["error"], job["links"]["retry"]) == ("cancelled", None, None, None)
    assert nothing_left(own_services)
    refused = send(client, place, FILM[HALF:], HALF)
    assert (refused.status_code, refused.get_json()["code"]) == (410, "upload_ended")
    head = client.head(place, headers=TUS)
    assert (head.status_code, "Upload-Offset" in head.headers) == (410, False)
    again = client.post(f"/api/jobs/{job_id}/retry")
    assert (again.status_code, again.get_json()["code"]) == (409, "conflict")
    assert again.get_json()["detail"].startswith("The file of this job did not come whole")
    assert client.delete(f"/api/jobs/{job_id}").status_code == HTTPStatus.NO_CONTENT
    assert client.head(place, headers=TUS).status_code == HTTPStatus.NOT_FOUND


def test_a_deleted_job_takes_its_upload_along(client: FlaskClient, own_services: Services) -> None:
    """As one that is running is cancelled first."""
    place = created(client)
    send(client, place, FILM[:HALF], 0)
    assert client.delete(f"/api/jobs/{id_of(place)}").status_code == HTTPStatus.NO_CONTENT
    assert nothing_left(own_services)
    assert client.head(place, headers=TUS).status_code == HTTPStatus.NOT_FOUND
    assert client.get("/api/jobs").get_json()["jobs"] == []


def test_what_is_sent_just_now_ends_too(client: FlaskClient, own_services: Services) -> None:
    """The request that brings the last bytes makes no job of them; its client is told that it was ended."""
    place = created(client)

    def cancel() -> None:
        assert client.application.test_client().post(f"/api/jobs/{id_of(place)}/cancel").status_code == HTTPStatus.OK

    said = {**TUS, "Content-Type": OFFSET, "Upload-Offset": "0"}
    answer = client.patch(place, input_stream=Interrupted(cancel), content_length=len(FILM), headers=said)
    assert (answer.status_code, answer.get_json()["code"]) == (410, "upload_ended")
    assert job_of(client, place)["state"] == "cancelled"
    assert nothing_left(own_services)
    assert list(own_services.objects.keys(keys.ORIGINALS)) == []


@pytest.mark.parametrize("asks", ["head", "patch", "delete"])
def test_a_lost_job_comes_back_with_the_next_request(client: FlaskClient, own_services: Services, asks: str) -> None:
    """Redis is no more than a mirror of what is stored."""
    place = created(client)
    send(client, place, FILM[:HALF], 0)
    before = own_services.jobs.get(id_of(place))
    assert isinstance(own_services.jobs, OwnJobStore)
    own_services.jobs._client.flushdb()
    if asks == "head":
        assert client.head(place, headers=TUS).headers["Upload-Offset"] == str(HALF)
        assert own_services.jobs.get(before.id) == before
    elif asks == "patch":
        assert send(client, place, FILM[HALF:], HALF).headers["Rungs-Job"] == before.id
        assert own_services.jobs.get(before.id).created_at == before.created_at
    else:
        assert client.delete(place, headers=TUS).status_code == HTTPStatus.NO_CONTENT
        assert own_services.jobs.get(before.id).state is JobState.CANCELLED
