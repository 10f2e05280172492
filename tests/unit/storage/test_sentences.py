"""Sentences and the numbers in them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from storage.error_sentences import SENTENCES as ERRORS
from storage.error_sentences import key_of
from storage.errors import BusyError, InvalidRequestError, QueueFullError
from storage.media_errors import TooLongError
from storage.model.job_warnings import SENTENCES as WARNINGS
from storage.sentences import clock, filled, number


@pytest.mark.parametrize(
    ("value", "written"), [(4.0, "4"), (1.44, "1.4"), (1920, "1920"), (9999.9, "9999.9"), (48_000, "48,000")]
)
def test_numbers_are_short(value: float, written: str) -> None:
    """One decimal place where there is something to say by it; a separator only where it helps."""
    assert number(value) == written


@pytest.mark.parametrize(("seconds", "written"), [(0, "0:00"), (72.4, "1:12"), (7231, "2:00:31"), (-1, "0:00")])
def test_places_are_written_as_players_do(seconds: float, written: str) -> None:
    """Minutes and seconds, hours only where there are some."""
    assert clock(seconds) == written


def test_a_number_that_is_missing_is_no_sentence() -> None:
    """A raise site that forgets one is found by the first test that comes by."""
    with pytest.raises(KeyError, match="limit"):
        filled(ERRORS["too_long"], {"minutes": 3})


def test_an_error_says_the_sentence_of_its_code() -> None:
    """With its numbers; what only operators read stands beside it."""
    assert QueueFullError().message == ERRORS["queue_full"]
    told = TooLongError(minutes=1000.04, limit=720.0).told
    assert told["message"] == ERRORS["too_long"] % {"minutes": "1000", "limit": "720"}
    assert told["values"] == {"minutes": 1000.04, "limit": 720.0}
    full = QueueFullError(detail="So full.")
    assert (full.message, str(full)) == (ERRORS["queue_full"], f"{ERRORS['queue_full']} So full.")


def test_a_reason_is_said_more_exactly_under_the_same_code() -> None:
    """Names in it are for the sentence alone: the values of JSON are numbers."""
    busy = BusyError(reason="watchers")
    assert busy.told == {"code": "busy", "message": ERRORS["busy.watchers"], "values": {}}
    assert (key_of("busy", busy.message), key_of("busy", ERRORS["busy"])) == ("busy.watchers", "busy")
    long = InvalidRequestError(reason="field_length", values={"name": "title", "limit": 4096})
    assert (long.message, long.values) == ("The field `title` is longer than 4096 bytes.", {"limit": 4096})
    with pytest.raises(KeyError, match=r"busy\.lazy"):
        BusyError(reason="lazy")


@pytest.mark.parametrize("table", [ERRORS, WARNINGS], ids=["errors", "warnings"])
def test_sentences_are_sentences(table: Mapping[str, str]) -> None:
    """Each ends, and its marks are those of gettext."""
    assert all(sentence.endswith(".") for sentence in table.values())
    assert not [sentence for sentence in table.values() if re.search(r"%(?!\(\w+\)s)|[{}]", sentence)]
