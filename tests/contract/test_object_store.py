"""The ObjectStore contract, on a local directory and on a real MinIO."""

from __future__ import annotations

import random
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

import pytest
import urllib3

from storage.errors import ObjectNotFoundError
from storage.objects import keys
from storage.objects.contract import PART_BYTES, ObjectStore
from storage.objects.local import LocalObjectStore

TYPE = "video/mp4"
JOB = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"
MIB = 1024 * 1024


def content(store: ObjectStore, key: str) -> bytes:
    """Return the whole object."""
    return b"".join(store.read(key))


def pattern(size: int) -> bytes:
    """Return bytes that differ everywhere, the same each time."""
    return random.Random(size).randbytes(size)


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES])
def test_what_is_written_is_read(object_store: ObjectStore, size: int) -> None:
    """Sizes around the part's border come back byte for byte, in pieces of odd sizes."""
    data = pattern(size)
    with object_store.writer(keys.original(JOB), content_type=TYPE) as writer:
        for start in range(0, size, 3_000_017):
            writer.write(data[start : start + 3_000_017])
        assert writer.written == size
        info = writer.commit()
    assert (info.key, info.size) == (keys.original(JOB), size)
    assert abs(info.modified_at - time.time()) < 60
    assert content(object_store, keys.original(JOB)) == data
    assert object_store.stat(keys.original(JOB)).size == size


def test_nothing_is_visible_before_the_commit(object_store: ObjectStore) -> None:
    """A write in progress is neither found nor listed, and leaves nothing when it ends without commit."""
    key = keys.original(JOB)
    with object_store.writer(key, content_type=TYPE) as writer:
        writer.write(bytes(PART_BYTES + 5))
        with pytest.raises(ObjectNotFoundError):
            object_store.stat(key)
        assert list(object_store.keys("originals/")) == []
    assert list(object_store.keys("")) == []
    assert object_store.sweep_unfinished(older_than=0) == 0


def test_a_failure_leaves_nothing(object_store: ObjectStore) -> None:
    """An error inside the write goes through unchanged, and no unfinished upload stays."""

    def fail_half_way() -> None:
        with object_store.writer(keys.original(JOB), content_type=TYPE) as writer:
            writer.write(bytes(3 * PART_BYTES))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert list(object_store.keys("")) == []
    assert object_store.sweep_unfinished(older_than=0) == 0


def test_a_broken_replacement_keeps_the_old_object(object_store: ObjectStore) -> None:
    """Until the commit the old bytes stand; after it the new ones."""
    key = keys.rendition(JOB, "720p.mp4")
    object_store.put_bytes(key, b"old", content_type=TYPE)
    with object_store.writer(key, content_type=TYPE) as writer:
        writer.write(b"half of")
    assert content(object_store, key) == b"old"
    object_store.put_bytes(key, b"new one", content_type=TYPE)
    assert content(object_store, key) == b"new one"


def test_a_writer_holds_at_most_two_parts(object_store: ObjectStore) -> None:
    """Twelve parts pass through without more than two of them in memory at once (and the library's trifles)."""
    piece = bytes(64 * 1024)
    with object_store.writer(keys.original(JOB), content_type=TYPE) as writer:
        writer.write(piece)
        tracemalloc.start()
        for _ in range(12 * PART_BYTES // len(piece)):
            writer.write(piece)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 2 * PART_BYTES + 2 * MIB


def test_writers_of_one_key_do_not_mix(object_store: ObjectStore) -> None:
    """Two attempts that write the same key at once leave one of the two, whole."""
    key = keys.rendition(JOB, "1080p.mp4")
    start = threading.Barrier(2)

    def write(fill: bytes) -> None:
        with object_store.writer(key, content_type=TYPE) as writer:
            start.wait(10)
            for _ in range(20):
                writer.write(fill * MIB)
            writer.commit()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, (b"a", b"b")))
    assert content(object_store, key) in {b"a" * 20 * MIB, b"b" * 20 * MIB}
    assert object_store.sweep_unfinished(older_than=0) == 0


