"""tus 1.0.0 as its text says it: each MUST, SHOULD and refusal has a test."""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from storage.objects import keys
from storage.services import Services
from storage.services.uploads import begin_doubt, save_upload, upload_of

UPLOADS = "/api/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
OFFSET = "application/offset+octet-stream"
FILM = bytes(range(256)) * 20  # 5,120 bytes of the 10,000 that the service takes


def metadata(**said: str) -> str:
    """Return the header that says this of a file."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())


def checksum(data: bytes, algorithm: str = "sha1") -> str:
    """Return the header for these bytes."""
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def create(client: FlaskClient, length: int | None = len(FILM), **headers: str) -> TestResponse:
    """Create an upload."""
    said = {"Upload-Defer-Length": "1"} if length is None else {"Upload-Length": str(length)}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(UPLOADS, headers={**TUS, **said, **named})


def created(client: FlaskClient, length: int | None = len(FILM), **headers: str) -> str:
    """Create an upload and return where it is."""
    answer = create(client, length, **headers)
    assert answer.status_code == HTTPStatus.CREATED, answer.text
    return answer.headers["Location"]


def send(client: FlaskClient, place: str, data: bytes, offset: int, **headers: str) -> TestResponse:
    """Send bytes of an upload."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    said = {**TUS, "Content-Type": OFFSET, "Upload-Offset": str(offset), **named}
    return client.patch(place, data=data, headers=said)


def offset(client: FlaskClient, place: str) -> int:
    """Return how far an upload is."""
    answer = client.head(place, headers=TUS)
    assert answer.status_code == HTTPStatus.OK
    return int(answer.headers["Upload-Offset"])


def nothing_left(services: Services) -> bool:
    """Tell whether nothing of any upload is there."""
    return list(services.objects.keys(keys.UPLOADS)) == [] and services.jobs.open_uploads() == ()


# Core protocol


def test_an_upload_becomes_a_job(client: FlaskClient, own_services: Services) -> None:
    """In pieces; the answer to the last one names the job, whose original has every byte."""
    place = created(client, Upload_Metadata=metadata(filename="Holiday.mp4", webhook_url="https://example.com/hook"))
    assert offset(client, place) == 0
    first = send(client, place, FILM[:2000], 0)
    assert (first.status_code, first.headers["Upload-Offset"], first.data) == (204, "2000", b"")
    assert "Rungs-Job" not in first.headers
    assert offset(client, place) == 2000
    last = send(client, place, FILM[2000:], 2000)
    job_id = last.headers["Rungs-Job"]
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, str(len(FILM)))
    assert last.headers["Location"] == f"/api/jobs/{job_id}"
    job = client.get(last.headers["Location"]).get_json()
    assert (job["filename"], job["title"], job["size"], job["state"]) == ("Holiday.mp4", "Holiday", len(FILM), "queued")
    assert b"".join(own_services.objects.read(keys.original(job_id))) == FILM
    assert own_services.jobs.get(job_id).webhook_url == "https://example.com/hook"
    assert nothing_left(own_services)


def test_head_tells_offset_length_and_metadata(client: FlaskClient) -> None:
    """The server MUST always say the offset, also of 0; the length if known; and MUST keep caches from storing it."""
    said = metadata(filename="ü.mp4", other="x")
    answer = client.head(created(client, Upload_Metadata=said), headers=TUS)
    assert answer.headers["Upload-Offset"] == "0"
    assert answer.headers["Upload-Length"] == str(len(FILM))
    assert answer.headers["Upload-Metadata"] == said
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Tus-Resumable"] == "1.0.0"


@pytest.mark.parametrize("upload_id", ["0" * 32, "x", "..", "A" * 32])
def test_head_of_what_is_not_there_tells_no_offset(client: FlaskClient, upload_id: str) -> None:
    """The server SHOULD answer 404, 410 or 403, and MUST NOT say an offset."""
    for answer in (client.head(f"{UPLOADS}/{upload_id}", headers=TUS), send(client, f"{UPLOADS}/{upload_id}", b"x", 0)):
        assert answer.status_code == HTTPStatus.NOT_FOUND
        assert "Upload-Offset" not in answer.headers
        assert answer.headers["Tus-Resumable"] == "1.0.0"


