"""The snapshot reads the queue once for all who ask."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from storage.errors import JobStoreDownError
from storage.job_store.queue_contract import QueueFigures
from tests.support.job_store import OwnJobStore
from tests.support.waiting import wait_until
from web.read.queue_snapshot import QueueSnapshot

READERS = 8


class SlowStore(OwnJobStore):
    """A store whose answer waits until the test lets it go, and fails if the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.down = True
        self.asked = 0
        self.counted: list[Mapping[str, int]] = []

    def figures(self) -> QueueFigures:
        """Return the figures when it is time."""
        self.asked += 1
        self.go.wait()
        if self.down:
            raise JobStoreDownError(detail="The store is away.")
        return super().figures()

    def count_refusals(self, codes: Mapping[str, int]) -> None:
        """Fail for what comes second as long as the store is down."""
        if self.down and self.counted:
            raise JobStoreDownError(detail="The store is away.")
        self.counted.append(codes)


@pytest.fixture
def store() -> SlowStore:
    """Give the store; it is down."""
    return SlowStore()


def reads(snapshot: QueueSnapshot) -> bool:
    """Read the queue; tell whether the store answered."""
    try:
        snapshot.read()
    except JobStoreDownError:
        return False
    return True


def waiting(snapshot: QueueSnapshot) -> int:
    """Return how many wait for a reading that somebody else makes."""
    return len(snapshot._reading._condition._waiters) if snapshot._reading else 0  # type: ignore[attr-defined] # how Future waits


@pytest.mark.parametrize("down", [True, False])
def test_who_looks_at_once_shares_one_reading(store: SlowStore, *, down: bool) -> None:
    """Its failure too: nobody waits for a store that is away longer than the first."""
    store.down = down
    snapshot = QueueSnapshot(store, encoders=1)
    with ThreadPoolExecutor(READERS) as pool:
        found = [pool.submit(reads, snapshot) for _ in range(READERS)]
        wait_until(lambda: waiting(snapshot) == READERS - 1, what="the others wait for the first")
        store.go.set()
        assert [one.result() for one in found] == [not down] * READERS
    assert store.asked == 1


def test_a_store_that_is_back_is_read(store: SlowStore) -> None:
    """A failure is nothing to remember."""
    snapshot = QueueSnapshot(store, encoders=1)
    store.go.set()
    assert not reads(snapshot)
    store.down = False
    assert reads(snapshot)


def test_refusals_are_told_once(store: SlowStore) -> None:
    """What the store took before it went away is not told again."""
    snapshot = QueueSnapshot(store, encoders=1)
    store.go.set()
    for code in ("queue_full", "queue_full", "draining"):
        snapshot.note_refusal(code)
    assert not reads(snapshot)
    store.down = False
    assert reads(snapshot)
    assert store.counted == [{"queue_full": 2}, {"draining": 1}]
