"""`rungs upload` against the real service: killed clients, killed servers, a full queue, files that change."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.model.job import JobState
from storage.objects import keys
from storage.services import Services
from storage.services.connect import connect
from storage.services.queue_reading import estimate_all
from storage.settings import Settings
from tests.support.command import Events, Rungs, ended, rungs, started
from tests.support.held_line import HeldLine
from tests.support.jobs import make_job
from tests.support.servers import RedisServer, free_port
from tests.support.waiting import wait_until
from tests.support.web_client import MIB, ask
from tests.support.web_server import WebServer
from web.client.failures import Exit, RefusedError
from web.client.lines import OFTEN_SECONDS
from web.client.server import RemoteServer
from web.client.tus import Announced, Uploads

__all__ = ["rungs"]  # a fixture

SIZE = 20 * MIB  # more than the sockets on the way hold
HELD = 2 * MIB


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[WebServer]:
    """Run a service whose queue is full after a small job."""
    folder = tmp_path_factory.mktemp("client")
    made = WebServer(folder, redis_server.url, ADMISSION_MAX_WAIT_SECONDS="7", ENCODERS="1").start()
    yield made
    made.stop()


@pytest.fixture
def server(place: WebServer, redis_url: str) -> WebServer:
    """Give the service without jobs."""
    assert redis_url
    return place


@pytest.fixture
def parts(server: WebServer, redis_url: str) -> Services:
    """Give the service's stores."""
    return connect(Settings(redis_url=redis_url, data_dir=server.data), patience=5)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Give a file that is no video, which nobody looks at here."""
    path = tmp_path / "Ferien [red].mp4"
    path.write_bytes(random.Random(7).randbytes(SIZE))
    return path


def busy(parts: Services, size: int) -> str:
    """Fill the queue; return the id of the job that does."""
    job = make_job(size=size)
    parts.jobs.create(job)
    estimate_all(parts.jobs)
    return job.id


def arrived(parts: Services) -> int:
    """Return how much is there of the one upload under way."""
    uploads = parts.jobs.open_uploads()
    return parts.objects.incoming.arrived(uploads[0].id).size if uploads else 0


def original(parts: Services, events: Events) -> str:
    """Return the checksum of the original that was accepted."""
    (found,) = (event for event in events if event["event"] == "accepted")
    return hashlib.sha256(b"".join(parts.objects.read(keys.original(found["job_id"])))).hexdigest()


def digest(path: Path) -> str:
    """Return the file's checksum."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def offsets(events: Events) -> list[int]:
    """Return where the upload was whenever it was told."""
    return [event["offset"] for event in events if event["event"] == "sent"]


def kill_halfway(line: HeldLine, parts: Services, state: Path, video: Path) -> None:
    """Begin the upload, and kill its client when a part of the file has come."""
    with started(line.port, state, "upload", str(video), "--json") as process:
        assert line.held.wait(30)
        wait_until(lambda: arrived(parts) > MIB, what="a part of the file")
        process.kill()
        assert process.wait() == -signal.SIGKILL


def test_an_upload_goes_on_after_its_client_was_killed(
    server: WebServer, parts: Services, video: Path, tmp_path: Path
) -> None:
    """The same command sends what is missing, of the same upload, and forgets it then."""
    state = tmp_path / "state"
    with HeldLine(server.port, HELD) as line:
        kill_halfway(line, parts, state, video)
        line.release()
        with started(line.port, state, "upload", str(video), "--json") as process:
            again = ended(process)
    assert again.code == Exit.DONE, again
    assert MIB < offsets(again.events)[0] < SIZE
    assert original(parts, again.events) == digest(video)
    assert list((state / "rungs" / "uploads").iterdir()) == []
    assert len(ask(server, "GET", "/api/jobs")["jobs"]) == 1


def test_an_upload_goes_on_after_its_server_was_killed(
    server: WebServer, parts: Services, video: Path, tmp_path: Path
) -> None:
    """The same process waits until the server is there again, and sends what is missing."""
    with (
        HeldLine(server.port, HELD) as line,
        started(line.port, tmp_path / "state", "upload", str(video), "--json") as process,
    ):
        assert line.held.wait(30)
        wait_until(lambda: arrived(parts) > MIB, what="a part of the file")
        worker = server.worker_pid()
        server.kill()
        os.kill(worker, signal.SIGKILL)  # gunicorn's master alone would leave it at work for a second
        line.release()
        server.start()
        done = ended(process)
    assert done.code == Exit.DONE, done
    assert next(event for event in done.events if event["event"] == "waits")["error"]["code"] == "unreachable"
    assert any(MIB < offset < SIZE for offset in offsets(done.events))
    assert original(parts, done.events) == digest(video)


