"""The index of an upload that is sent ahead: taken once, bounded, compared with the file, gone with the upload."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from storage.model.upload import LONGEST_INDEX
from storage.objects import keys
from storage.services import Services
from storage.services.upload_index import index_agrees, index_of, store_index
from storage.services.uploads import save_upload, upload_of
from tests.support.web_server import WebServer
from web.client.server import RemoteServer
from web.client.tus import OFFSET_TYPE, UPLOADS, VERSION

FILM = bytes(range(256)) * 20
BEGIN = 4000
INDEX = FILM[BEGIN:]


def created(client: FlaskClient, **headers: str) -> str:
    """Create an upload and return where it is."""
    said = {name.replace("_", "-"): value for name, value in headers.items()} or {"Upload-Length": str(len(FILM))}
    place: str = client.post(UPLOADS, headers={**VERSION, **said}).headers["Location"]
    return place


def hand_over(client: FlaskClient, place: str, data: bytes = INDEX, **headers: str) -> TestResponse:
    """Send the index ahead."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    said = {**VERSION, "Content-Type": OFFSET_TYPE, "Upload-Offset": str(BEGIN), **named}
    return client.put(f"{place}/index", data=data, headers=said)


def send_film(client: FlaskClient, place: str, data: bytes = FILM) -> TestResponse:
    """Send the whole file."""
    return client.patch(place, data=data, headers={**VERSION, "Content-Type": OFFSET_TYPE, "Upload-Offset": "0"})


def refused(answer: TestResponse) -> tuple[int, str]:
    """Return status and code of a refusal."""
    return answer.status_code, answer.get_json()["code"]


def test_an_index_lies_beside_its_upload(client: FlaskClient, own_services: Services) -> None:
    """It does not count as arrived, and goes when the upload has become a job, whose original it is compared with."""
    place, objects = created(client), own_services.objects
    answer = hand_over(client, place)
    assert (answer.status_code, answer.headers["Tus-Resumable"]) == (HTTPStatus.NO_CONTENT, "1.0.0")
    index = index_of(objects, place.rpartition("/")[2])
    assert index is not None
    assert (index.begin, index.end, b"".join(objects.read(index.key))) == (BEGIN, len(FILM), INDEX)
    assert client.head(place, headers=VERSION).headers["Upload-Offset"] == "0"
    job_id = send_film(client, place).headers["Rungs-Job"]
    assert list(objects.keys(keys.UPLOADS)) == []
    assert index_agrees(objects, job_id, index)
    assert index_of(objects, job_id) is None


def test_an_index_that_lies_is_found_out(client: FlaskClient, own_services: Services) -> None:
    """By one byte, or by its place."""
    place = created(client)
    hand_over(client, place)
    index = index_of(own_services.objects, place.rpartition("/")[2])
    assert index is not None
    job_id = send_film(client, place, FILM[:-1] + b"\0").headers["Rungs-Job"]
    assert not index_agrees(own_services.objects, job_id, index)
    assert not index_agrees(own_services.objects, job_id, replace(index, begin=BEGIN - 256, size=index.size - 1))


def test_another_index_does_not_take_its_place(client: FlaskClient, own_services: Services) -> None:
    """The first one stays. A client that lost the answer may send it again."""
    place = created(client)
    for data in (INDEX, INDEX, bytes(len(INDEX))):
        assert hand_over(client, place, data).status_code == HTTPStatus.NO_CONTENT
    assert refused(hand_over(client, place, b"other")) == (409, "upload_index")
    index = index_of(own_services.objects, place.rpartition("/")[2])
    assert index is not None
    assert b"".join(own_services.objects.read(index.key)) == INDEX


def test_of_two_that_came_at_once_one_counts(client: FlaskClient, own_services: Services) -> None:
    """Whoever asks is given the same, and neither has replaced the other."""
    upload_id, objects = created(client).rpartition("/")[2], own_services.objects
    for data in (b"first", b"second"):
        store_index(objects, upload_id, lambda _, data=data: data, begin=BEGIN, size=len(data))  # type: ignore[misc]
    assert len(list(objects.keys(keys.upload_indexes(upload_id)))) == 2
    assert index_of(objects, upload_id) == index_of(objects, upload_id)


