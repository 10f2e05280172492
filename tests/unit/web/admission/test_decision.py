"""The decision to take an upload is made from figures alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import (
    BusyError,
    DrainingError,
    OwnerShareError,
    QueueFullError,
    RungsError,
    StorageFullError,
    TooManyUploadsError,
    UploadTooLargeError,
)
from storage.objects.contract import PART_BYTES
from web.admission.decision import LEARNED_SECONDS, LONGEST_RETRY_AFTER, Limits, Load, Standing, decide
from web.admission.turns import TurnClaim
from web.upload.limits import OVERHEAD_BYTES

LIMITS = Limits(uploads=2, upload_bytes=1000, pending_bytes=1500, reserve=500, wait=60.0, owner_jobs=3)
FITS = Load(announced=900, active=1, pending=100, free=1500, wait=60.0, owner_jobs=2)


WAITING, CALLED = Standing.WAITING, Standing.CALLED


def refusal(load: Load) -> RungsError:
    """Return why it is refused; fail if it is not."""
    found = decide(load, LIMITS)
    assert found is not None
    return found


def test_an_upload_that_fits_is_admitted() -> None:
    """At every limit, and where nothing is known, nothing is in the way."""
    assert decide(FITS, LIMITS) is None
    assert decide(Load(), LIMITS) is None


def test_announced_size_decides_before_the_body() -> None:
    """The form around the file is allowed for, no more."""
    assert decide(Load(announced=1000 + OVERHEAD_BYTES), LIMITS) is None
    assert isinstance(refusal(Load(announced=1001 + OVERHEAD_BYTES)), UploadTooLargeError)


@pytest.mark.parametrize(
    ("change", "kind", "seconds"),
    [
        ({"active": 2}, TooManyUploadsError, 15),
        ({"active": 2, "upload_left": 3.2}, TooManyUploadsError, 4),
        ({"pending": 601, "free": None}, TooManyUploadsError, 15),
        ({"free": 1499}, StorageFullError, 300),
        ({"pending": 101}, StorageFullError, 300),
        ({"announced": None, "active": 0, "pending": 0, "free": PART_BYTES + 499}, StorageFullError, 300),
        ({"owner_jobs": 3, "owner_ready": 7.5}, OwnerShareError, 8),
        ({"wait": 61.5}, QueueFullError, 2),
        ({"wait": 61.5, "claims": (TurnClaim(1.5, 10.0),)}, QueueFullError, 13),
        ({"wait": 55.0, "work": 6.0, "claims": (TurnClaim(0.0, 10.0),)}, QueueFullError, 6),
        (
            {"wait": 40.0, "work": 6.0, "claims": (TurnClaim(1.0, 10.0), TurnClaim(2.0, 9.0), TurnClaim(3.0, 1.0))},
            QueueFullError,
            22,
        ),
        ({"wait": 50.0, "standing": WAITING, "claims": (TurnClaim(9.0, 11.0),), "turn": 7.2}, QueueFullError, 8),
        ({"wait": 69.1, "standing": CALLED, "turn": 0.0}, QueueFullError, 10),
        ({"wait": 60.0, "standing": CALLED, "claims": (TurnClaim(0.0, 9.1),), "turn": 0.0}, QueueFullError, 11),
        ({"wait": 30.0, "doubt": 31.0}, QueueFullError, LEARNED_SECONDS),
        ({"wait": 1e9}, QueueFullError, LONGEST_RETRY_AFTER),
        ({"draining": True, "active": 2}, DrainingError, 30),
    ],
)
def test_refusals_say_when_there_will_be_room(change: dict[str, Any], kind: type[BusyError], seconds: int) -> None:
    """When an upload ends, when a job of the owner's is ready, when the queue is short enough again."""
    found = refusal(replace(FITS, **change))
    assert isinstance(found, kind)
    assert found.retry_after == seconds


def test_one_large_upload_alone_is_no_crowd() -> None:
    """What is within the size of an upload is not refused for all that is on its way."""
    small = replace(LIMITS, pending_bytes=10)
    assert decide(Load(announced=900), small) is None
    assert isinstance(decide(Load(announced=900, active=1), small), TooManyUploadsError)


@pytest.mark.parametrize(
    "change",
    [
        {"wait": 50.0, "work": 6.0, "claims": (TurnClaim(2.0, 30.0), TurnClaim(32.0, 9.0))},
        {"wait": 0.0, "work": 500.0},
        {"wait": 10.0, "standing": WAITING, "claims": (TurnClaim(30.0, 50.0),), "turn": 40.0},
        {"wait": 69.0, "standing": CALLED, "turn": 0.0},
        {"wait": 60.0, "standing": CALLED, "claims": (TurnClaim(0.0, 9.0),), "turn": 0.0},
        {"wait": 30.0, "doubt": 30.0},
        {"wait": 30.0, "work": 40.0, "claims": (TurnClaim(1.0, 90.0),)},
        {"wait": 30.0, "standing": WAITING, "claims": (TurnClaim(1.0, 90.0),), "turn": 9.0},
    ],
)
def test_room_that_no_turn_needs_is_taken(change: dict[str, Any]) -> None:
    """By newcomers, by who came early if all before it could come too, and by who was told to come.

    By anybody where the encoders would soon have no work.
    """
    assert decide(replace(FITS, **change), LIMITS) is None


@given(
    wait=st.floats(0, 1e9),
    doubt=st.floats(0, 1e9),
    claims=st.lists(st.builds(TurnClaim, st.floats(0, 1e9), st.floats(0, 1e9)), max_size=5),
    standing=st.sampled_from(Standing),
    active=st.integers(0, 5),
    left=st.none() | st.floats(0, 1e9),
    jobs=st.integers(0, 9),
)
def test_every_time_to_come_back_is_a_usable_one(
    wait: float,
    doubt: float,
    claims: list[TurnClaim],
    standing: Standing,
    active: int,
    left: float | None,
    jobs: int,
) -> None:
    """At least a second, at most an hour, whatever the figures are."""
    load = Load(
        announced=10,
        active=active,
        upload_left=left,
        wait=wait,
        doubt=doubt,
        standing=standing,
        claims=tuple(sorted(claims, key=lambda claim: claim.seconds)),
        turn=left,
        owner_jobs=jobs,
        owner_ready=left,
    )
    found = decide(load, LIMITS)
    if found is not None:
        assert isinstance(found, BusyError)
        assert 1 <= found.retry_after <= LONGEST_RETRY_AFTER