@pytest.mark.parametrize("kind", ["", "application/octet-stream", "video/mp4", "multipart/form-data; boundary=x"])
def test_patch_takes_one_content_type(client: FlaskClient, kind: str) -> None:
    """All PATCH requests MUST have it, others SHOULD get 415."""
    place = created(client)
    answer = send(client, place, FILM, 0, Content_Type=kind)
    assert (answer.status_code, answer.get_json()["code"]) == (415, "upload_type")
    assert offset(client, place) == 0


@pytest.mark.parametrize("wrong", [0, 999, 1001, 5000, 2**50])
def test_patch_at_another_offset_conflicts(client: FlaskClient, wrong: int) -> None:
    """The server MUST answer 409 without changing the upload."""
    place = created(client)
    send(client, place, FILM[:1000], 0)
    answer = send(client, place, FILM[1000:2000], wrong)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "upload_offset")
    assert offset(client, place) == 1000


@pytest.mark.parametrize("wrong", ["", "-1", "1.5", "x", "1e3", "9" * 40])
def test_patch_needs_a_number_as_offset(client: FlaskClient, wrong: str) -> None:
    """Its value MUST be a non-negative integer."""
    answer = send(client, created(client), FILM, 0, Upload_Offset=wrong)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_request")


def test_options_tell_what_is_spoken(client: FlaskClient) -> None:
    """Versions MUST be there, extensions and the largest upload too; the request's own version MUST be ignored."""
    for path in (UPLOADS, f"{UPLOADS}/{'0' * 32}"):
        answer = client.options(path, headers={"Tus-Resumable": "0.2.2"})
        assert answer.status_code == HTTPStatus.NO_CONTENT
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Max-Size"] == "10000"
        assert set(answer.headers["Tus-Extension"].split(",")) == {
            "creation",
            "creation-with-upload",
            "creation-defer-length",
            "expiration",
            "termination",
            "checksum",
        }
        assert "sha1" in answer.headers["Tus-Checksum-Algorithm"].split(",")


@pytest.mark.parametrize("version", ["", "0.2.2", "2.0.0", "1.0"])
def test_another_version_is_refused(client: FlaskClient, own_services: Services, version: str) -> None:
    """The server MUST answer 412 with the versions it speaks, and MUST NOT do anything."""
    place = created(client)
    said = {"Tus-Resumable": version} if version else {}
    asked = {**said, "Content-Type": OFFSET, "Upload-Offset": "0", "Upload-Length": "5"}
    for answer in (
        client.post(UPLOADS, headers=asked),
        client.head(place, headers=said),
        client.patch(place, data=b"hello", headers=asked),
        client.delete(place, headers=said),
    ):
        assert answer.status_code == HTTPStatus.PRECONDITION_FAILED
        assert answer.headers["Tus-Version"] == answer.headers["Tus-Resumable"] == "1.0.0"
    assert offset(client, place) == 0
    assert len(own_services.jobs.open_uploads()) == 1


@pytest.mark.parametrize(("method", "status"), [("PATCH", 204), ("DELETE", 204), ("HEAD", 200)])
def test_a_post_may_mean_another_method(client: FlaskClient, method: str, status: int) -> None:
    """X-HTTP-Method-Override MUST be taken as the method; of jobs it is nothing."""
    place = created(client)
    asked = {**TUS, "Content-Type": OFFSET, "Upload-Offset": "0", "X-HTTP-Method-Override": method}
    data = b"abc" if method == "PATCH" else b""
    assert client.post(place, data=data, headers=asked).status_code == status
    job = send(client, created(client), FILM, 0).headers["Location"]
    assert client.post(job, headers={"X-HTTP-Method-Override": "DELETE"}).status_code == 405