def test_files_go_in_and_out(object_store: ObjectStore, tmp_path: Path) -> None:
    """A file larger than a part comes back the same."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(pattern(PART_BYTES + 12_345))
    info = object_store.put_file(keys.original(JOB), source, content_type=TYPE)
    assert info.size == PART_BYTES + 12_345
    object_store.fetch(keys.original(JOB), target)
    assert target.read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (0, None, b"0123456789"),
        (4, None, b"456789"),
        (0, 3, b"012"),
        (7, 100, b"789"),
        (3, 0, b""),
        (10, None, b""),
        (99, 5, b""),
    ],
)
def test_ranges(object_store: ObjectStore, start: int, length: int | None, expected: bytes) -> None:
    """A range beyond the end gives what there is."""
    object_store.put_bytes(keys.rendition(JOB, "poster.jpg"), b"0123456789", content_type="image/jpeg")
    chunks = object_store.read(keys.rendition(JOB, "poster.jpg"), start=start, length=length)
    assert b"".join(chunks) == expected


def test_a_reader_may_leave_early(object_store: ObjectStore) -> None:
    """What was not read does not disturb the next reader."""
    object_store.put_bytes(keys.original(JOB), pattern(5 * MIB), content_type=TYPE)
    for _ in range(3):
        chunks = object_store.read(keys.original(JOB))
        next(chunks)
        chunks.close()  # type: ignore[attr-defined] # both are generators
    assert content(object_store, keys.original(JOB)) == pattern(5 * MIB)


@pytest.mark.parametrize(
    "key",
    [
        keys.original(OTHER),
        "originals",
        "../outside",
        "originals/../../outside",
        "/etc/passwd",
        ".unfinished/x",
        "originals//x",
        "originals/x/",
        "",
        "a\x00b",
    ],
)
def test_what_is_not_there_is_not_found(object_store: ObjectStore, key: str, tmp_path: Path) -> None:
    """Unknown keys, folders and keys that point elsewhere are not found, before the first byte."""
    object_store.put_bytes(keys.original(JOB), b"x", content_type=TYPE)
    with pytest.raises(ObjectNotFoundError):
        object_store.stat(key)
    with pytest.raises(ObjectNotFoundError):
        object_store.read(key)
    with pytest.raises(ObjectNotFoundError):
        object_store.fetch(key, tmp_path / "target")
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("key", ["../outside", "a/../../b", "/etc/x", ".unfinished/x", "a//b"])
def test_no_write_leaves_the_store(object_store: ObjectStore, key: str) -> None:
    """A key that points elsewhere is refused before anything is written."""
    with pytest.raises(ObjectNotFoundError):
        object_store.put_bytes(key, b"x", content_type=TYPE)
    with pytest.raises(ObjectNotFoundError):
        object_store.delete_prefix("../")
    assert list(object_store.keys("")) == []


def test_keys_and_deletion_go_by_prefix(object_store: ObjectStore) -> None:
    """Only what begins with the prefix is listed and deleted, and the count is told."""
    mine = [keys.original(JOB), keys.init(JOB, "720p"), keys.segment(JOB, "720p", 0), keys.rendition(JOB, "720p.mp4")]
    for key in (*mine, keys.original(OTHER)):
        object_store.put_bytes(key, b"x", content_type=TYPE)
    assert sorted(object_store.keys(keys.renditions(JOB))) == sorted(mine[1:])
    assert sorted(object_store.keys("")) == sorted([*mine, keys.original(OTHER)])
    assert object_store.delete_prefix(keys.renditions(JOB)) == 3
    assert object_store.delete_prefix(keys.renditions(JOB)) == 0
    assert sorted(object_store.keys("")) == sorted([keys.original(JOB), keys.original(OTHER)])


def test_folders_are_listed_without_what_is_in_them(object_store: ObjectStore) -> None:
    """By their names, each once."""
    assert list(object_store.folders(keys.PARTS)) == []
    for key in (keys.upload_part(JOB, 0), keys.upload_part(JOB, 1), keys.upload_part(OTHER, 0), keys.original(JOB)):
        object_store.put_bytes(key, b"x", content_type=TYPE)
    assert sorted(object_store.folders(keys.PARTS)) == sorted([JOB, OTHER])
    with pytest.raises(ObjectNotFoundError):
        list(object_store.folders("../"))


def test_keys_of_one_folder_come_together(object_store: ObjectStore) -> None:
    """However their names sort beside those of other folders, so that who groups them need not hold them all."""
    folders = ("originals/a", "originals/a-b", "originals/a.b", "originals/a/a", "originals/aa")
    for name in ("x", "-", "y.json"):
        for folder in folders:
            object_store.put_bytes(f"{folder}/_{name}", b"x", content_type=TYPE)
    listed = [key.split("/")[1] for key in object_store.keys("originals/")]
    assert len(listed) == 15
    assert sorted(folder for folder, _ in groupby(listed)) == ["a", "a-b", "a.b", "aa"]


def test_deletion_ends_unfinished_writes_too(object_store: ObjectStore) -> None:
    """An upload that goes on while its prefix is deleted cannot be committed, and others can."""
    with (
        object_store.writer(keys.original(JOB), content_type=TYPE) as mine,
        object_store.writer(keys.original(OTHER), content_type=TYPE) as others,
    ):
        for writer in (mine, others):
            writer.write(bytes(PART_BYTES + 1))
        assert object_store.delete_prefix(keys.originals(JOB)) == 0
        with pytest.raises(ObjectNotFoundError):
            mine.commit()
        others.commit()
    assert list(object_store.keys("")) == [keys.original(OTHER)]


def test_the_sweep_takes_only_what_is_old(object_store: ObjectStore) -> None:
    """A write in progress is spared until it is older than the limit."""
    with object_store.writer(keys.original(JOB), content_type=TYPE) as writer:
        writer.write(bytes(PART_BYTES + 1))
        assert object_store.sweep_unfinished(older_than=3600) == 0
        assert object_store.sweep_unfinished(older_than=0) == 1
        with pytest.raises(ObjectNotFoundError):
            writer.commit()


def test_an_object_is_a_file_or_behind_a_signed_path(object_store: ObjectStore, request: pytest.FixtureRequest) -> None:
    """The file is an absolute path; the path answers at the store without keys, ranges included."""
    object_store.put_bytes(keys.original(JOB), b"0123456789", content_type=TYPE)
    file = object_store.local_path(keys.original(JOB))
    redirect = object_store.redirect_path(keys.original(JOB), seconds=60)
    if file is not None:
        assert (file.is_absolute(), file.read_bytes(), redirect) == (True, b"0123456789", None)
        return
    assert redirect is not None
    assert redirect.startswith("/")
    url = f"http://{request.getfixturevalue('minio').endpoint}{redirect}"
    answer = urllib3.request("GET", url, headers={"Range": "bytes=2-4"}, timeout=10)
    assert (answer.data, answer.headers["Content-Type"]) == (b"234", TYPE)


def test_the_store_tells_its_free_space(object_store: ObjectStore) -> None:
    """Both the local disk and MinIO (asked by its administrator) know."""
    free = object_store.free_bytes()
    assert free is not None
    assert free > MIB


def test_preparing_again_keeps_what_is_there(object_store: ObjectStore) -> None:
    """A restart prepares a second time and finds everything."""
    object_store.put_bytes(keys.original(JOB), b"x", content_type=TYPE)
    object_store.prepare()
    object_store.ping()
    assert content(object_store, keys.original(JOB)) == b"x"


def test_a_store_that_nothing_prepared_has_nothing_to_sweep(tmp_path: Path) -> None:
    """The janitor may come up before the folder of objects is made."""
    assert LocalObjectStore(tmp_path / "objects").sweep_unfinished(older_than=0) == 0
