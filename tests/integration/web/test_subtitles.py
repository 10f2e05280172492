"""Subtitles over HTTP: added, listed, replaced and removed, live in files and playlists; refused where they must be."""

from __future__ import annotations

import http.client
from contextlib import suppress
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from storage.captions.side_files import LONGEST_FILE
from storage.job_store.contract import JobStore
from storage.model.job import Job, JobState
from storage.model.timed_text import MOST_SUBTITLES, SubtitleSource, SubtitleTrack
from storage.objects import keys
from storage.public.hls import playlists
from storage.services import Services
from tests.support.jobs import make_job, make_plan
from tests.support.web_server import WebServer
from tests.unit.storage.public.test_hls import results_of

SRT = "1\n00:00:01,000 --> 00:00:02,000\n\uc548\ub155 & <b>there</b>\n".encode("cp949")
VTT = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n\uc548\ub155 &amp; <b>there</b>\n"
PLAN = replace(make_plan(audio=False), subtitles=(SubtitleSource(SubtitleTrack("0", "en", default=True), 1, "subrip"),))
RESULTS = {
    **results_of(PLAN, 0, 1, sound=None),
    "subtitles:0": {"made": True, "tracks": [{"id": "0", "cues": 1, "bytes": 9}], "failed": []},
}


@pytest.fixture
def job(own_services: Services) -> Job:
    """Give a job that is ready, with a track of its file and its stored playlists."""
    made = make_job(state=JobState.READY, plan=PLAN, subtitles_made=("0",), playable=True, finished_at=1_790_000_100.0)
    own_services.jobs.create(made)
    for name, text in playlists(PLAN, RESULTS).items():
        own_services.objects.put_bytes(keys.rendition(made.id, f"hls/{name}"), text.encode(), content_type="x")
    return made


def address(job: Job, track: str = "") -> str:
    """Return where the job's subtitles are."""
    return f"/api/jobs/{job.id}/subtitles{track and '/'}{track}"


def test_a_file_is_live_at_once(client: FlaskClient, job: Job) -> None:
    """In the job, as a file, and in the playlists, beside the track of the file."""
    answer = client.post(f"{address(job)}?language=kor&label=Fan%20sub&forced=true", data=SRT)
    assert answer.status_code == 201
    track = answer.get_json()
    assert answer.headers["Location"] == address(job, track["id"])
    wanted = {"label": "Korean, Fan sub (forced)", "language": "ko", "title": "Fan sub", "origin": "added"}
    assert {name: track[name] for name in wanted} == wanted
    assert track["forced"]
    shown = client.get(f"/api/jobs/{job.id}").get_json()["subtitles"]
    assert [one["origin"] for one in shown] == ["file", "added"]
    assert client.get(address(job)).get_json() == {"subtitles": shown}
    whole = client.get(track["url"])
    assert (whole.get_data(as_text=True), whole.mimetype, whole.headers["Cache-Control"]) == (
        VTT,
        "text/vtt",
        "no-cache",
    )
    master = client.get(f"/media/{job.id}/hls/master.m3u8").get_data(as_text=True)
    assert [line.split(",")[2] for line in master.splitlines() if "TYPE=SUBTITLES" in line] == [
        'NAME="English"',
        'NAME="Korean',
    ]
    assert master.count('SUBTITLES="subtitles"') == 2
    media = client.get(f"/media/{job.id}/hls/subtitles-{track['id']}/index.m3u8").get_data(as_text=True)
    assert media.splitlines()[-2] == "00000.vtt"
    segment = client.get(f"/media/{job.id}/hls/subtitles-{track['id']}/00000.vtt").get_data(as_text=True)
    assert segment == VTT.replace("WEBVTT", "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000")
    assert client.get(f"{track['url']}?download").headers["Content-Disposition"].startswith("attachment")


