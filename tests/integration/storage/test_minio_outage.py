"""What the S3 store does while MinIO is away, and when it comes back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.errors import ObjectStoreDownError
from storage.objects import keys
from storage.objects.contract import PART_BYTES
from storage.objects.s3 import S3ObjectStore
from tests.support.jobs import make_job
from tests.support.missing import require
from tests.support.servers import MINIO_PASSWORD, MINIO_USER, MinioServer, find_minio

WEB_PATIENCE = 1.0
WORKER_PATIENCE = 30.0


@pytest.fixture
def own_minio(tmp_path: Path) -> Iterator[MinioServer]:
    """Run a MinIO that the test may stop."""
    binary = find_minio()
    if binary is None:
        require("minio", "`make test` builds it with Go; or set RUNGS_MINIO to the binary")
    server = MinioServer(tmp_path / "minio", binary).start()
    yield server
    server.kill()


def store_on(server: MinioServer, patience: float, password: str = MINIO_PASSWORD) -> S3ObjectStore:
    """Return a prepared store on the server."""
    login = (MINIO_USER, password)
    return S3ObjectStore(
        endpoint=server.endpoint, bucket="rungs", keys=login, region="us-east-1", secure=False, patience=patience
    )


def test_an_upload_fails_clearly_and_the_sweep_finds_nothing_after(own_minio: MinioServer) -> None:
    """A write that lost its server raises ObjectStoreDownError; the same store works again afterwards."""
    store = store_on(own_minio, WEB_PATIENCE)
    store.prepare()
    key = keys.original(make_job().id)
    with store.writer(key, content_type="video/mp4") as writer:
        writer.write(bytes(PART_BYTES))
        own_minio.kill()
        with pytest.raises(ObjectStoreDownError):
            writer.write(bytes(PART_BYTES))
    own_minio.start()
    assert list(store.keys("")) == []
    store.put_bytes(key, b"again", content_type="video/mp4")
    assert b"".join(store.read(key)) == b"again"


def test_a_patient_writer_outlives_a_restart(own_minio: MinioServer) -> None:
    """A worker's write that meets an outage goes on when it ends, and nothing is missing."""
    store = store_on(own_minio, WORKER_PATIENCE)
    store.prepare()
    key = keys.original(make_job().id)
    data = bytes(range(256)) * (PART_BYTES // 256)

    def write() -> None:
        with store.writer(key, content_type="video/mp4") as writer:
            writer.write(data)
            own_minio.kill()
            broken.set()
            writer.write(data)
            writer.commit()

    broken = threading.Event()
    worker = threading.Thread(target=write)
    worker.start()
    assert broken.wait(10)
    own_minio.start()
    worker.join(WORKER_PATIENCE * 2)
    assert b"".join(store.read(key)) == data * 2


def test_wrong_keys_are_said_without_showing_them(own_minio: MinioServer) -> None:
    """A store that refuses us is down for us; the secret is in no message and no repr."""
    secret = "wrong-and-very-secret"
    store = store_on(own_minio, WEB_PATIENCE, secret)
    with pytest.raises(ObjectStoreDownError) as caught:
        store.put_bytes("originals/a/original", b"x", content_type="video/mp4")
    shown = f"{caught.value} {caught.value.detail} {caught.value.__cause__!r} {store!r} {vars(store)!r}"
    assert secret not in shown
    assert store.free_bytes() is None
