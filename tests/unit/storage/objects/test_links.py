"""The local store takes and gives regular files alone: nothing that stands in one's place leads anywhere else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.errors import ObjectNotFoundError, RungsError
from storage.objects import keys
from storage.objects.contract import ObjectStore
from storage.objects.local import UNFINISHED, LocalObjectStore
from tests.support.odd_files import ODD, SECRET, put_odd

JOB = "0123456789abcdef0123456789abcdef"
KEY = keys.rendition(JOB, "240p.mp4")
TYPE = "video/mp4"

READ: dict[str, Callable[[LocalObjectStore, Path], object]] = {
    "stat": lambda store, _: store.stat(KEY),
    "read": lambda store, _: b"".join(store.read(KEY)),
    "open": lambda store, _: store.open_local(KEY),
    "fetch": lambda store, folder: store.fetch(KEY, folder / "fetched"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give the folder of a prepared store that holds one object."""
    store = LocalObjectStore(tmp_path / "objects")
    store.prepare()
    store.put_bytes(KEY, b"film", content_type=TYPE)
    return tmp_path / "objects"


@pytest.mark.parametrize("way", READ)
@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_regular_file_is_no_object(kind: str, way: str, root: Path, tmp_path: Path) -> None:
    """Whatever stands in an object's place is neither followed nor waited for."""
    put_odd(kind, root / KEY, tmp_path / "secret")
    with pytest.raises(ObjectNotFoundError):
        READ[way](LocalObjectStore(root), tmp_path)


@pytest.mark.parametrize("way", READ)
def test_a_folder_that_is_a_link_leads_nowhere(way: str, root: Path, tmp_path: Path) -> None:
    """Nothing is read, and nothing is deleted, in the folder that a link among a key's parts leads to."""
    folder = (root / KEY).parent
    elsewhere = folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(elsewhere)
    store = LocalObjectStore(root)
    with pytest.raises(ObjectNotFoundError):
        READ[way](store, tmp_path)
    assert store.delete_prefix(keys.renditions(JOB)) == 0
    assert (elsewhere / "240p.mp4").read_bytes() == b"film"


def test_nothing_is_written_through_a_link(root: Path, tmp_path: Path) -> None:
    """A link in an object's place is replaced; one among the folders, or in place of those of writes, is refused."""
    put_odd("link", root / KEY, tmp_path / "secret")
    store = LocalObjectStore(root)
    store.put_bytes(KEY, b"new", content_type=TYPE)
    assert ((root / KEY).is_symlink(), (root / KEY).read_bytes()) == (False, b"new")
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / UNFINISHED).rename(tmp_path / "unfinished")
    for name in (UNFINISHED, "originals"):
        (root / name).symlink_to(outside)
        with pytest.raises(RungsError):
            store.put_bytes(keys.original(JOB), b"new", content_type=TYPE)
        if name == UNFINISHED:
            (root / name).unlink()
            store.prepare()
    assert (list(outside.iterdir()), (tmp_path / "secret").read_bytes()) == ([], SECRET)


@pytest.mark.parametrize("kind", ODD)
def test_only_a_regular_file_is_put(kind: str, object_store: ObjectStore, tmp_path: Path) -> None:
    """In every store: what is put by its path is a file and no way to another."""
    put_odd(kind, tmp_path / "odd", tmp_path / "secret")
    with pytest.raises(ObjectNotFoundError):
        object_store.put_file(KEY, tmp_path / "odd", content_type=TYPE)
    assert list(object_store.keys("")) == []


def test_a_link_is_only_removed(root: Path, tmp_path: Path) -> None:
    """Deleting a job takes the link and leaves what it leads to."""
    put_odd("link", root / KEY, tmp_path / "secret")
    LocalObjectStore(root).delete_prefix(keys.renditions(JOB))
    assert not os.path.lexists(root / KEY)
    assert (tmp_path / "secret").read_bytes() == SECRET
