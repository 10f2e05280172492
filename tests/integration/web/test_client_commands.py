"""The commands of a user that ask for jobs: what they print, as JSON too, and how they end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from storage.job_store.contract import JobStore
from storage.model.job import Changes, Job, JobError, JobState, Output
from storage.objects import keys
from storage.objects.local import LocalObjectStore
from storage.public.job_json import job_json
from tests.support.certificates import make_certificate
from tests.support.command import Rungs, rungs, started
from tests.support.hostile_server import HostileServer
from tests.support.jobs import finish_all, make_job, make_plan, with_plan
from tests.support.lossy_proxy import LossyProxy
from tests.support.servers import free_port
from tests.support.web_client import ask
from tests.support.web_server import WebServer
from web.client.downloading import download
from web.client.failures import Exit
from web.client.server import RemoteServer

__all__ = ["rungs"]  # a fixture

FILM = bytes(range(256)) * 4096  # 1 MiB
HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202eevil[bold red]x[/bold red]\r\nsecond line"
SHOWN = "]0;owned[2Jevil[bold red]x[/bold red] second line"
NOBODY = "0" * 32


def ready(jobs: JobStore, server: WebServer, **fields: Any) -> Job:
    """Put a ready job with an MP4 of its smallest rung into the service; return it."""
    job = make_job(state=JobState.READY, plan=make_plan(), outputs=(Output("480p", len(FILM)),), **fields)
    jobs.create(job)
    objects = LocalObjectStore(server.data / "objects")
    objects.put_bytes(keys.rendition(job.id, "480p.mp4"), FILM, content_type="video/mp4")
    return job


def test_jobs_are_listed(web_server: WebServer, jobs: JobStore, rungs: Rungs) -> None:
    """Newest first, those in one state, no more than asked for; JSON is what the API says."""
    made = [make_job(created_at=1_790_000_000.0 + number) for number in range(3)]
    for job in made:
        jobs.create(job)
    jobs.move(made[0].id, JobState.CANCELLED)
    (listed,) = rungs("jobs", "--json", port=web_server.port).events
    assert listed["jobs"] == ask(web_server, "GET", "/api/jobs")["jobs"]
    (two,) = rungs("jobs", "--limit", "2", "--json", port=web_server.port).events
    assert [job["id"] for job in two["jobs"]] == [made[2].id, made[1].id]
    told = rungs("jobs", "--state", "cancelled", port=web_server.port)
    assert told.code == Exit.DONE
    assert made[0].id in told.out
    assert made[1].id not in told.out


def test_subtitles_are_added_listed_and_removed(
    web_server: WebServer, jobs: JobStore, rungs: Rungs, tmp_path: Path
) -> None:
    """The name of a file tells its language; what the server refuses is told in its words."""
    job = make_job()
    jobs.create(job)
    path, noise = tmp_path / "film.ko.srt", tmp_path / "noise.srt"
    path.write_bytes("1\n00:00:01,000 --> 00:00:02,000\n\uc548\ub155\n".encode("cp949"))
    noise.write_bytes(b"\x00" * 100)
    (track,) = rungs("subtitles", "add", job.id, str(path), "--sdh", "--json", port=web_server.port).events
    assert (track["language"], track["label"], track["sdh"], track["forced"]) == ("ko", "Korean (SDH)", True, False)
    assert "Korean (SDH)" in rungs("subtitles", "list", job.id, port=web_server.port).out
    refused = rungs("subtitles", "add", job.id, str(noise), "--language", "en", "--json", port=web_server.port)
    assert (refused.code, refused.events[0]["error"]["code"]) == (Exit.REFUSED, "subtitle_unreadable")
    assert rungs("subtitles", "remove", job.id, track["id"], port=web_server.port).code == Exit.DONE
    assert rungs("subtitles", "remove", job.id, track["id"], port=web_server.port).code == Exit.NOT_FOUND
    assert rungs("subtitles", "remove", job.id, "../x", port=web_server.port).code == Exit.USAGE


def test_more_jobs_than_a_page_has(web_server: WebServer, jobs: JobStore, rungs: Rungs) -> None:
    """The pages of the API are put together."""
    for _ in range(105):
        jobs.create(make_job())
    (listed,) = rungs("jobs", "--limit", "103", "--json", port=web_server.port).events
    assert len({job["id"] for job in listed["jobs"]}) == 103


def test_a_hostile_title_is_only_shown(rungs: Rungs) -> None:
    """Nothing in it is obeyed: no control reaches the terminal, and markup is text. Our own servers send none."""
    job = make_job(title=HOSTILE, filename=HOSTILE, state=JobState.CANCELLED)
    said = job_json(job)
    body = {
        **said,
        "jobs": [said],
        "cursor": None,
        **dict.fromkeys(("waiting", "active", "uploads", "slots", "busy"), 1),
    }
    body |= {"wait_seconds": 1.0, "admission": {"open": False, "message": HOSTILE, "retry_after": 9}}
    with HostileServer(200, json.dumps(body).encode()) as server:
        for arguments in (("show", job.id), ("jobs",), ("queue",), ("cancel", job.id), ("watch", job.id)):
            told = rungs(*arguments, port=server.port)
            printed = told.out + told.err
            assert not set("\x1b\x07\r\u202e") & set(printed), arguments
            assert "[bold red]" in printed.replace("\n", ""), arguments
        assert SHOWN in rungs("show", job.id, port=server.port).out
        out = rungs("show", job.id, "--json", port=server.port).out
    assert out.isascii()
    assert json.loads(out)["title"] == HOSTILE


def test_a_job_is_shown(web_server: WebServer, jobs: JobStore, rungs: Rungs) -> None:
    """With its rungs and warnings; JSON is what the API says."""
    job = ready(jobs, web_server)
    told = rungs("show", job.id, port=web_server.port)
    assert "480p, 854 x 480, 1.0 MB" in told.out
    (document,) = rungs("show", job.id, "--json", port=web_server.port).events
    assert {**document, "status": 200} == ask(web_server, "GET", f"/api/jobs/{job.id}")


def test_what_is_not_there_has_its_own_code(web_server: WebServer, jobs: JobStore, rungs: Rungs) -> None:
    """The server's sentence, what to do next, and as JSON its code."""
    assert jobs
    told = rungs("show", NOBODY, port=web_server.port)
    assert (told.code, told.out) == (Exit.NOT_FOUND, "")
    assert "There is no such job, or it was deleted." in told.err
    assert "`rungs jobs` lists the jobs there are." in told.err
    (document,) = rungs("show", NOBODY, "--json", port=web_server.port).events
    assert (document["error"]["code"], document["error"]["status"]) == ("job_not_found", 404)
    assert rungs("watch", NOBODY, port=web_server.port).code == Exit.NOT_FOUND
    assert rungs("download", NOBODY, port=web_server.port).code == Exit.NOT_FOUND


