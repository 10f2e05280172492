"""HLS over HTTP: playlists that grow with the job, and the byte ranges they name."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storage.model.job import Job, JobState
from storage.model.task import Stage, Task
from storage.objects import keys
from storage.objects.contract import ObjectStore
from storage.services import Services
from tests.support.job_store import OwnJobStore
from tests.support.jobs import claim, created, encoding, make_plan
from tests.support.memory_publisher import MemoryPublisher

SIZES = [700, 300]
OBJECT = bytes(range(250)) * 4
PLAYLIST = "application/vnd.apple.mpegurl"
PART = {"bytes": 640, "seconds": 4.010667}


@pytest.fixture
def media(object_store: ObjectStore) -> Services:
    """Give services over each object store in turn: from disk, and streamed out of a real MinIO."""
    return Services(jobs=OwnJobStore(), objects=object_store, publisher=MemoryPublisher())


@pytest.fixture
def client(make_app: Callable[..., Flask], media: Services) -> FlaskClient:
    """Give a client of the app over these services."""
    return make_app(media).test_client()


def finish_segment(services: Services, job: Job, index: int) -> None:
    """Store a segment of two fragments in every rung and record it."""
    assert job.plan is not None
    task = Task(job.id, Stage.SEGMENT, index)
    claim(services.jobs, task)
    for rung in job.plan.rungs:
        services.objects.put_bytes(keys.segment(job.id, rung.name, index), OBJECT, content_type="video/mp4")
    rungs = {rung.name: {"codec": "avc1.64001f", "fragments": SIZES} for rung in job.plan.rungs}
    frames = services.jobs.segment(job.id, index).frames
    services.jobs.finish(task, "a", {"frames": frames, "seconds": 1.0, "rungs": rungs})


def hear(services: Services, job: Job, parts: int) -> None:
    """Record so many parts of sound that is still being made."""
    task = Task(job.id, Stage.AUDIO)
    claim(services.jobs, task)
    result = {"made": True, "codec": "mp4a.40.2", "complete": False, "parts": [PART] * parts}
    assert services.jobs.interim(task, "a", result)


def test_playlists_appear_and_grow(client: FlaskClient, media: Services) -> None:
    """Nothing before there is something to play; then more with every segment, closed when all is encoded."""
    job = encoding(media.jobs)
    hls = f"/media/{job.id}/hls"
    finish_segment(media, job, 0)
    assert client.get(f"{hls}/master.m3u8").status_code == 404
    assert client.get(f"/api/jobs/{job.id}").get_json()["hls_url"] is None
    hear(media, job, 1)
    assert client.get(f"/api/jobs/{job.id}").get_json()["hls_url"] == f"{hls}/master.m3u8"
    master = client.get(f"{hls}/master.m3u8")
    assert (master.status_code, master.mimetype) == (200, PLAYLIST)
    assert master.headers["Cache-Control"] == "no-cache"
    assert re.findall(r"^\S+m3u8$", master.text, re.MULTILINE) == ["1080p/index.m3u8", "480p/index.m3u8"]
    first, sound = client.get(f"{hls}/480p/index.m3u8").text, client.get(f"{hls}/audio/index.m3u8").text
    assert (first.count("#EXTINF"), sound.count("#EXTINF")) == (2, 1)
    finish_segment(media, job, 1)
    hear(media, job, 2)
    assert client.get(f"{hls}/480p/index.m3u8").text.count("#EXTINF") == 4
    assert client.get(f"{hls}/audio/index.m3u8").text.count("#EXTINF") == 2
    assert "ENDLIST" not in client.get(f"{hls}/480p/index.m3u8").text
    media.jobs.move(job.id, JobState.PACKAGING)
    assert "ENDLIST" in client.get(f"{hls}/480p/index.m3u8").text


def test_a_ready_jobs_playlists_are_the_stored_ones(client: FlaskClient, media: Services) -> None:
    """Packaging wrote them once and for all: they are delivered as its other files are, and kept by browsers.

    But for the master playlist, as subtitles may be added to it.
    """
    job = created(media.jobs, state=JobState.READY, plan=make_plan())
    for name in ("master", "720p/index"):
        key = keys.rendition(job.id, f"hls/{name}.m3u8")
        media.objects.put_bytes(key, b"#EXTM3U\n", content_type=PLAYLIST)
        with client.get(f"/media/{job.id}/hls/{name}.m3u8") as ready:
            assert (ready.status_code, ready.mimetype, ready.data) == (200, PLAYLIST, b"#EXTM3U\n")
            assert ("immutable" in ready.headers["Cache-Control"]) is (name != "master")
    assert client.get(f"/media/{job.id}/hls/480p/index.m3u8").status_code == 404


def test_a_playlist_that_did_not_grow_is_not_sent_again(client: FlaskClient, media: Services) -> None:
    """Players ask again and again: 304 until there is more."""
    job = encoding(media.jobs, audio=False)
    finish_segment(media, job, 0)
    path = f"/media/{job.id}/hls/480p/index.m3u8"
    etag = client.get(path).headers["ETag"]
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    finish_segment(media, job, 1)
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 200


def test_every_byte_range_can_be_fetched(client: FlaskClient, media: Services) -> None:
    """The ranges of a playlist tile the stored objects."""
    job = encoding(media.jobs, audio=False)
    finish_segment(media, job, 0)
    folder = f"/media/{job.id}/hls/1080p"
    text = client.get(f"{folder}/index.m3u8").text
    pieces = []
    for length, offset, name in re.findall(r"^#EXT-X-BYTERANGE:(\d+)@(\d+)\n(\S+)$", text, re.MULTILINE):
        last = int(offset) + int(length) - 1
        with client.get(f"{folder}/{name}", headers={"Range": f"bytes={offset}-{last}"}) as answer:
            assert (answer.status_code, answer.mimetype) == (206, "video/iso.segment")
            pieces.append(answer.data)
    assert [len(piece) for piece in pieces] == SIZES
    assert b"".join(pieces) == OBJECT


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
def test_what_a_job_left_behind_has_no_playlist(client: FlaskClient, media: Services, state: JobState) -> None:
    """A job that ended without a video is not played."""
    job = encoding(media.jobs, audio=False)
    finish_segment(media, job, 0)
    media.jobs.move(job.id, state)
    assert client.get(f"/media/{job.id}/hls/master.m3u8").status_code == 404
    assert client.get(f"/api/jobs/{job.id}").get_json()["hls_url"] is None


def test_there_are_no_playlists_but_the_jobs_own(client: FlaskClient, media: Services) -> None:
    """Unknown rungs, a job without a plan and somebody else's job are 404."""
    job = encoding(media.jobs, audio=False)
    finish_segment(media, job, 0)
    foreign, unplanned = created(media.jobs, owner="somebody"), created(media.jobs)
    for path in (
        f"{job.id}/hls/360p/index.m3u8", f"{job.id}/hls/audio/index.m3u8", f"{job.id}/hls/480p/master.m3u8",
        f"{foreign.id}/hls/master.m3u8", f"{unplanned.id}/hls/master.m3u8",
    ):  # fmt: skip
        assert client.get(f"/media/{path}").status_code == 404
