"""What is to be mended, for everything the janitor can see."""

from __future__ import annotations

import pytest

from storage.job_store.contract import Lease
from storage.model.job import JobState
from storage.objects import keys
from tests.support.jobs import make_job, make_plan
from workers.janitor.repairs import (
    LOOKS,
    STALLED_SECONDS,
    Repair,
    Sight,
    is_stalled,
    lone_originals,
    may_be_cleared,
    repairs,
)

PLAN = make_plan(segments=2)
ALL = frozenset({"poster:0", "audio:0", "segment:0", "segment:1"})
NONE: frozenset[str] = frozenset()
ISSUED = frozenset({"plan:0"})
HELD, LAPSED = Lease("a", live=True), Lease("a", live=False)
RESTING, RESTED = Lease("", live=True), Lease("", live=False)


def sight(
    state: JobState,
    *,
    out: frozenset[str] = ALL,
    pending: frozenset[str] = NONE,
    issued: int = 2,
    **leases: Lease,
) -> Sight:
    """Return what the janitor sees of a job with two segments: everything issued and out unless told otherwise."""
    unplanned = state in {JobState.QUEUED, JobState.PLANNING}
    job = make_job(state=state, plan=None if unplanned else PLAN, issued=0 if unplanned else issued)
    by_field = {name.replace("_", ":"): lease for name, lease in leases.items()}
    return Sight(job, out, by_field, frozenset((job.id, field) for field in pending))


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (sight(JobState.QUEUED, out=NONE), []),
        (sight(JobState.QUEUED, out=ISSUED), ["publish plan:0"]),
        (sight(JobState.QUEUED, out=ISSUED, pending=ISSUED), []),
        (sight(JobState.PLANNING), ["publish plan:0"]),
        (sight(JobState.PLANNING, plan_0=HELD), []),
        (sight(JobState.PLANNING, plan_0=LAPSED), ["reclaim plan:0"]),
        (sight(JobState.PLANNING, plan_0=LAPSED, pending=frozenset({"plan:0"})), []),
        (sight(JobState.PLANNING, plan_0=RESTING), []),
        (sight(JobState.PLANNING, plan_0=RESTED), ["resume plan:0"]),
        (sight(JobState.PLANNING, plan_0=RESTED, pending=frozenset({"plan:0"})), []),
        (sight(JobState.ENCODING, pending=ALL), []),
        (sight(JobState.ENCODING, pending=ALL - {"segment:1"}), ["publish segment:1"]),
        (sight(JobState.ENCODING, pending=ALL - {"segment:1"}, segment_1=HELD), []),
        (sight(JobState.ENCODING, pending=ALL - {"segment:1"}, segment_1=LAPSED), ["reclaim segment:1"]),
        (sight(JobState.ENCODING, out=frozenset({"audio:0"})), ["publish audio:0"]),
        (sight(JobState.ENCODING), [f"publish {field}" for field in ("audio:0", "poster:0", "segment:0", "segment:1")]),
        (sight(JobState.ENCODING, out=NONE, issued=1), []),
        (sight(JobState.ENCODING, out=NONE), ["package package:0"]),
        (sight(JobState.PACKAGING, out=NONE), ["publish package:0"]),
        (sight(JobState.PACKAGING, out=NONE, package_0=HELD), []),
        (sight(JobState.READY, out=NONE), []),
        (sight(JobState.FAILED, segment_0=LAPSED), []),
        (sight(JobState.CANCELLED), []),
    ],
)
def test_what_is_missing_is_named(seen: Sight, expected: list[str]) -> None:
    """What should be out and is neither at the broker nor held is published, and it is told why; nothing else is."""
    found = [(repair, task) for repair, task in repairs(seen)]
    assert [f"{repair} {task.field}" for repair, task in found] == expected
    assert all(repair in LOOKS for repair, _ in found)


def test_a_rest_is_over_at_once_and_a_loss_is_looked_at_twice() -> None:
    """Nothing is ever for a moment in neither place because it rested."""
    assert {repair: looks for repair, looks in LOOKS.items() if looks == 1} == {Repair.RESUME: 1}


@pytest.mark.parametrize(
    ("leases", "idle", "expected"),
    [
        ({"segment:0": HELD}, STALLED_SECONDS + 1, True),
        ({"segment:0": HELD}, STALLED_SECONDS - 1, False),
        ({"segment:0": LAPSED, "audio:0": RESTING}, STALLED_SECONDS + 1, False),
        ({}, STALLED_SECONDS * 100, False),
    ],
)
def test_only_a_job_that_is_worked_on_can_be_stalled(leases: dict[str, Lease], idle: float, expected: bool) -> None:  # noqa: FBT001 - a table
    """Waiting for encoders that are switched off is no stall, however long it lasts."""
    assert is_stalled(leases, idle) is expected


@pytest.mark.parametrize(
    ("leases", "expected"),
    [({}, True), ({"segment:0": LAPSED, "audio:0": RESTING}, True), ({"segment:0": LAPSED, "audio:0": HELD}, False)],
)
def test_an_ended_job_is_cleared_when_nobody_writes_any_more(leases: dict[str, Lease], expected: bool) -> None:  # noqa: FBT001 - a table
    """A stopping attempt holds its lease until it has stopped."""
    assert may_be_cleared(leases) is expected


def test_an_original_with_anything_beside_it_is_no_orphan() -> None:
    """A manifest restores a job after Redis was lost; what cannot be understood is not touched either."""
    lone, whole, odd, empty = "a" * 32, "b" * 32, "c" * 32, "d" * 32
    found = [keys.original(lone), keys.original(whole), keys.manifest(whole), keys.original(odd)]
    found += [f"{keys.originals(odd)}note", keys.manifest(empty)]
    assert lone_originals(found) == {lone}
    assert lone_originals([]) == frozenset()
