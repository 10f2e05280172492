"""Uploads on their way in, in a local folder and on a real MinIO: what is stored tells how far they are."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from itertools import combinations_with_replacement
from pathlib import Path

import pytest

from storage.errors import ObjectNotFoundError
from storage.objects import keys
from storage.objects.contract import PART_BYTES, ObjectStore
from storage.objects.incoming import MOST_PARTS, Arrived, part_bytes_for
from storage.objects.manifests import delete_originals
from storage.upload_errors import UploadTakenError

UPLOAD = "0123456789abcdef0123456789abcdef"
TYPE = "application/octet-stream"
PART = 5 * 1024 * 1024  # the smallest that S3 takes
LARGEST = PART_BYTES * MOST_PARTS
DATA = random.Random(19).randbytes(3 * PART + 12_345)


def yes() -> None:
    """Let every writing go on."""


def always() -> bool:
    """Let everything be kept."""
    return True


def send(store: ObjectStore, data: bytes, *, may_go_on: Callable[[], None] = yes, piece: int = 700_001) -> None:
    """Write these bytes behind what is stored."""
    with store.incoming.go_on(UPLOAD, part_bytes=PART, may_go_on=may_go_on, may_keep=always) as writer:
        for start in range(0, len(data), piece):
            writer.write(data[start : start + piece])


def size(store: ObjectStore) -> int:
    """Return how much is stored."""
    return store.incoming.arrived(UPLOAD).size


def finished(store: ObjectStore) -> bytes:
    """Make the upload an original and return its bytes."""
    info = store.incoming.finish(UPLOAD, keys.original(UPLOAD), content_type=TYPE)
    found = b"".join(store.read(keys.original(UPLOAD)))
    assert (info.key, info.size) == (keys.original(UPLOAD), len(found))
    return found


@pytest.mark.parametrize(
    "stops", [(), (0,), (1,), (PART - 1, PART, PART + 1), (12, 2 * PART), (3 * PART,), (PART,) * 3]
)
def test_an_upload_goes_on_where_it_was(object_store: ObjectStore, stops: tuple[int, ...]) -> None:
    """Wherever it stopped; after each stop the store tells how much it has, and in the end all of it is there."""
    for start, end in zip((0, *stops), (*stops, len(DATA)), strict=True):
        send(object_store, DATA[start:end])
        assert size(object_store) == end
    assert abs(object_store.incoming.arrived(UPLOAD).at - time.time()) < 60
    assert finished(object_store) == DATA
    delete_originals(object_store, UPLOAD)
    assert list(object_store.keys("")) == []


def test_any_bytes_of_an_original_that_came_in_parts_can_be_read(object_store: ObjectStore, tmp_path: Path) -> None:
    """Within a part, over the border of two, up to the end and beyond it; and nothing of a part that was lost."""
    send(object_store, DATA)
    assert finished(object_store) == DATA
    key, borders = keys.original(UPLOAD), (0, 1, PART - 1, PART, PART + 1, 2 * PART, len(DATA) - 1, len(DATA))
    for start, end in combinations_with_replacement(borders, 2):
        assert b"".join(object_store.read(key, start=start, length=end - start)) == DATA[start:end]
    assert b"".join(object_store.read(key, start=len(DATA) - 5, length=100)) == DATA[-5:]
    assert b"".join(object_store.read(key, start=len(DATA))) == b""
    object_store.fetch(key, tmp_path / "film")
    assert (tmp_path / "film").read_bytes() == DATA
    if object_store.local_path(key) is None:
        object_store.delete_prefix(keys.upload_part(UPLOAD, 2))
        with pytest.raises(ObjectNotFoundError):
            b"".join(object_store.read(key))


def test_a_client_that_sends_little_at_a_time_makes_little_work(object_store: ObjectStore) -> None:
    """A hundred small requests leave a few objects, whose bytes were written a few times each."""
    for number in range(100):
        send(object_store, DATA[100 * number : 100 * number + 100])
        assert size(object_store) == 100 * number + 100
    assert len(list(object_store.keys(""))) <= 7
    send(object_store, DATA[10_000 : PART + 5])
    assert len(list(object_store.keys(""))) <= 2
    send(object_store, DATA[PART + 5 :])
    assert finished(object_store) == DATA


def test_nothing_is_stored_of_what_nobody_began(object_store: ObjectStore) -> None:
    """And nothing can be made of it."""
    assert object_store.incoming.arrived(UPLOAD) == Arrived()
    with pytest.raises(ObjectNotFoundError):
        finished(object_store)


def test_what_came_before_a_failure_is_kept(object_store: ObjectStore) -> None:
    """A line that breaks costs nothing that has come."""

    def break_off() -> None:
        with object_store.incoming.go_on(UPLOAD, part_bytes=PART, may_go_on=yes, may_keep=always) as writer:
            writer.write(DATA[: PART + 99])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert size(object_store) == PART + 99
    send(object_store, DATA[PART + 99 :])
    assert finished(object_store) == DATA


@pytest.mark.parametrize("left", [0, 1, 99, 100, 101, 250, 299])
def test_what_is_cut_off_of_tails_comes_again(object_store: ObjectStore, left: int) -> None:
    """Also where the border lies between two of them."""
    for begin, end in ((0, 200), (200, 270), (270, 295), (295, 300)):
        send(object_store, DATA[begin:end])
    object_store.incoming.cut(UPLOAD, left)
    assert size(object_store) == left
    send(object_store, DATA[left:])
    assert finished(object_store) == DATA


@pytest.mark.parametrize("left", [0, 1, PART - 1, PART, PART + 7, 2 * PART, len(DATA)])
def test_what_is_cut_off_comes_again(object_store: ObjectStore, left: int) -> None:
    """At any place; what is kept stays as it was."""
    send(object_store, DATA)
    object_store.incoming.cut(UPLOAD, left)
    assert size(object_store) == left
    send(object_store, DATA[left:])
    assert finished(object_store) == DATA


def test_a_writer_that_is_late_takes_nothing_away(object_store: ObjectStore) -> None:
    """It is told so before it stores anything, and what came meanwhile counts."""
    taken = False

    def may_go_on() -> None:
        if taken:
            raise UploadTakenError

    def come_too_late() -> None:
        nonlocal taken
        with object_store.incoming.go_on(
            UPLOAD, part_bytes=PART, may_go_on=may_go_on, may_keep=lambda: False
        ) as writer:
            writer.write(DATA[:1000])
            send(object_store, DATA[size(object_store) : 2 * PART])
            taken = True
            for start in range(1000, len(DATA), 1_000_000):
                writer.write(DATA[start : start + 1_000_000])

    with pytest.raises(UploadTakenError):
        come_too_late()
    assert size(object_store) == 2 * PART
    send(object_store, DATA[2 * PART :])
    assert finished(object_store) == DATA


@pytest.mark.parametrize("came", [10, PART - 1, PART, 2 * PART])
def test_a_writer_that_is_awake_keeps_what_it_has(object_store: ObjectStore, came: int) -> None:
    """The newer request waits for that, and goes on behind it."""
    taken = False

    def may_go_on() -> None:
        if taken:
            raise UploadTakenError

    def be_stopped() -> None:
        nonlocal taken
        with object_store.incoming.go_on(UPLOAD, part_bytes=PART, may_go_on=may_go_on, may_keep=always) as writer:
            writer.write(DATA[: came - 1])
            taken = True
            writer.write(DATA[came - 1 : came])
            may_go_on()

    with pytest.raises(UploadTakenError):
        be_stopped()
    assert size(object_store) >= came - 1
    send(object_store, DATA[size(object_store) :])
    assert finished(object_store) == DATA


def test_a_late_writer_that_nobody_stopped_stores_the_same_bytes(object_store: ObjectStore) -> None:
    """Both send the same file: whoever comes last changes nothing, and less never takes the place of more."""
    with object_store.incoming.go_on(UPLOAD, part_bytes=PART, may_go_on=yes, may_keep=always) as late:
        late.write(DATA[: PART + 10])
        send(object_store, DATA[size(object_store) :])
        late.write(DATA[PART + 10 : PART + 20])
    assert size(object_store) == len(DATA)
    assert finished(object_store) == DATA


def test_a_missing_part_is_asked_for_again(object_store: ObjectStore) -> None:
    """What lies behind a gap does not count: the client sends it once more."""
    if object_store.local_path(keys.original(UPLOAD)) is not None:
        pytest.skip("one file has no gaps")
    send(object_store, DATA)
    object_store.delete_prefix(keys.upload_part(UPLOAD, 1))
    assert size(object_store) == PART
    send(object_store, DATA[PART:])
    assert finished(object_store) == DATA


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, PART_BYTES),
        (64 << 30, PART_BYTES),
        (PART_BYTES * MOST_PARTS, PART_BYTES),
        (PART_BYTES * MOST_PARTS + 1, 9 << 20),
    ],
)
def test_parts_are_as_large_as_ten_thousand_of_them_need(length: int, expected: int) -> None:
    """And no larger."""
    assert part_bytes_for(length, PART_BYTES) == expected
    assert part_bytes_for(length, PART_BYTES) * MOST_PARTS >= length
