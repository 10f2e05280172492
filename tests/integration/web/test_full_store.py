"""A store that runs full while uploads by tus come in: they are told so, keep what came, and go on with room again."""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from pydantic import SecretStr

from storage.objects import keys
from storage.objects.contract import PART_BYTES
from storage.objects.local import LocalObjectStore
from storage.services import Services
from storage.services.connect import connect
from storage.settings import Settings
from tests.support.missing import require
from tests.support.servers import MINIO_PASSWORD, MINIO_USER, MinioServer, find_minio, servers_environment
from tests.support.small_disk import SmallDisk
from tests.support.tus_client import OFFSET_TYPE, PIECE, TUS, Sender, ask_tus, create_upload
from tests.support.waiting import wait_until
from tests.support.web_client import MIB
from tests.support.web_server import WebServer

DISK_BYTES = 256 * MIB
SIZE = 3 * PART_BYTES - MIB  # of each upload
FULL_AT = PART_BYTES + 3 * MIB  # of each has been sent when the disk is full
UPLOADS = 2


class Place(NamedTuple):
    """A service, its parts, and the disk below its object store."""

    web: WebServer
    services: Services
    disk: SmallDisk


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Place]:
    """Give a service over each object store on a disk that can be filled."""
    with SmallDisk(tmp_path / "disk", DISK_BYTES) as disk:
        yield from (_local if request.param == "local" else _s3)(tmp_path, redis_url, disk)


def _local(folder: Path, redis_url: str, disk: SmallDisk) -> Iterator[Place]:
    web = WebServer(folder / "web", redis_url, DATA_DIR=str(folder / "disk"))
    web.before = disk.inside
    web.start()
    parts = connect(Settings(data_dir=folder / "data", redis_url=SecretStr(redis_url)), patience=5)
    seen = LocalObjectStore(disk.seen(folder / "disk" / "objects"))
    yield Place(web, replace(parts, objects=seen), disk)
    web.stop()


def _s3(folder: Path, redis_url: str, disk: SmallDisk) -> Iterator[Place]:
    binary = find_minio()
    if binary is None:
        require("minio", "`make test` builds it with Go; or set RUNGS_MINIO to the binary")
    minio = MinioServer(folder, binary)
    minio.before = disk.inside
    minio.start()
    settings = Settings(
        data_dir=folder / "data",
        redis_url=SecretStr(redis_url),
        object_store_url=f"s3://{minio.endpoint}/rungs",
        object_store_access_key=MINIO_USER,
        object_store_secret_key=SecretStr(MINIO_PASSWORD),
    )
    web = WebServer(folder / "web", redis_url, **servers_environment(settings)).start()
    yield Place(web, connect(settings, patience=5), disk)
    web.stop()
    minio.kill()


class Refused(NamedTuple):
    """What a request was answered."""

    status: int
    code: str
    retry_after: int


def sent(web: WebServer, place: str, data: bytes, offset: int, during: Callable[[int], object]) -> Refused:
    """Send all behind the offset in one request; `during` is told of each piece before it goes."""

    def pieces() -> Iterator[bytes]:
        for begin in range(offset, len(data), PIECE):
            during(begin)
            yield data[begin : begin + PIECE]

    headers = {
        **TUS,
        "Content-Type": OFFSET_TYPE,
        "Upload-Offset": f"{offset}",
        "Content-Length": f"{len(data) - offset}",
    }
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=120)
    try:
        with suppress(ConnectionError):  # who refuses stops reading; the answer is there all the same
            connection.request("PATCH", place, pieces(), headers)
        answer = connection.getresponse()
        problem: dict[str, Any] = json.loads(answer.read() or "{}")
        return Refused(answer.status, problem.get("code", ""), problem.get("retry_after", 0))
    finally:
        connection.close()


def standing(web: WebServer, place: str) -> int:
    """Return how far the upload is."""
    return int(ask_tus(web, "HEAD", place).headers["upload-offset"])


def test_uploads_that_find_no_room_go_on_when_there_is_some(place: Place) -> None:
    """All of them are refused with a time to come back, keep what was stored, and become whole, each of its bytes."""
    web, services, disk = place
    data = [Random(number).randbytes(SIZE) for number in range(UPLOADS)]
    places = [create_upload(web, SIZE) for _ in data]
    full = threading.Barrier(UPLOADS, action=disk.fill)

    def at_once(number: int) -> Refused:
        return sent(web, places[number], data[number], 0, lambda at: full.wait(60) if at == FULL_AT else None)

    with ThreadPoolExecutor(UPLOADS) as pool:
        refused = list(pool.map(at_once, range(UPLOADS)))
    assert {one.status for one in refused} == {HTTPStatus.SERVICE_UNAVAILABLE}
    assert {one.code for one in refused} == {"storage_full"}
    assert min(one.retry_after for one in refused) > 0

    wait_until(lambda: services.objects.free_bytes() == 0, what="a store that says it is full")
    kept = [standing(web, one) for one in places]
    for number, offset in enumerate(kept):
        assert 0 < offset < SIZE
        again = sent(web, places[number], data[number], offset, lambda _: None)
        assert (again.status, again.code) == (HTTPStatus.SERVICE_UNAVAILABLE, "storage_full")
    assert ask_tus(web, "POST", "/api/uploads", Upload_Length="9").status == HTTPStatus.SERVICE_UNAVAILABLE
    assert [standing(web, one) for one in places] == kept

    disk.make_room()
    wait_until(services.objects.free_bytes, what="a store that says it has room")
    for number, offset in enumerate(kept):
        sender = Sender(web, places[number], data[number])
        answer = sender.send(SIZE)
        assert answer is not None
        assert sender.sent == SIZE - offset
        original = services.objects.read(keys.original(answer.headers["rungs-job"]))
        assert hashlib.sha256(b"".join(original)).digest() == hashlib.sha256(data[number]).digest()
    assert list(services.objects.keys(keys.UPLOADS)) == []
    assert not {one.id for one in services.jobs.open_uploads()} & {one.rpartition("/")[2] for one in places}
