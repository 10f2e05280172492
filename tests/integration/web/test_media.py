"""Media by redirect, from disk and streamed: the same ranges and headers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storage.model.job import Job, JobState
from storage.objects import keys
from storage.objects.contract import ObjectStore
from storage.objects.local import LocalObjectStore
from storage.services import Services
from tests.support.job_store import OwnJobStore
from tests.support.jobs import make_job, make_plan
from tests.support.memory_publisher import MemoryPublisher
from tests.support.odd_files import ODD, SECRET, put_odd
from web.app import deliveries_of

FILM = bytes(range(256)) * 2048


@pytest.fixture
def media(object_store: ObjectStore) -> Services:
    """Give services over each object store in turn: from disk, and streamed out of a real MinIO."""
    return Services(jobs=OwnJobStore(), objects=object_store, publisher=MemoryPublisher())


@pytest.fixture
def job(media: Services) -> Job:
    """Give a ready job with an MP4."""
    made = make_job(state=JobState.READY, plan=make_plan(), title="Ferien 日本")
    media.jobs.create(made)
    media.objects.put_bytes(keys.rendition(made.id, "720p.mp4"), FILM, content_type="video/mp4")
    return made


@pytest.fixture
def client(make_app: Callable[..., Flask], media: Services) -> FlaskClient:
    """Give a client of the app over these services."""
    return make_app(media).test_client()


def test_a_whole_file(client: FlaskClient, job: Job) -> None:
    """200 with all bytes, its type, and caching for ever, since a ready job never changes."""
    with client.get(f"/media/{job.id}/720p.mp4") as answer:
        assert (answer.status_code, answer.mimetype, answer.data) == (200, "video/mp4", FILM)
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["ETag"]
    with client.head(f"/media/{job.id}/720p.mp4") as head:
        assert (head.status_code, head.content_length, head.data) == (200, len(FILM), b"")


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("0-0", 0, 1),
        ("100-299", 100, 300),
        ("524000-", 524_000, len(FILM)),
        ("-10", len(FILM) - 10, len(FILM)),
        ("5-99999999", 5, len(FILM)),
    ],
)
def test_ranges(client: FlaskClient, job: Job, wanted: str, start: int, stop: int) -> None:
    """206 with exactly the range, at the beginning, inside and at the end."""
    with client.get(f"/media/{job.id}/720p.mp4", headers={"Range": f"bytes={wanted}"}) as answer:
        assert (answer.status_code, answer.data) == (206, FILM[start:stop])
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(FILM)}"
        assert answer.content_length == stop - start


def test_a_range_behind_the_end_cannot_be_satisfied(client: FlaskClient, job: Job) -> None:
    """416 names the size."""
    with client.get(f"/media/{job.id}/720p.mp4", headers={"Range": f"bytes={len(FILM)}-"}) as answer:
        assert (answer.status_code, answer.get_json()["code"]) == (416, "range_not_satisfiable")
        assert answer.headers["Content-Range"] == f"bytes */{len(FILM)}"


@pytest.mark.parametrize("wanted", ["items=0-1", "bytes=0-1,5-9", "bytes=0-1,600000-", "bytes=9-1", "bytes=x", "0-1"])
def test_what_is_no_range_of_bytes_is_ignored(client: FlaskClient, job: Job, wanted: str) -> None:
    """Another unit, a list, or nonsense: the whole file, as RFC 9110 has it."""
    with client.get(f"/media/{job.id}/720p.mp4", headers={"Range": wanted}) as answer:
        assert (answer.status_code, answer.data) == (200, FILM)


def test_a_head_knows_no_ranges(client: FlaskClient, job: Job) -> None:
    """Ranges are defined for GET alone."""
    with client.head(f"/media/{job.id}/720p.mp4", headers={"Range": "bytes=0-9"}) as head:
        assert (head.status_code, head.content_length) == (200, len(FILM))


def test_what_the_client_has_is_not_sent_again(client: FlaskClient, job: Job) -> None:
    """304 for the same ETag; a range of another version is answered with the whole file."""
    path = f"/media/{job.id}/720p.mp4"
    with client.get(path) as first:
        etag = first.headers["ETag"]
    with client.get(path, headers={"If-None-Match": etag}) as again:
        assert (again.status_code, again.data) == (304, b"")
    with client.get(path, headers={"Range": "bytes=0-9", "If-Range": etag}) as same:
        assert same.status_code == 206
    with client.get(path, headers={"Range": "bytes=0-9", "If-Range": '"other"'}) as other:
        assert (other.status_code, other.data) == (200, FILM)


def test_a_storyboard_is_served_as_what_it_is(client: FlaskClient, media: Services, job: Job) -> None:
    """Cues are text that browsers take for cues, and their picture is a picture."""
    for name, kind in (("storyboard.vtt", "text/vtt"), ("storyboard.jpg", "image/jpeg")):
        media.objects.put_bytes(keys.rendition(job.id, name), b"WEBVTT", content_type=kind)
        with client.get(f"/media/{job.id}/{name}") as answer:
            assert (answer.status_code, answer.mimetype, answer.data) == (200, kind, b"WEBVTT")
            assert "immutable" in answer.headers["Cache-Control"]


def test_a_download_gets_a_good_name(client: FlaskClient, job: Job) -> None:
    """With ?download the browser saves it under the title."""
    with client.get(f"/media/{job.id}/720p.mp4?download") as answer:
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert "filename*=UTF-8''Ferien%20%E6%97%A5%E6%9C%AC%20720p.mp4" in answer.headers["Content-Disposition"]
    with client.get(f"/media/{job.id}/720p.mp4") as answer:
        assert "Content-Disposition" not in answer.headers


def test_what_is_not_there_is_not_found(client: FlaskClient, media: Services, job: Job) -> None:
    """Originals, manifests, unknown names, missing files and foreign jobs are 404."""
    foreign = make_job(owner="somebody", state=JobState.READY)
    media.jobs.create(foreign)
    for key in (keys.original(job.id), keys.manifest(job.id), keys.rendition(foreign.id, "720p.mp4")):
        media.objects.put_bytes(key, b"x", content_type="video/mp4")
    for path in (
        f"{job.id}/original", f"{job.id}/../../originals/{job.id}/original", f"{job.id}/manifest.json",
        f"{job.id}/480p.mp4", f"{job.id}/x.html", f"{foreign.id}/720p.mp4", f"{'0' * 32}/720p.mp4", "x/720p.mp4",
    ):  # fmt: skip
        assert client.get(f"/media/{path}").status_code == 404


def test_files_of_an_unfinished_job_are_not_kept(client: FlaskClient, media: Services) -> None:
    """Before a job is ready its files may change."""
    made = make_job(state=JobState.ENCODING, plan=make_plan())
    media.jobs.create(made)
    media.objects.put_bytes(keys.rendition(made.id, "poster.jpg"), b"jpeg", content_type="image/jpeg")
    with client.get(f"/media/{made.id}/poster.jpg") as answer:
        assert (answer.status_code, answer.mimetype, answer.headers["Cache-Control"]) == (200, "image/jpeg", "no-cache")


def test_nginx_is_told_where_the_file_is(make_app: Callable[..., Flask], media: Services, job: Job) -> None:
    """With MEDIA_REDIRECT the answer is empty and names the file, signed where the store wants it."""
    client = make_app(media, media_redirect="/internal/store/").test_client()
    answer = client.get(f"/media/{job.id}/720p.mp4?download")
    target = answer.headers["X-Accel-Redirect"]
    assert (answer.status_code, answer.data, answer.mimetype) == (200, b"", "video/mp4")
    assert target.startswith("/internal/store/")
    assert keys.rendition(job.id, "720p.mp4") in target
    assert ("X-Amz-Signature=" in target) == (not isinstance(media.objects, LocalObjectStore))
    assert "immutable" in answer.headers["Cache-Control"]
    assert "Content-Disposition" in answer.headers
    assert client.get(f"/media/{job.id}/480p.mp4").status_code == 404


def test_a_relative_data_folder_works(
    make_app: Callable[..., Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DATA_DIR may be relative to where the service was started."""
    monkeypatch.chdir(tmp_path)
    objects = LocalObjectStore(Path("here"))
    objects.prepare()
    services = Services(OwnJobStore(), objects, MemoryPublisher())
    made = make_job(state=JobState.READY)
    services.jobs.create(made)
    objects.put_bytes(keys.rendition(made.id, "poster.jpg"), b"jpeg", content_type="image/jpeg")
    with make_app(services).test_client().get(f"/media/{made.id}/poster.jpg") as answer:
        assert answer.data == b"jpeg"