def test_a_refused_upload_comes_back_at_its_turn(
    server: WebServer, parts: Services, video: Path, tmp_path: Path
) -> None:
    """The server names the time; the client says so, waits, and is taken then."""
    job_id = busy(parts, 5_000_000)
    with started(server.port, tmp_path / "state", "upload", str(video), "--json") as process:
        assert process.stdout is not None
        waits = json.loads(process.stdout.readline())
        parts.jobs.move(job_id, JobState.CANCELLED)
        done = ended(process)
    assert (waits["event"], waits["error"]["code"], waits["error"]["status"]) == ("waits", "queue_full", 503)
    assert waits["seconds"] == waits["error"]["retry_after"] > 0
    assert done.code == Exit.DONE, done
    assert original(parts, done.events) == digest(video)


def test_who_will_not_wait_is_told_when_to_come_back(
    server: WebServer, parts: Services, video: Path, rungs: Rungs
) -> None:
    """With a limit of the time to wait the refusal is the end, with an exit code of its own."""
    busy(parts, 100_000_000)
    told = rungs("upload", str(video), "--max-wait", "5", port=server.port)
    assert (told.code, told.out) == (Exit.REFUSED, "")
    assert "The queue is full" in told.err
    assert "Try again in 2 min" in told.err


def test_the_turn_is_sent_back(server: WebServer, parts: Services) -> None:
    """Who brings fewer bytes is another client to the server, unless it names its turn."""
    busy(parts, 100_000_000)
    uploads = Uploads(RemoteServer(f"http://127.0.0.1:{server.port}"))
    turns = []
    for length in (1000, 999):
        with pytest.raises(RefusedError, match="queue is full"):
            uploads.create(Announced(length, "a.mp4"))
        turns.append(uploads.turn)
    assert turns[0] == turns[1] != ""


def test_several_files_are_told_one_by_one(server: WebServer, tmp_path: Path, rungs: Rungs) -> None:
    """One that cannot be taken keeps none of the others from it, and gives the exit code."""
    empty, other = tmp_path / "empty.mp4", tmp_path / "[red]other\x1b[2J.mp4"
    empty.touch()
    other.write_bytes(b"x" * 1000)
    told = rungs("upload", str(empty), str(other), port=server.port)
    assert told.code == Exit.REFUSED
    assert "The file is empty." in told.err
    (job,) = ask(server, "GET", "/api/jobs")["jobs"]
    assert told.out == f"{job['id']}  [red]other[2J.mp4\n"
    assert "\x1b" not in told.err


def test_a_file_that_changes_is_given_up(server: WebServer, parts: Services, video: Path, tmp_path: Path) -> None:
    """Bytes of two versions make no video, and the server keeps none of them."""
    with (
        HeldLine(server.port, HELD) as line,
        started(line.port, tmp_path / "state", "upload", str(video), "--json") as process,
    ):
        assert line.held.wait(30)
        wait_until(lambda: arrived(parts) > MIB, what="a part of the file")
        with video.open("ab") as file:
            file.write(b"more")
        line.release()
        done = ended(process)
    assert done.code == Exit.LOCAL, done
    assert "was changed" in done.events[-1]["error"]["detail"]
    assert parts.jobs.open_uploads() == ()
    assert list((tmp_path / "state" / "rungs" / "uploads").iterdir()) == []


def test_an_upload_that_is_cancelled_elsewhere_ends(
    server: WebServer, parts: Services, video: Path, tmp_path: Path
) -> None:
    """Its job was named at once; the client says why it stops, and forgets the upload."""
    state = tmp_path / "state"
    with HeldLine(server.port, HELD) as line, started(line.port, state, "upload", str(video), "--json") as process:
        assert line.held.wait(30)
        wait_until(lambda: arrived(parts) > MIB, what="a part of the file")
        (upload,) = parts.jobs.open_uploads()
        assert ask(server, "POST", f"/api/jobs/{upload.id}/cancel")["state"] == "cancelled"
        line.release()
        done = ended(process)
    assert (done.code, done.events[-1]["error"]["code"]) == (Exit.REFUSED, "upload_ended")
    assert [event["job_id"] for event in done.events if event["event"] == "begun"] == [upload.id]
    assert list((state / "rungs" / "uploads").iterdir()) == []


