"""Promises are compared with what came."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.scheduling.costs import FinishedJob
from storage.scheduling.promises_kept import LEAST_COMPARED, Accuracy, accuracy

KEPT = FinishedJob(1.0, 1.0, 1, 1000.0, 1100.0, begun_at=1010.0, promised_start=1010.0, promised_ready=1100.0)


def test_without_promises_nothing_is_compared() -> None:
    """Restored jobs and those that start again were promised nothing."""
    assert accuracy(()) == Accuracy(0)
    assert accuracy((replace(KEPT, promised_ready=None), replace(KEPT, begun_at=None))) == Accuracy(0)


@pytest.mark.parametrize(
    ("begun", "ready", "kept"), [(1015.0, 1125.0, 1.0), (1005.0, 1075.0, 1.0), (1016.0, 1126.0, 0.0)]
)
def test_a_promise_is_kept_within_a_quarter_or_five_seconds(begun: float, ready: float, kept: float) -> None:
    """Earlier is as untrue as later."""
    found = accuracy([replace(KEPT, begun_at=begun, ready_at=ready)] * LEAST_COMPARED)
    assert (found.compared, found.start, found.ready, found.late) == (LEAST_COMPARED, kept, kept, ready - 1100.0)


def test_parts_and_the_median_of_many() -> None:
    """Four of five ends came true; in the middle they were two seconds late."""
    jobs = [replace(KEPT, ready_at=1100.0 + late) for late in (1.0, 2.0, 2.0, 3.0, 500.0)]
    assert accuracy(jobs) == Accuracy(5, 1.0, 0.8, 2.0)


def test_a_handful_is_needed() -> None:
    """Of the first job ever nothing is said in per cent."""
    assert accuracy([KEPT] * (LEAST_COMPARED - 1)) == Accuracy(LEAST_COMPARED - 1)
