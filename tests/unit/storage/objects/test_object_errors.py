"""Full and broken disks and stores become the contract's errors, and leave nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import urllib3
from minio.error import S3Error

from storage.errors import ObjectNotFoundError, ObjectStoreDownError, RungsError, StorageFullError
from storage.objects import local
from storage.objects.local import LocalObjectStore
from storage.objects.plain_files import open_new
from storage.objects.s3 import S3ObjectStore
from storage.objects.s3_writer import translated


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write raises StorageFullError, the unfinished file is gone."""

    def on_a_full_disk(root: Path, parts: Sequence[str]) -> int:
        os.close(open_new(root, parts))
        return os.open("/dev/full", os.O_WRONLY)  # the kernel's own, which answers every write so

    monkeypatch.setattr(local, "open_new", on_a_full_disk)
    store = LocalObjectStore(tmp_path)
    store.prepare()
    with pytest.raises(StorageFullError):
        store.put_bytes("originals/a/original", b"x", content_type="video/mp4")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_vanished_folder_is_a_store_that_is_down(tmp_path: Path) -> None:
    """Without its folder (a volume that was not mounted) the store writes nothing anywhere."""
    store = LocalObjectStore(tmp_path / "gone")
    with pytest.raises(ObjectStoreDownError):
        store.put_bytes("originals/a/original", b"x", content_type="video/mp4")
    with pytest.raises(ObjectStoreDownError):
        store.ping()
    assert not (tmp_path / "gone").exists()


def test_empty_folders_go_with_their_last_object(tmp_path: Path) -> None:
    """After a job is deleted no trace of it is left in the file system."""
    store = LocalObjectStore(tmp_path)
    store.prepare()
    store.put_bytes("renditions/a/hls/720p/00000.m4s", b"x", content_type="video/iso.segment")
    store.delete_prefix("renditions/a/")
    assert os.listdir(tmp_path) == [".unfinished"]  # noqa: PTH208 - hidden names too


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("NoSuchKey", ObjectNotFoundError),
        ("NoSuchUpload", ObjectNotFoundError),
        ("XMinioStorageFull", StorageFullError),
        ("AccessDenied", ObjectStoreDownError),
        ("XMinioServerNotInitialized", ObjectStoreDownError),
    ],
)
def test_what_s3_says_becomes_the_contracts_error(code: str, expected: type[RungsError]) -> None:
    """The cause is kept for the log; people get the sentence."""
    said = S3Error(urllib3.HTTPResponse(), code, "no", "/x", "1", "2")
    with pytest.raises(expected) as caught, translated("originals/a/original"):
        raise said
    assert caught.value.__cause__ is said


def test_a_store_that_is_away_is_said_in_time() -> None:
    """Nobody listens there: ObjectStoreDownError after a few tries, from every kind of call."""
    store = S3ObjectStore(
        endpoint="127.0.0.1:1", bucket="rungs", keys=("k", "s" * 8), region="us-east-1", secure=False, patience=0.5
    )
    for call in (store.ping, store.prepare, store.free_bytes, lambda: store.stat("a"), lambda: list(store.keys(""))):
        with pytest.raises(ObjectStoreDownError):
            call()
