"""Ids of events: one form, whoever brings them."""

from __future__ import annotations

import pytest

from storage.errors import InvalidRequestError
from storage.model.event import NO_EVENT, checked_event_id, event_order, is_event_id


@pytest.mark.parametrize(("text", "full"), [("0", NO_EVENT), ("17", "17-0"), ("1700000000000-3", "1700000000000-3")])
def test_ids_are_completed(text: str, full: str) -> None:
    """A time alone stands for the first event of its millisecond."""
    assert checked_event_id(text) == full
    assert is_event_id(full)


@pytest.mark.parametrize("text", ["", "-", "-0", "1-", "a-0", "1-2-3", "0-0\n", f"{10**16}-0", "\u0661-\u0662"])
def test_what_is_no_id_is_refused(text: str) -> None:
    """Neither missing numbers nor too long ones, nor the digits of other scripts."""
    assert not is_event_id(text)
    with pytest.raises(InvalidRequestError):
        checked_event_id(text)


def test_ids_sort_as_numbers() -> None:
    """The tenth event of a millisecond comes after the ninth."""
    assert event_order("5-10") > event_order("5-9") > event_order("4-99")