def test_jobs_are_cancelled_and_retried(web_server: WebServer, jobs: JobStore, rungs: Rungs) -> None:
    """What is refused for one of them keeps none of the others from it, and gives the exit code."""
    first, over = make_job(), ready(jobs, web_server)
    jobs.create(first)
    told = rungs("cancel", over.id, first.id, "--json", port=web_server.port)
    (document,) = told.events
    assert told.code == Exit.REFUSED
    assert [job["state"] for job in document["jobs"]] == ["cancelled"]
    assert [(error["job_id"], error["code"]) for error in document["errors"]] == [(over.id, "transition_refused")]
    again = rungs("retry", first.id, port=web_server.port)  # whose original nobody has
    assert again.code == Exit.REFUSED
    assert "The original of this job is gone" in again.err
    assert again.out == ""


def test_a_film_is_downloaded(
    web_server: WebServer, jobs: JobStore, rungs: Rungs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name is made here: the job's id and the rung, in this folder or the one that is named."""
    monkeypatch.chdir(tmp_path)
    job = ready(jobs, web_server, title="../../evil")
    name = f"{job.id}-480p.mp4"
    told = rungs("download", job.id, port=web_server.port)
    assert (told.code, told.out) == (Exit.DONE, f"{name}\n")
    assert (tmp_path / name).read_bytes() == FILM
    folder = tmp_path / "films"
    folder.mkdir()
    (document,) = rungs(
        "download", job.id, "--rung", "480p", "--output", str(folder), "--json", port=web_server.port
    ).events
    assert document == {"job_id": job.id, "rung": "480p", "path": str(folder / name), "size": len(FILM)}
    assert rungs("download", job.id, "--output", "own.mp4", port=web_server.port).code == Exit.DONE
    assert {path.name for path in tmp_path.iterdir()} - {"data"} == {name, "films", "own.mp4"}
    assert (tmp_path / name).stat().st_mode & 0o777 == (tmp_path / "own.mp4").stat().st_mode & 0o777 != 0o600


def test_a_download_goes_on_where_its_line_broke(web_server: WebServer, jobs: JobStore, tmp_path: Path) -> None:
    """It asks for the rest, and the file is whole, once."""
    film = FILM * 16  # more than the sockets on the way hold
    job = ready(jobs, web_server)
    objects = LocalObjectStore(web_server.data / "objects")
    objects.put_bytes(keys.rendition(job.id, "480p.mp4"), film, content_type="video/mp4")
    told: list[int] = []
    with LossyProxy(web_server.port) as line:

        def on_bytes(done: int, size: int) -> None:
            assert size == len(film)
            if not told:
                assert line.cut(0)
            told.append(done)

        server = RemoteServer(f"http://127.0.0.1:{line.port}")
        assert download(server, job.id, "480p", tmp_path / "film.mp4", on_bytes) == len(film)
    assert (tmp_path / "film.mp4").read_bytes() == film
    assert told == sorted(set(told))


def test_a_download_that_fails_leaves_nothing(
    web_server: WebServer, jobs: JobStore, rungs: Rungs, tmp_path: Path
) -> None:
    """Neither a part of the file, nor one less of the user's own."""
    job, folder = ready(jobs, web_server), tmp_path / "films"
    folder.mkdir()
    (folder / "own.mp4").write_bytes(b"own")
    (web_server.data / "objects" / keys.rendition(job.id, "480p.mp4")).unlink()
    told = rungs("download", job.id, "--output", str(folder / "own.mp4"), port=web_server.port)
    assert (told.code, "This file does not exist any more." in told.err) == (Exit.NOT_FOUND, True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"own.mp4": b"own"}


def test_what_cannot_be_downloaded_says_why(
    web_server: WebServer, jobs: JobStore, rungs: Rungs, tmp_path: Path
) -> None:
    """A rung that it has not, a job that is not ready, one that failed, a folder that is not there."""
    job, waiting, failed = ready(jobs, web_server), make_job(), make_job()
    for made in (waiting, failed):
        jobs.create(made)
    jobs.move(failed.id, JobState.FAILED, Changes(error=JobError("tool_failed", "The encoder ended with an error.")))
    port = web_server.port
    told = rungs("download", job.id, "--rung", "720p", port=port)
    assert (told.code, "It has 480p." in told.err) == (Exit.NOT_FOUND, True)
    told = rungs("download", waiting.id, port=port)
    assert (told.code, f"rungs watch {waiting.id}" in told.err) == (Exit.REFUSED, True)
    told = rungs("download", failed.id, port=port)
    assert (told.code, "The encoder ended with an error." in told.err) == (Exit.JOB_FAILED, True)
    told = rungs("download", job.id, "--output", str(tmp_path / "none" / "x.mp4"), port=port)
    assert (told.code, "cannot be written: No such file or directory." in told.err) == (Exit.LOCAL, True)


def test_jobs_are_watched_to_their_end(web_server: WebServer, jobs: JobStore, tmp_path: Path) -> None:
    """One line for each change of each job, through a restart of the server; the exit code is that of the worst."""
    good, bad = make_job(), make_job()
    for made in (good, bad):
        jobs.create(made)
    with started(web_server.port, tmp_path, "watch", good.id, bad.id, "--json") as process:
        assert process.stdout is not None
        lines = (json.loads(line) for line in process.stdout)
        assert [next(lines)["job"]["id"] for _ in range(2)] == [good.id, bad.id]
        jobs.move(bad.id, JobState.FAILED, Changes(error=JobError("stalled", "It stood still.")))
        web_server.stop()
        web_server.start()
        jobs.move(good.id, JobState.PLANNING)
        encoding = jobs.move(good.id, JobState.ENCODING, with_plan())
        finish_all(jobs, encoding)
        jobs.move(good.id, JobState.PACKAGING)
        jobs.move(good.id, JobState.READY)
        seen = list(lines)
        assert process.wait(60) == Exit.JOB_FAILED
    ends = {event["job"]["id"]: event["job"]["state"] for event in seen if event["event"] == "job"}
    assert ends == {good.id: "ready", bad.id: "failed"}


def test_the_queue_is_told(web_server: WebServer, jobs: JobStore, rungs: Rungs) -> None:
    """In words and as JSON."""
    job = make_job()
    jobs.create(job)
    told = rungs("queue", port=web_server.port)
    assert told.code == Exit.DONE
    assert job.id in told.out
    (document,) = rungs("queue", "--json", port=web_server.port).events
    assert [known["id"] for known in document["jobs"]] == [job.id]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["upload", "/none.mp4"], "does not exist"),
        (["upload"], "Missing argument"),
        (["show", "../x"], "is no job's id"),
        (["queue", "--server", "ftp://x"], "--server is"),
        (["queue", "--server", "http://user:secret@x"], "--server is"),
        (["queue", "--token", "a b"], "--token is"),
        (["jobs", "--state", "x"], "'x' is not one of"),
        (["download", NOBODY, "--rung", "../x"], "is no rung's name"),
    ],
)
def test_wrong_usage_asks_no_server(arguments: list[str], said: str, rungs: Rungs) -> None:
    """It ends with the code of every wrong usage."""
    told = rungs(*arguments)
    assert (told.code, told.out) == (Exit.USAGE, "")
    assert said in told.err