def test_a_track_is_replaced_and_removed(client: FlaskClient, job: Job, own_services: Services) -> None:
    """Under an address that no player has kept anything of; nothing is left of it in the end."""
    track = client.post(address(job), data=SRT).get_json()["id"]
    answer = client.put(f"{address(job, track)}?language=en", data=b"WEBVTT\n\n00:01.000 --> 00:02.000\nnew")
    assert (answer.status_code, answer.get_json()["language"]) == (200, "en")
    url = answer.get_json()["url"]
    assert url == f"/media/{job.id}/subtitles/{track}.vtt?version=1"
    assert client.get(url).get_data(as_text=True).endswith("\nnew\n")
    assert client.delete(address(job, track)).status_code == 204
    assert client.delete(address(job, track)).get_json()["code"] == "subtitle_not_found"
    assert client.put(address(job, track), data=SRT).status_code == 404
    assert client.get(f"/media/{job.id}/subtitles/{track}.vtt").status_code == 404
    assert list(own_services.objects.keys(keys.originals(job.id))) == []
    with client.get(f"/media/{job.id}/hls/master.m3u8") as master:
        assert master.get_data(as_text=True).count("TYPE=SUBTITLES") == 1


@pytest.mark.parametrize("track", ["0", "x", "nope", "%2e%2e", "A"])
def test_tracks_of_the_file_and_others_cannot_be_changed(client: FlaskClient, job: Job, track: str) -> None:
    """They are not among those that were added."""
    assert client.delete(address(job, track)).status_code == 404
    assert client.put(address(job, track), data=SRT).status_code == 404


@pytest.mark.parametrize(
    ("query", "data", "status", "code"),
    [
        ("", b"", 415, "subtitle_unreadable"),
        ("", b"\x00\xff" * 500, 415, "subtitle_unreadable"),
        ("?language=klingonese", SRT, 400, "invalid_request"),
        ("?language=%22%0a", SRT, 400, "invalid_request"),
        ("?forced=perhaps", SRT, 400, "invalid_request"),
        ("?colour=red", SRT, 400, "invalid_request"),
        ("", b"x" * (LONGEST_FILE + 1), 413, "subtitle_too_large"),
    ],
)
def test_what_is_wrong_is_refused(
    client: FlaskClient, job: Job, query: str, data: bytes, status: int, code: str, own_services: Services
) -> None:
    """And leaves nothing."""
    answer = client.post(f"{address(job)}{query}", data=data)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert list(own_services.objects.keys(keys.originals(job.id))) == []


def test_there_are_only_so_many(client: FlaskClient, job: Job, own_services: Services) -> None:
    """Those of the file count."""
    own_services.jobs.change_added(job.id, lambda _: tuple(SubtitleTrack(f"a{n}") for n in range(MOST_SUBTITLES - 1)))
    answer = client.post(address(job), data=SRT)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "subtitles_full")


def test_a_job_whose_file_is_not_whole_takes_none(client: FlaskClient, own_services: Services) -> None:
    """Its folder is not there yet. For another's, or no, job there is nothing either."""
    uploading = make_job(state=JobState.UPLOADING, incomplete=True)
    own_services.jobs.create(uploading)
    assert client.post(address(uploading), data=SRT).get_json()["code"] == "conflict"
    foreign = make_job(owner="somebody")
    own_services.jobs.create(foreign)
    for method in (client.get, client.post):
        assert method(address(foreign)).status_code == 404


def test_the_real_service_takes_more_than_a_form(web_server: WebServer, jobs: JobStore) -> None:
    """In blocks as they come, also from a client that waits to be asked; too much is answered while it comes."""
    made = make_job()
    jobs.create(made)
    times = (f"00:{n // 60:02d}:{n % 60:02d}" for n in range(3000))
    many = "".join(f"{time},000 --> {time},900\nsaid at {time}\n\n" for time in times)
    for headers in ({}, {"Expect": "100-continue"}):
        answer = _sent(web_server, address(made), many.encode(), headers)
        assert (answer.status, answer.headers["Location"].rpartition("/")[0]) == (201, address(made))
    assert len(jobs.get(made.id).added) == 2
    assert _sent(web_server, address(made), b"x" * (LONGEST_FILE + 100_000), {}).status == 413


def _sent(server: WebServer, path: str, body: bytes, headers: dict[str, str]) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        with suppress(BrokenPipeError, ConnectionResetError):  # the answer is there already
            connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()