# Creation


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Upload-Length": "-1"},
        {"Upload-Length": "many"},
        {"Upload-Length": "5", "Upload-Defer-Length": "1"},
        {"Upload-Defer-Length": "0"},
        {"Upload-Defer-Length": "true"},
        {"Upload-Length": "0"},
    ],
)
def test_creation_needs_a_length(client: FlaskClient, own_services: Services, headers: dict[str, str]) -> None:
    """Or the word that it comes later, and nothing else; an empty file is no video."""
    assert client.post(UPLOADS, headers={**TUS, **headers}).status_code == HTTPStatus.BAD_REQUEST
    assert nothing_left(own_services)


def test_creation_beyond_the_largest_size_is_refused(client: FlaskClient, own_services: Services) -> None:
    """The server MUST answer 413."""
    answer = create(client, 10_001)
    assert (answer.status_code, answer.get_json()["code"]) == (413, "upload_too_large")
    assert nothing_left(own_services)


@pytest.mark.parametrize(
    "said",
    ["filename", "filename ", "", f"name {base64.b64encode(b'x.mp4').decode()}", "a YQ==,filename ,b Yg=="],
)
def test_metadata_may_be_anything(client: FlaskClient, said: str) -> None:
    """Values MAY be empty, keys any word; without a name the file is called something."""
    job = send(client, created(client, Upload_Metadata=said), FILM, 0).headers["Location"]
    assert client.get(job).get_json()["filename"] in {"video", "x.mp4"}


@pytest.mark.parametrize(
    "said",
    [
        "a YQ==,a YQ==",
        "a %%%",
        "a Y",
        "ü YQ==",
        "filename //79/Q==",
        ", ,",
        "a" * 20_000,
        metadata(webhook_url="ftp://x"),
    ],
)
def test_metadata_that_is_none_is_refused(client: FlaskClient, own_services: Services, said: str) -> None:
    """Keys MUST be unique ASCII words, values base64; a name is UTF-8, a webhook's address one that can be called."""
    answer = client.post(
        UPLOADS, headers={**TUS, "Upload-Length": "5", "Upload-Metadata": said.encode().decode("latin-1")}
    )
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_request")
    assert nothing_left(own_services)


def test_a_hostile_name_is_only_shown(client: FlaskClient) -> None:
    """As that of a form: no path, no control, no trick with the direction of writing."""
    said = metadata(filename="../../etc/\u202epass\x00wd.mp4", title="\x07")
    job = client.get(send(client, created(client, Upload_Metadata=said), FILM, 0).headers["Location"]).get_json()
    assert (job["filename"], job["title"]) == ("passwd.mp4", "passwd")


def test_a_length_that_comes_later(client: FlaskClient) -> None:
    """HEAD MUST say so until then; then the length is said with a PATCH, and MUST NOT change any more."""
    place = created(client, None)
    assert client.head(place, headers=TUS).headers["Upload-Defer-Length"] == "1"
    assert send(client, place, FILM[:1000], 0).headers["Upload-Defer-Length"] == "1"
    assert send(client, place, FILM[1000:2000], 1000, Upload_Length=str(len(FILM))).status_code == 204
    told = client.head(place, headers=TUS).headers
    assert (told["Upload-Length"], told.get("Upload-Defer-Length")) == (str(len(FILM)), None)
    assert send(client, place, b"", 2000, Upload_Length="4000").status_code == HTTPStatus.BAD_REQUEST
    assert "Rungs-Job" in send(client, place, FILM[2000:], 2000, Upload_Length=str(len(FILM))).headers


def test_a_later_length_is_no_less_than_what_came(client: FlaskClient) -> None:
    """Nor more than the service takes; and it may come alone, and complete the upload."""
    place = created(client, None)
    send(client, place, FILM, 0)
    assert send(client, place, b"", len(FILM), Upload_Length=str(len(FILM) - 1)).status_code == HTTPStatus.BAD_REQUEST
    too_large = send(client, place, b"", len(FILM), Upload_Length="10001")
    assert too_large.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert "Rungs-Job" in send(client, place, b"", len(FILM), Upload_Length=str(len(FILM))).headers


# Creation with upload


