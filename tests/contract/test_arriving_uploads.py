"""Uploads that are read while they come, in a local folder and on a real MinIO, with a writer at work."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage.errors import ObjectStoreDownError
from storage.objects import keys
from storage.objects.contract import ObjectStore
from storage.objects.local import LocalObjectStore
from storage.objects.s3_incoming import S3Incoming
from storage.objects.s3_parts import StoredUpload
from storage.services import Services
from storage.services.arriving import ArrivingUpload
from storage.services.uploads import arrived_to_stay, begin_doubt, end_doubt, save_upload
from storage.upload_errors import UploadNotFoundError
from tests.support.job_store import OwnJobStore
from tests.support.memory_publisher import MemoryPublisher
from tests.support.uploads import PART, upload_record

DATA = random.Random(19).randbytes(3 * PART + 12_345)
UPLOAD = upload_record(length=len(DATA))


def begin(store: ObjectStore) -> None:
    """Create the upload."""
    save_upload(Services(jobs=OwnJobStore(), objects=store, publisher=MemoryPublisher()), UPLOAD)


def send(store: ObjectStore, data: bytes) -> None:
    """Write these bytes behind what is stored, as one request does."""
    with store.incoming.go_on(UPLOAD.id, part_bytes=PART, may_go_on=lambda: None, may_keep=lambda: True) as writer:
        for start in range(0, len(data), 700_001):
            writer.write(data[start : start + 700_001])


def send_wrong(store: ObjectStore, length: int) -> None:
    """Write bytes that are found to be others than were sent."""
    size = store.incoming.arrived(UPLOAD.id).size
    begin_doubt(store, UPLOAD.id, size)
    send(store, b"\xff" * min(length, len(DATA) - size))
    end_doubt(store, UPLOAD.id, keep=False)


def finish(store: ObjectStore) -> None:
    """Make the upload an original, as `complete` does."""
    store.incoming.finish(UPLOAD.id, keys.original(UPLOAD.id), content_type="video/mp4")
    store.delete_prefix(keys.upload_record(UPLOAD.id))
    store.delete_prefix(keys.upload(UPLOAD.id))


def read(arriving: ArrivingUpload, start: int, end: int) -> bytes:
    """Return these bytes as a reader sees them."""
    return b"".join(arriving.read(start, end))


@pytest.fixture
def store(object_store: ObjectStore) -> ObjectStore:
    """Give each object store with an upload of which nothing has come."""
    begin(object_store)
    return object_store


@pytest.fixture
def arriving(store: ObjectStore) -> ArrivingUpload:
    """Give that upload to a reader."""
    return ArrivingUpload(store, UPLOAD)


def test_what_has_come_is_read(store: ObjectStore, arriving: ArrivingUpload) -> None:
    """From any place: of whole parts, of tails, over their borders, and of the original at last."""
    assert arriving.arrived() == 0
    borders = (100, 130, 131, PART - 1, PART, PART + 9, 2 * PART + 500, 2 * PART + 501, len(DATA))
    for before, end in zip((0, *borders), borders, strict=False):
        send(store, DATA[before:end])
        assert arriving.arrived() == end
        for start in {0, before, max(0, before - 7), min(PART - 3, end), end - 1}:
            assert read(arriving, start, end) == DATA[start:end]
        for known in {0, PART - 1, PART, 2 * PART, end}:
            if known <= end:
                assert store.incoming.arrived(UPLOAD.id, known=known, part_bytes=PART).size == end
    finish(store)
    assert arriving.arrived() == len(DATA)
    assert read(arriving, 5, len(DATA)) == DATA[5:]


def test_a_reader_beside_a_writer_sees_the_file_and_nothing_else(store: ObjectStore, arriving: ArrivingUpload) -> None:
    """Requests of any length, that leave tails which become parts, wrong ones that are cut off, and the end."""
    chance = random.Random(7)

    def write() -> None:
        size = 0
        while size < len(DATA):
            length = chance.choice([1, 3000, 90_000, 1_000_000, PART])
            if size > PART and chance.random() < 0.2:
                send_wrong(store, length)
            send(store, DATA[size : size + length])
            size = min(len(DATA), size + length)
        finish(store)

    def follow(seed: int) -> int:
        places, reads = random.Random(seed), 0
        while (arrived := arriving.arrived()) < len(DATA):
            end = places.randint(0, arrived)
            start = max(0, end - places.choice([1, 50_000, 2 * PART]))
            assert read(arriving, start, end) == DATA[start:end]
            reads += 1
        return reads

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(follow, seed) for seed in range(2)]
        pool.submit(write).result()
        assert all(reader.result() for reader in readers)
    assert read(arriving, 0, len(DATA)) == DATA


def test_a_tail_that_becomes_a_part_under_the_readers_hands_is_read_there(
    store: ObjectStore, arriving: ArrivingUpload, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader has listed the tail when it goes."""
    send(store, DATA[:1000])
    assert arriving.arrived() == 1000
    listing, rest = S3Incoming.stored, [DATA[1000 : PART + 5]]

    def overtaken(incoming: S3Incoming, upload_id: str, whole: int = 0) -> StoredUpload:
        found = listing(incoming, upload_id, whole)
        if rest:
            send(store, rest.pop())
        return found

    monkeypatch.setattr(S3Incoming, "stored", overtaken)
    assert read(arriving, 10, 1000) == DATA[10:1000]
    assert store.local_path(keys.original(UPLOAD.id)) or not rest