def test_only_so_many_files_are_sent_at_once(client: FlaskClient, job: Job) -> None:
    """Slow players leave threads for everybody else: one more is told to come back, and may when another has ended."""
    path = f"/media/{job.id}/720p.mp4"
    with ExitStack() as opened:
        answers = [opened.enter_context(client.get(path)) for _ in range(deliveries_of(0))]
        with client.get(path) as refused:
            assert (refused.status_code, refused.get_json()["code"]) == (503, "busy")
            assert int(refused.headers["Retry-After"]) > 0
        answers[0].close()
        with client.get(path) as answer:
            assert answer.data == FILM


def test_answers_without_a_file_hold_nothing(client: FlaskClient, job: Job) -> None:
    """However often a player asks in vain: heads, what it has already, what does not exist."""
    path = f"/media/{job.id}/720p.mp4"
    with client.get(path) as answer:
        known = {"If-None-Match": answer.headers["ETag"]}
    for _ in range(2 * deliveries_of(0)):
        with client.head(path) as head, client.get(path, headers=known) as same:
            assert (head.status_code, same.status_code) == (200, 304)
        with client.get(path, headers={"Range": f"bytes={len(FILM)}-"}) as beyond:
            assert beyond.status_code == 416
    with client.get(path) as answer:
        assert answer.data == FILM


@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_regular_file_is_not_delivered(
    kind: str, make_app: Callable[..., Flask], own_services: Services, tmp_path: Path
) -> None:
    """A link, a FIFO or a device in a file's place is not found, even by the job's owner."""
    job = make_job(state=JobState.READY, plan=make_plan())
    own_services.jobs.create(job)
    own_services.objects.put_bytes(keys.rendition(job.id, "720p.mp4"), FILM, content_type="video/mp4")
    put_odd(kind, tmp_path / "objects" / keys.rendition(job.id, "720p.mp4"), tmp_path / "secret")
    with make_app(own_services).test_client().get(f"/media/{job.id}/720p.mp4") as answer:
        assert (answer.status_code, SECRET in answer.data) == (404, False)


def test_what_stands_for_a_poster(client: FlaskClient, media: Services) -> None:
    """A picture of an upload that still comes, until there is a poster; nobody keeps it for longer than that."""
    job = make_job(state=JobState.UPLOADING, incomplete=True)
    media.jobs.create(job)
    address = f"/media/{job.id}/poster.jpg"
    assert client.get(address).status_code == 404
    for key in (keys.early_poster(job.id), keys.rendition(job.id, "poster.jpg")):
        media.objects.put_bytes(key, key.encode(), content_type="image/jpeg")
        with client.get(address) as answer:
            assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/jpeg", key.encode())
            assert answer.headers["Cache-Control"] == "no-cache"