def test_bytes_may_come_with_the_creation(client: FlaskClient, own_services: Services) -> None:
    """The answer MUST say how much was taken; all of it makes the job at once."""
    headers = {**TUS, "Upload-Length": str(len(FILM)), "Content-Type": OFFSET}
    half = client.post(UPLOADS, data=FILM[:3000], headers=headers)
    assert (half.status_code, half.headers["Upload-Offset"]) == (201, "3000")
    assert "Rungs-Job" in send(client, half.headers["Location"], FILM[3000:], 3000).headers
    whole = client.post(UPLOADS, data=FILM, headers=headers)
    assert (whole.status_code, whole.headers["Upload-Offset"]) == (201, str(len(FILM)))
    assert whole.headers["Location"] == f"{UPLOADS}/{whole.headers['Rungs-Job']}"
    assert nothing_left(own_services)


def test_a_creation_with_another_body_is_refused(client: FlaskClient, own_services: Services) -> None:
    """A form that was sent to the wrong place makes nothing."""
    answer = client.post(UPLOADS, data={"file": "x"}, headers={**TUS, "Upload-Length": "5"})
    assert answer.status_code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    assert nothing_left(own_services)


# Expiration


def test_an_unfinished_upload_says_until_when_it_is_kept(client: FlaskClient) -> None:
    """In each answer to a PATCH, as HTTP writes times; one that is a job is kept."""
    place = created(client)
    until = parsedate_to_datetime(send(client, place, FILM[:10], 0).headers["Upload-Expires"]).timestamp()
    assert abs(until - time.time() - 24 * 3600) < 60
    assert "Upload-Expires" not in send(client, place, FILM[10:], 10).headers


def test_an_expired_upload_is_gone(client: FlaskClient, own_services: Services) -> None:
    """The server SHOULD answer 404 or 410."""
    place = created(client)
    upload = upload_of(own_services.objects, place.rpartition("/")[2])
    save_upload(own_services, replace(upload, created_at=time.time() - 25 * 3600))
    assert client.head(place, headers=TUS).status_code == HTTPStatus.NOT_FOUND
    assert send(client, place, FILM, 0).status_code == HTTPStatus.NOT_FOUND


# Termination


def test_an_ended_upload_is_gone(client: FlaskClient, own_services: Services) -> None:
    """The server MUST answer 204, and 404 or 410 from then on; it SHOULD free what it held."""
    place = created(client)
    send(client, place, FILM[:4000], 0)
    assert client.delete(place, headers=TUS).status_code == HTTPStatus.NO_CONTENT
    assert nothing_left(own_services)
    assert client.head(place, headers=TUS).status_code == HTTPStatus.GONE
    assert client.delete(place, headers=TUS).status_code == HTTPStatus.GONE
    assert send(client, place, FILM[4000:], 4000).status_code == HTTPStatus.GONE


def test_an_upload_that_is_a_job_is_not_ended(client: FlaskClient) -> None:
    """A job is cancelled or deleted as a job; and who asks how far the upload is, is told that it is whole."""
    place = created(client)
    job = send(client, place, FILM, 0).headers["Rungs-Job"]
    answer = client.delete(place, headers=TUS)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "conflict")
    told = client.head(place, headers=TUS)
    assert (told.headers["Upload-Offset"], told.headers["Rungs-Job"]) == (str(len(FILM)), job)
    assert send(client, place, b"", len(FILM)).headers["Rungs-Job"] == job
    assert send(client, place, b"x", len(FILM) - 1).status_code == HTTPStatus.CONFLICT
    client.delete(f"/api/jobs/{job}")
    assert client.head(place, headers=TUS).status_code == HTTPStatus.NOT_FOUND


# Checksum


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_right_checksums_are_taken(client: FlaskClient, own_services: Services, algorithm: str) -> None:
    """Of the bytes of each request."""
    place = created(client)
    send(client, place, FILM[:3000], 0, Upload_Checksum=checksum(FILM[:3000], algorithm))
    last = send(client, place, FILM[3000:], 3000, Upload_Checksum=checksum(FILM[3000:], algorithm))
    assert b"".join(own_services.objects.read(keys.original(last.headers["Rungs-Job"]))) == FILM