def test_bytes_in_doubt_are_not_read(store: ObjectStore, arriving: ArrivingUpload) -> None:
    """They count once they are found to be right; behind wrong ones nothing counts until the whole is there."""
    send(store, DATA[:1000])
    begin_doubt(store, UPLOAD.id, 1000)
    send(store, DATA[1000:3000])
    assert arriving.arrived() == 1000
    end_doubt(store, UPLOAD.id, keep=True)
    assert arriving.arrived() == 3000
    send_wrong(store, 500)
    send(store, DATA[3000:])
    assert arriving.arrived() == 3000
    finish(store)
    assert arriving.arrived() == len(DATA)


def test_an_upload_that_has_ended_is_told(store: ObjectStore, arriving: ArrivingUpload) -> None:
    """Whoever waits for more of it waits in vain."""
    send(store, DATA[:1000])
    assert arriving.arrived() == 1000
    store.delete_prefix(keys.upload(UPLOAD.id))
    with pytest.raises(UploadNotFoundError):
        arriving.arrived()
    with pytest.raises(UploadNotFoundError):
        read(arriving, 0, 1000)


def test_lost_bytes_are_the_stores_failure(store: ObjectStore, arriving: ArrivingUpload) -> None:
    """A reader does not look for them for ever."""
    send(store, DATA)
    assert arriving.arrived() == len(DATA)
    for key in [key for key in store.keys("") if key != keys.upload_record(UPLOAD.id)]:
        store.delete_prefix(key)
    with pytest.raises(ObjectStoreDownError):
        read(arriving, 0, 1000)


class Overtaken(LocalObjectStore):
    """A store in which a doubt ends, and what was in doubt is cut off, after the stored bytes were counted."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.prepare()
        self.overtake = False

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See ObjectStore.read."""
        if self.overtake and key == keys.upload_doubt(UPLOAD.id):
            self.overtake = False
            end_doubt(self, UPLOAD.id, keep=False)
        return super().read(key, start=start, length=length)


@pytest.mark.parametrize("again", [False, True])
def test_a_doubt_that_ends_meanwhile_is_seen(tmp_path: Path, *, again: bool) -> None:
    """Bytes that were counted while they were in doubt do not count, also where there was an earlier cut."""
    store = Overtaken(tmp_path)
    begin(store)
    send(store, DATA[:1000])
    if again:
        send_wrong(store, 10)
        send(store, DATA[1000:1500])
    begin_doubt(store, UPLOAD.id, store.incoming.arrived(UPLOAD.id).size)
    send(store, b"\xff" * 100)
    store.overtake = True
    assert arrived_to_stay(store, UPLOAD) == 1000