def test_an_upload_that_was_cancelled_before_begins_anew(
    server: WebServer, parts: Services, video: Path, tmp_path: Path
) -> None:
    """Whoever runs the command again after it was killed wants the file uploaded."""
    state = tmp_path / "state"
    with HeldLine(server.port, HELD) as line:
        kill_halfway(line, parts, state, video)
        (upload,) = parts.jobs.open_uploads()
        assert ask(server, "POST", f"/api/jobs/{upload.id}/cancel")["state"] == "cancelled"
        line.release()
        with started(line.port, state, "upload", str(video), "--json") as process:
            again = ended(process)
    assert (again.code, original(parts, again.events)) == (Exit.DONE, digest(video))
    assert "begins anew" in next(event for event in again.events if event["event"] == "note")["message"]


def test_an_interrupted_upload_says_how_to_go_on(server: WebServer, video: Path, tmp_path: Path) -> None:
    """Ctrl-C ends it with the shell's code, and a word about the next run."""
    with (
        HeldLine(server.port, HELD) as line,
        started(line.port, tmp_path / "state", "upload", str(video)) as process,
    ):
        assert line.held.wait(30)
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert done.code == Exit.INTERRUPTED
    assert "Run the same command again" in done.err
    assert "Traceback" not in done.err


def test_nobody_reads_any_more(server: WebServer, video: Path, tmp_path: Path) -> None:
    """Behind a pipe whose reader has gone, an upload ends at its next line, and does not wait for the server."""
    with (
        HeldLine(server.port, HELD) as line,
        started(line.port, tmp_path / "state", "upload", str(video), "--json") as process,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["event"] == "begun"
        assert json.loads(process.stdout.readline())["offset"] == 0
        next_line = time.monotonic() + 1.1 * OFTEN_SECONDS
        process.stdout.close()
        assert line.held.wait(30)
        wait_until(lambda: time.monotonic() > next_line)
        line.release()
        assert process.wait(20) == Exit.LOCAL
        assert process.stderr.read() == ""


def test_upload_and_watch(server: WebServer, parts: Services, video: Path, tmp_path: Path) -> None:
    """With --watch the command stays until the job has ended, and its exit code is that of the job."""
    options = ("--watch", "--json", "--title", "Ferien")
    with started(server.port, tmp_path / "state", "upload", str(video), *options) as process:
        assert process.stdout is not None
        lines = (json.loads(line) for line in process.stdout)
        job = next(event["job"] for event in lines if event["event"] == "job")
        assert (job["title"], job["state"], job["filename"]) == ("Ferien", "queued", video.name)
        parts.jobs.move(job["id"], JobState.CANCELLED)
        assert [event["job"]["state"] for event in lines] == ["cancelled"]
        assert process.wait(60) == Exit.JOB_FAILED


def test_a_refusal_is_read_though_the_connection_was_reset(video: Path) -> None:
    """A server that refuses does not read the rest, so that its answer and the reset arrive while bytes are sent."""
    body = json.dumps({"code": "draining", "detail": "This server is being stopped."}).encode()
    answer = b"HTTP/1.1 503 X\r\nRetry-After: 7\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        threading.Thread(target=refuse, daemon=True).start()
        uploads = Uploads(RemoteServer(f"http://127.0.0.1:{listener.getsockname()[1]}"))
        with video.open("rb") as file, pytest.raises(RefusedError, match="being stopped") as refused:
            uploads.send("0" * 32, iter(lambda: file.read(65536), b""), 0, SIZE)
    assert (refused.value.status, refused.value.retry_after) == (503, 7.0)


def test_a_server_that_is_not_there_is_no_traceback(video: Path, rungs: Rungs) -> None:
    """Who was never reached is not waited for: the address may be wrong."""
    port = free_port()
    told = rungs("upload", str(video), port=port)
    assert told.code == Exit.UNREACHABLE
    assert f"http://127.0.0.1:{port} does not answer: Connection refused." in told.err