def test_a_wrong_checksum_keeps_nothing_of_the_request(client: FlaskClient) -> None:
    """The server MUST answer 460 and discard the bytes; the offset MUST NOT change."""
    place = created(client)
    send(client, place, FILM[:1000], 0)
    answer = send(client, place, FILM[1000:], 1000, Upload_Checksum=checksum(b"other"))
    assert (answer.status_code, answer.get_json()["code"]) == (460, "upload_checksum")
    assert offset(client, place) == 1000
    assert "Rungs-Job" in send(client, place, FILM[1000:], 1000, Upload_Checksum=checksum(FILM[1000:])).headers


@pytest.mark.parametrize("said", ["md5 YQ==", "sha1", "sha1 YQ==", "sha1 %%", "", "sha1sum x"])
def test_an_unknown_checksum_is_refused(client: FlaskClient, said: str) -> None:
    """The server MUST answer 400 to an algorithm it does not know."""
    place = created(client)
    assert send(client, place, FILM, 0, Upload_Checksum=said).status_code == HTTPStatus.BAD_REQUEST
    assert offset(client, place) == 0


def test_bytes_that_nobody_checked_do_not_count(client: FlaskClient, own_services: Services) -> None:
    """A web process that dies between the bytes and their checksum leaves them in doubt."""
    place = created(client)
    upload_id = place.rpartition("/")[2]
    send(client, place, FILM[:1000], 0)
    begin_doubt(own_services.objects, upload_id, 1000)
    with own_services.objects.incoming.go_on(
        upload_id, part_bytes=8 << 20, may_go_on=lambda: None, may_keep=lambda: True
    ) as writer:
        writer.write(FILM[1000:])
    assert offset(client, place) == 1000
    assert "Rungs-Job" in send(client, place, FILM[1000:], 1000).headers


# What the text leaves open


def test_more_than_was_announced_is_refused(client: FlaskClient) -> None:
    """Before it is read; nothing of it is kept."""
    place = created(client, 1000)
    send(client, place, FILM[:500], 0)
    answer = send(client, place, FILM[500:1001], 500)
    assert (answer.status_code, answer.get_json()["code"]) == (413, "upload_too_large")
    assert offset(client, place) == 500


def test_whose_upload_it_is(client: FlaskClient, own_services: Services) -> None:
    """For anybody else it does not exist."""
    place = created(client)
    upload = upload_of(own_services.objects, place.rpartition("/")[2])
    save_upload(own_services, replace(upload, owner="somebody"))
    assert client.head(place, headers=TUS).status_code == HTTPStatus.NOT_FOUND
    assert send(client, place, FILM, 0).status_code == HTTPStatus.NOT_FOUND
    assert client.delete(place, headers=TUS).status_code == HTTPStatus.NOT_FOUND


def test_a_whole_upload_whose_web_process_died_becomes_its_job(client: FlaskClient, own_services: Services) -> None:
    """Whoever asks next how far it is makes it one."""
    place = created(client)
    upload_id = place.rpartition("/")[2]
    with own_services.objects.incoming.go_on(
        upload_id, part_bytes=8 << 20, may_go_on=lambda: None, may_keep=lambda: True
    ) as writer:
        writer.write(FILM)
    told = client.head(place, headers=TUS)
    assert (told.headers["Upload-Offset"], told.headers["Rungs-Job"]) == (str(len(FILM)), upload_id)
    assert own_services.jobs.get(upload_id).size == len(FILM)
    assert nothing_left(own_services)


def test_another_site_cannot_upload(client: FlaskClient, own_services: Services) -> None:
    """A page elsewhere may not use a visitor's browser for it."""
    assert create(client, Sec_Fetch_Site="cross-site").status_code == HTTPStatus.FORBIDDEN
    place = created(client)
    assert send(client, place, FILM, 0, Sec_Fetch_Site="cross-site").status_code == HTTPStatus.FORBIDDEN
    assert offset(client, place) == 0
    assert len(own_services.jobs.open_uploads()) == 1
