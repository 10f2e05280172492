"""`rungs upload` hands the index of a file over that lies behind its media, to the real service."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.objects import keys
from storage.objects.local import LocalObjectStore
from storage.services.upload_index import place_of_index
from tests.support.waiting import wait_until
from tests.support.web_server import WebServer
from web.client.failures import ClientError, UnreachableError
from web.client.remembered import Remembered
from web.client.server import RemoteServer
from web.client.tus import Uploads, UploadState
from web.client.uploading import upload_file

SIZE = 1024 * 1024
MEDIA = random.Random(1).randbytes(SIZE)


class _Quiet:
    """An UploadTeller that tells nobody."""

    def begun(self, path: Path, job_id: str) -> None:
        """See UploadTeller.begun."""

    def sent(self, path: Path, offset: int, size: int) -> None:
        """See UploadTeller.sent."""

    def waits(self, path: Path, error: ClientError, seconds: float) -> None:
        """See UploadTeller.waits."""

    def note(self, sentence: str) -> None:
        """See UploadTeller.note."""


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Give a file with boxes as phones write them, an index of a megabyte among them."""
    path = tmp_path / "film.mp4"
    boxes = (b"ftyp", b"mdat" + MEDIA, b"moov" + MEDIA)
    path.write_bytes(b"".join((4 + len(box)).to_bytes(4, "big") + box for box in boxes))
    return path


@pytest.fixture
def objects(web_server: WebServer) -> LocalObjectStore:
    """Give the service's store."""
    return LocalObjectStore(web_server.data / "objects")


def is_sent(server: WebServer, film: Path, objects: LocalObjectStore) -> bool:
    """Send the film; tell whether the service has all of it, and nothing of the upload besides."""
    uploads = Uploads(RemoteServer(f"http://127.0.0.1:{server.port}"))
    job_id = upload_file(uploads, film, Remembered(film.parent / "uploads"), _Quiet())
    assert list(objects.keys(keys.upload(job_id))) == []
    return b"".join(objects.read(keys.original(job_id))) == film.read_bytes()


def test_an_index_behind_the_media_is_sent_ahead(
    web_server: WebServer, film: Path, objects: LocalObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While not a byte of the media has come."""
    send = Uploads.send

    def send_later(self: Uploads, upload_id: str, blocks: Iterator[bytes], offset: int, length: int) -> UploadState:
        wait_until(lambda: place_of_index(objects, upload_id) == (length - SIZE - 8, length), what="the index")
        return send(self, upload_id, blocks, offset, length)

    monkeypatch.setattr(Uploads, "send", send_later)
    assert is_sent(web_server, film, objects)


def test_an_index_that_is_not_taken_is_not_missed(
    web_server: WebServer, film: Path, objects: LocalObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The upload goes on as it would without one."""

    def fail(*_: object) -> None:
        raise UnreachableError("No line.", "")

    monkeypatch.setattr(Uploads, "hand_over", fail)
    assert is_sent(web_server, film, objects)