@pytest.mark.parametrize("offset", ["", "-1", "x", str(BEGIN + 1), "9" * 30])
def test_an_index_lies_within_its_file(client: FlaskClient, offset: str) -> None:
    """So its place must be said, and be possible."""
    assert refused(hand_over(client, created(client), Upload_Offset=offset)) == (400, "invalid_request")


def test_an_index_of_no_bytes_or_no_known_file_is_refused(client: FlaskClient) -> None:
    """Also one that does not say how long it is."""
    assert refused(hand_over(client, created(client), b"")) == (400, "invalid_request")
    endless = created(client, Upload_Defer_Length="1")
    assert refused(hand_over(client, endless)) == (400, "invalid_request")


def announced(client: FlaskClient, place: str, data: bytes, length: int) -> TestResponse:
    """Send an index that says how long it is, whatever comes."""
    said = {**VERSION, "Content-Type": OFFSET_TYPE, "Upload-Offset": "0"}
    return client.put(f"{place}/index", data=data, headers=said, environ_overrides={"CONTENT_LENGTH": str(length)})


def test_an_index_is_bounded(client: FlaskClient, own_services: Services) -> None:
    """It is refused before it is read."""
    place = created(client)
    upload = upload_of(own_services.objects, place.rpartition("/")[2])
    save_upload(own_services, replace(upload, length=2 * LONGEST_INDEX))
    assert refused(announced(client, place, b"x", LONGEST_INDEX + 1)) == (413, "upload_too_large")
    assert client.options(UPLOADS).headers["Rungs-Index-Max-Size"] == str(LONGEST_INDEX)


def test_an_index_that_breaks_off_is_not_kept(client: FlaskClient, own_services: Services) -> None:
    """Another may come then."""
    place = created(client)
    assert refused(announced(client, place, INDEX, len(INDEX) + 1)) == (400, "upload_incomplete")
    assert index_of(own_services.objects, place.rpartition("/")[2]) is None
    assert hand_over(client, place).status_code == HTTPStatus.NO_CONTENT


def test_whose_index_it_is(client: FlaskClient, own_services: Services) -> None:
    """Nobody hands one over for another's upload, or for none; of one that is a job by now nothing is kept."""
    place = created(client)
    upload = upload_of(own_services.objects, place.rpartition("/")[2])
    save_upload(own_services, replace(upload, owner="somebody"))
    assert refused(hand_over(client, place)) == (404, "upload_not_found")
    for unknown in ("0" * 32, "x", ".."):
        assert hand_over(client, f"{UPLOADS}/{unknown}").status_code == HTTPStatus.NOT_FOUND
    whole = created(client)
    send_film(client, whole)
    assert hand_over(client, whole).status_code == HTTPStatus.NO_CONTENT
    assert index_of(own_services.objects, whole.rpartition("/")[2]) is None


@pytest.mark.parametrize(
    ("header", "said", "status"),
    [
        ("Tus_Resumable", "0.2.2", 412),
        ("Content_Type", "video/mp4", 415),
        ("Sec_Fetch_Site", "cross-site", 403),
    ],
)
def test_an_index_is_sent_as_bytes_are(client: FlaskClient, header: str, said: str, status: int) -> None:
    """In the same version and type, and from no other site."""
    assert hand_over(client, created(client), INDEX, **{header: said}).status_code == status


def test_a_full_store_takes_no_index(
    client: FlaskClient, own_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would take the room that the media need."""
    place = created(client)
    monkeypatch.setattr(type(own_services.objects), "free_bytes", lambda _: -1)
    assert refused(hand_over(client, place)) == (503, "storage_full")


def test_the_service_takes_a_large_index(web_server: WebServer) -> None:
    """Larger than a form may be, and through the real server."""
    data = b"moov" * 100_000
    server = RemoteServer(f"http://127.0.0.1:{web_server.port}")
    answer = server.ask("POST", UPLOADS, headers={**VERSION, "Upload-Length": str(len(data))})
    place = answer.headers["location"]
    said = {**VERSION, "Content-Type": OFFSET_TYPE, "Upload-Offset": "0", "Content-Length": str(len(data))}
    assert server.send(f"{place}/index", iter([data]), said, method="PUT").status == HTTPStatus.NO_CONTENT
    (stored,) = (path for path in web_server.objects() if path.parent.name == "index")
    assert stored.read_bytes() == data
    assert server.ask("DELETE", place, headers=VERSION).status == HTTPStatus.NO_CONTENT
    assert not stored.exists()
