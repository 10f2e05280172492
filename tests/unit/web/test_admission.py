"""The decision to take an upload is made from figures alone."""

from __future__ import annotations

import pytest

from storage.errors import BusyError, StorageFullError, TooManyUploadsError, UploadTooLargeError
from web.admission import Gate, Limits, admit
from web.form import OVERHEAD_BYTES

LIMITS = Limits(uploads=2, upload_bytes=1000, reserve=500)


def test_an_upload_that_fits_is_admitted() -> None:
    """Below all limits nothing is raised."""
    admit(LIMITS, active=1, promised=100, announced=900, free=1500)
    admit(LIMITS, active=0, promised=0, announced=None, free=None)


def test_announced_size_decides_before_the_body() -> None:
    """The form around the file is allowed for, no more."""
    admit(LIMITS, active=0, promised=0, announced=1000 + OVERHEAD_BYTES, free=None)
    with pytest.raises(UploadTooLargeError):
        admit(LIMITS, active=0, promised=0, announced=1001 + OVERHEAD_BYTES, free=None)


@pytest.mark.parametrize(
    ("active", "promised", "announced", "free", "refusal"),
    [
        (2, 0, 10, None, TooManyUploadsError),
        (0, 0, 1000, 1499, StorageFullError),
        (1, 600, 900, 1999, StorageFullError),
        (0, 0, None, 499, StorageFullError),
    ],
)
def test_refusals_say_when_to_come_back(
    active: int, promised: int, announced: int | None, free: int | None, refusal: type[BusyError]
) -> None:
    """Too many uploads and too little space are refused with a time."""
    with pytest.raises(refusal) as caught:
        admit(LIMITS, active=active, promised=promised, announced=announced, free=free)
    assert caught.value.retry_after > 0


def test_the_gate_counts_places_and_promises() -> None:
    """A place is held for the time of the upload, and what arrived is no longer promised."""
    gate = Gate(LIMITS)
    with gate.enter(800, free=1300) as ticket:
        assert gate.active == 1
        with pytest.raises(StorageFullError), gate.enter(100, free=1300):
            pass
        ticket.received(900)
        with gate.enter(100, free=1300), pytest.raises(TooManyUploadsError), gate.enter(1, free=1300):
            pass
    assert gate.active == 0


def test_a_failed_upload_gives_its_place_back() -> None:
    """The place is free again after an error."""
    gate = Gate(LIMITS)
    with pytest.raises(ValueError, match="broken"), gate.enter(1, free=None):
        raise ValueError("broken")
    assert gate.active == 0