def test_nobody_answers(rungs: Rungs) -> None:
    """One line and one piece of advice; JSON has the same."""
    port = free_port()
    told = rungs("queue", port=port)
    assert (told.code, told.out) == (Exit.UNREACHABLE, "")
    assert told.err.splitlines() == [
        f"rungs: http://127.0.0.1:{port} does not answer: Connection refused.",
        "       Is the server running? Name another one by --server or RUNGS_SERVER.",
    ]
    (document,) = rungs("queue", "--json", port=port).events
    assert document["error"]["code"] == "unreachable"


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b"{}", b'{"id": "../../etc/passwd"}', b"[" * 100_000, b'{"jobs": [{"id": 1}], "cursor": null}'],
)
def test_who_is_no_rungs_is_told_so(body: bytes, rungs: Rungs) -> None:
    """Whatever is answered, it is one sentence and no traceback."""
    with HostileServer(200, body) as server:
        for arguments in (("jobs",), ("show", NOBODY), ("queue",), ("download", NOBODY), ("watch", NOBODY)):
            told = rungs(*arguments, port=server.port)
            assert (told.code, told.out) == (Exit.UNREACHABLE, ""), arguments
            assert "answers, but not as Rungs does." in told.err


def test_a_refusal_is_only_shown(rungs: Rungs) -> None:
    """Its sentence is text; what the token is goes to the server and nowhere else, a redirect least of all."""
    detail = json.dumps({"detail": HOSTILE, "code": "\x1b[2J"}).encode()
    with HostileServer(403, detail) as server:
        told = rungs("queue", "--token", "s3cret", port=server.port)
        assert server.authorizations == ["Bearer s3cret"]
    assert told.code == Exit.REFUSED
    assert SHOWN in told.err
    assert "--token" in told.err
    assert "\x1b" not in told.err
    with HostileServer(200, b"{}") as other, HostileServer(302, b"", Location=other.url) as server:
        told = rungs("queue", "--token", "s3cret", port=server.port)
        assert other.authorizations == []
    assert told.code == Exit.UNREACHABLE
    assert "s3cret" not in told.out + told.err


def test_certificates_are_checked(rungs: Rungs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom nobody trusts is not asked, nor told the token; SSL_CERT_FILE names further authorities."""
    certificate, key = make_certificate(tmp_path / "tls", "IP:127.0.0.1")
    with HostileServer(403, b"{}", certificate=(certificate, key)) as server:
        address = ("--server", server.url, "--token", "s3cret")
        told = rungs("queue", *address)
        assert told.code == Exit.UNREACHABLE
        assert "certificate" in told.err
        assert server.authorizations == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert rungs("queue", *address).code == Exit.REFUSED
        assert server.authorizations == ["Bearer s3cret"]
        assert RemoteServer(server.url).send("/", iter([b"abc"]), {"Content-Length": "3"}).status == 403


def test_an_upload_is_not_followed_elsewhere(rungs: Rungs, tmp_path: Path) -> None:
    """Of where the server says that the upload is, only the id is taken."""
    video = tmp_path / "a.mp4"
    video.write_bytes(b"x" * 100)
    with HostileServer(200, b"") as other, HostileServer(201, b"", Location=f"{other.url}/../x") as server:
        assert rungs("upload", str(video), port=server.port).code == Exit.UNREACHABLE
        assert other.authorizations == []
