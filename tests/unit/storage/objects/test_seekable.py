"""An object read as a file, over the store in a folder."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.objects.local import LocalObjectStore
from storage.objects.seekable import SeekableObject

KEY = "renditions/a/720p.mp4"
DATA = bytes(range(256)) * 10


class Counting(LocalObjectStore):
    """Notes which ranges are asked for, gives small pieces, and knows whether a reading was closed."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[tuple[int, int | None]] = []
        self.open = 0

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield pieces of a hundred bytes."""
        self.asked.append((start, length))
        self.open += 1
        try:
            data = b"".join(super().read(key, start=start, length=length))
            yield from (data[place : place + 100] for place in range(0, len(data), 100))
        finally:
            self.open -= 1


@pytest.fixture
def store(tmp_path: Path) -> Counting:
    """Return a store with the object in it."""
    store = Counting(tmp_path)
    store.prepare()
    store.put_bytes(KEY, DATA, content_type="video/mp4")
    return store


def test_only_what_is_read_is_fetched(store: Counting) -> None:
    """A jump over most of the object costs nothing; the end gives fewer bytes."""
    file = SeekableObject(store, KEY)
    assert not store.asked
    assert file.read(16) == DATA[:16]
    file.seek(2550)
    assert (file.tell(), file.read(16), file.read(16)) == (2550, DATA[2550:], b"")
    assert store.asked == [(0, 16), (2550, 16), (2560, 16)]


def test_iterating_passes_on_the_stores_own_pieces(store: Counting) -> None:
    """From the place that was sought, with one reading of the store."""
    file = SeekableObject(store, KEY)
    file.seek(2400)
    assert [len(piece) for piece in file] == [100, 60]
    assert (store.asked, file.tell()) == ([(2400, None)], len(DATA))


def test_a_reading_that_is_left_is_closed(store: Counting) -> None:
    """By closing the file, and by going elsewhere: a connection to the store hangs on it."""
    for leave in (SeekableObject.close, lambda file: file.seek(0)):
        file = SeekableObject(store, KEY)
        next(file)
        assert store.open == 1
        leave(file)
        assert store.open == 0


def test_only_places_from_the_beginning_are_sought(store: Counting) -> None:
    """Nobody asks for the size of an object that way."""
    with pytest.raises(io.UnsupportedOperation):
        SeekableObject(store, KEY).seek(0, io.SEEK_END)
