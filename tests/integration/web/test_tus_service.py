"""Uploads by tus to the real service: lines that break, processes that are killed, two clients for one upload."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage.objects import keys
from storage.objects.contract import PART_BYTES
from storage.services import Services
from storage.services.connect import connect
from storage.services.holding import PATIENCE_SECONDS
from storage.settings import Settings
from tests.support.servers import RedisServer
from tests.support.tus_client import Answer, Sender, ask_tus, create_upload
from tests.support.waiting import wait_until
from tests.support.web_client import MIB, ask, connected, figure
from tests.support.web_server import WebServer

# RUNGS_UPLOAD_MIB=1024 is the long form, which `make test-uploads` runs.
SIZE = int(os.environ.get("RUNGS_UPLOAD_MIB", "48")) * MIB
BREAKS = 20
ON_ITS_WAY = MIB  # of what was sent may not have been read yet when a line breaks
SLOW_SECONDS = 30


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Give a Redis that the test may kill."""
    server = RedisServer(tmp_path / "redis").start()
    yield server
    server.stop()


@pytest.fixture(params=["local", "s3"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, own_redis: RedisServer
) -> Iterator[tuple[WebServer, Services]]:
    """Give a service of the test's own over each object store, and its parts."""
    settings: dict[str, str] = {}
    if request.param == "s3":
        s3: Settings = request.getfixturevalue("s3_settings")
        settings = {
            "OBJECT_STORE_URL": s3.store_url,
            "OBJECT_STORE_ACCESS_KEY": s3.object_store_access_key,
            "OBJECT_STORE_SECRET_KEY": s3.object_store_secret_key.get_secret_value(),
        }
    server = WebServer(tmp_path / "web", own_redis.url, CLIENT_IDLE_SECONDS=str(SLOW_SECONDS), **settings)
    server.start()
    given = {
        "redis_url": own_redis.url,
        "data_dir": server.data,
        **{name.lower(): text for name, text in settings.items()},
    }
    yield server, connect(Settings.model_validate(given), patience=5)
    server.stop()


def original(services: Services, answer: Answer | None) -> str:
    """Return the checksum of the original that the answer names."""
    assert answer is not None
    digest = hashlib.sha256()
    for chunk in services.objects.read(keys.original(answer.headers["rungs-job"])):
        digest.update(chunk)
    return digest.hexdigest()


def assert_nothing_is_left(services: Services) -> None:
    """Check that of the upload only its job is there."""
    assert list(services.objects.keys(keys.UPLOADS)) == []
    assert services.jobs.open_uploads() == ()
    assert services.objects.sweep_unfinished(older_than=0) == 0


def as_it_comes(server: WebServer, sender: Sender, stop: int) -> Callable[[int], None]:
    """Return what waits at the stop until the service has read what was sent: a line holds less than this machine."""
    before = figure(server, "rungs_upload_bytes_total")

    def wait(sent: int) -> None:
        if sent == stop:
            wanted = before + stop - sender.offsets[-1] - ON_ITS_WAY
            wait_until(lambda: figure(server, "rungs_upload_bytes_total") >= wanted, seconds=60, what="what was sent")

    return wait


def test_a_large_upload_survives_anything(place: tuple[WebServer, Services], own_redis: RedisServer) -> None:
    """Twenty broken lines, two killed web processes, a killed Redis: each time it goes on from where it was."""
    (server, services), chance = place, random.Random(19)
    data = b"".join(chance.randbytes(MIB) for _ in range(SIZE // MIB))
    sender = Sender(server, create_upload(server, SIZE), data)
    stops = sorted(chance.randrange(SIZE) for _ in range(BREAKS))
    for number, stop in enumerate(stops):
        assert sender.send(stop, as_it_comes(server, sender, stop)) is None
        if number in {5, 13}:
            worker = server.worker_pid()
            server.kill()
            os.kill(worker, signal.SIGKILL)  # it would outlive its parent for a moment, and answer
            server.start()
        if number == 9:
            own_redis.kill()
            own_redis.start()
    answer = sender.send(SIZE)
    assert original(services, answer) == hashlib.sha256(data).hexdigest()
    began = zip(sender.offsets[1:], stops, strict=True)
    # A part that was not whole, when the process was killed, and what was on its way.
    assert [stop - begin for begin, stop in began if begin < stop - PART_BYTES - ON_ITS_WAY] == []
    assert_nothing_is_left(services)


def test_who_comes_back_need_not_wait_for_the_dead_line(place: tuple[WebServer, Services]) -> None:
    """The old connection still stands, and nobody knows that its client is gone: the new request takes over at once."""
    server, services = place
    data = random.Random(20).randbytes(3 * PART_BYTES)
    upload = create_upload(server, len(data))
    sender = Sender(server, upload, data)
    with connected(server) as dead:
        dead.sendall(sender.head(0, len(data)) + data[: PART_BYTES + 99])
        wait_until(
            lambda: services.objects.incoming.arrived(upload.rpartition("/")[2]).size >= PART_BYTES, what="a part"
        )
        began = time.monotonic()
        answer = sender.send(len(data))
        assert time.monotonic() - began < PATIENCE_SECONDS + 10
        assert original(services, answer) == hashlib.sha256(data).hexdigest()
        dead.sendall(data[PART_BYTES + 99 : PART_BYTES + 300_000])
        assert b" 423 " in dead.recv(100)
    assert_nothing_is_left(services)


def test_two_tabs_send_one_file(place: tuple[WebServer, Services]) -> None:
    """They take the upload from each other, and in the end it is whole, once."""
    server, services = place
    data = random.Random(21).randbytes(4 * PART_BYTES + 5)
    upload = create_upload(server, len(data))
    answers: list[Answer] = []

    def insist() -> None:
        tab = Sender(server, upload, data)
        while True:
            answer = tab.send(len(data), lambda _: time.sleep(0.002))
            if answer is not None and "rungs-job" in answer.headers:
                answers.append(answer)
                return
            time.sleep(random.Random().uniform(0.2, 1.5))

    tabs = [threading.Thread(target=insist) for _ in range(2)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join(120)
    assert {original(services, answer) for answer in answers} == {hashlib.sha256(data).hexdigest()}
    assert len(answers) == 2
    assert len(ask(server, "GET", "/api/jobs")["jobs"]) == 1
    assert_nothing_is_left(services)


def test_a_service_that_stops_keeps_what_came(place: tuple[WebServer, Services]) -> None:
    """The upload is told so at once, and goes on when the service is there again."""
    server, services = place
    data = random.Random(22).randbytes(2 * PART_BYTES)
    upload = create_upload(server, len(data))
    sender = Sender(server, upload, data)

    def stop(sent: int) -> None:
        if sent == 8 * 256 * 1024:
            wait_until(lambda: figure(server, "rungs_upload_bytes_total") > MIB, what="the first bytes")
            os.kill(server.pid, signal.SIGTERM)
        elif sent > 8 * 256 * 1024:
            time.sleep(0.05)

    sender.send(len(data), stop)
    server.stop()
    server.start()
    assert int(sender.offset().headers["upload-offset"]) > 0
    assert original(services, sender.send(len(data))) == hashlib.sha256(data).hexdigest()


def test_an_ended_upload_stops_its_sender(place: tuple[WebServer, Services]) -> None:
    """Whoever sends is told so, and stores nothing more."""
    server, services = place
    upload = create_upload(server, 4 * PART_BYTES)
    sender = Sender(server, upload, bytes(4 * PART_BYTES))
    with connected(server) as sending:
        sending.sendall(sender.head(0, 4 * PART_BYTES) + bytes(PART_BYTES + 5))
        assert ask_tus(server, "DELETE", upload).status == 204
        sending.sendall(bytes(PART_BYTES))
        assert b" 410 " in sending.recv(100)
    assert ask_tus(server, "HEAD", upload).status == 410
    assert_nothing_is_left(services)
