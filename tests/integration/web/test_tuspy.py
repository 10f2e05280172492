"""tuspy, the Python client of the protocol's authors, uploads to the real service: whole, in pieces, resuming."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from tusclient.client import TusClient
from tusclient.uploader.uploader import Uploader

from storage.job_store.contract import JobStore
from storage.objects import keys
from storage.objects.local import LocalObjectStore
from tests.support.web_client import MIB
from tests.support.web_server import WebServer

DATA = random.Random(3).randbytes(3 * MIB + 17)
CHUNK = MIB


@pytest.fixture
def client(web_server: WebServer, jobs: JobStore) -> TusClient:
    """Give a client of the running service, which has no jobs."""
    assert jobs
    return TusClient(f"http://127.0.0.1:{web_server.port}/api/uploads")


@pytest.fixture
def video(tmp_path: Path) -> Iterator[BinaryIO]:
    """Give an open file to send; tuspy does not close those that it opens itself."""
    path = tmp_path / "Ferien.mp4"
    path.write_bytes(DATA)
    with path.open("rb") as file:
        yield file


def job_id(uploader: Uploader) -> str:
    """Return the id of the upload, which is that of its job."""
    return str(uploader.url).rpartition("/")[2]


def original(server: WebServer, uploader: Uploader) -> bytes:
    """Return the original of the job that the upload has become."""
    objects = LocalObjectStore(server.data / "objects")
    return b"".join(objects.read(keys.original(job_id(uploader))))


@pytest.mark.parametrize("chunk", [len(DATA), CHUNK])
@pytest.mark.parametrize("checked", [False, True])
def test_it_uploads(
    web_server: WebServer, jobs: JobStore, client: TusClient, video: BinaryIO, *, chunk: int, checked: bool
) -> None:
    """With and without checksums; the job has the name and title that the client tells."""
    metadata = {"filename": "Ferien.mp4", "title": "Sommer"}
    uploader = client.uploader(file_stream=video, chunk_size=chunk, metadata=metadata, upload_checksum=checked)
    uploader.upload()
    assert original(web_server, uploader) == DATA
    job = jobs.get(job_id(uploader))
    assert (job.filename, job.title, job.size) == ("Ferien.mp4", "Sommer", len(DATA))


def test_it_goes_on(web_server: WebServer, client: TusClient, video: BinaryIO) -> None:
    """Another uploader is given the address of the first one, and begins at the offset that the service tells."""
    first = client.uploader(file_stream=video, chunk_size=CHUNK)
    first.upload(stop_at=2 * CHUNK)
    again = client.uploader(file_stream=video, chunk_size=CHUNK, url=first.url)
    assert again.offset == 2 * CHUNK
    again.upload()
    assert original(web_server, again) == DATA
