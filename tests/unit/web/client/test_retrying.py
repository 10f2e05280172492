"""When the client tries again, and when it gives up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.client.retrying import (
    LONGEST_SECONDS,
    MOST_UPLOADS,
    PATIENCE_SECONDS,
    Again,
    Failed,
    Tries,
    backoff,
    decide,
)

REACHED = Tries(reached=True, begun=1)
LATE = Tries(reached=True, begun=1, stuck_seconds=PATIENCE_SECONDS + 1)


@pytest.mark.parametrize("status", [None, 408, 409, 423, 429, 460, 500, 502, 503, 504])
def test_what_passes_by_itself_is_tried_again(status: int | None) -> None:
    """With a pause, until there was no progress for too long."""
    again = decide(Failed(status), REACHED, chance=0.5)
    assert again is not None
    assert 0 < again.seconds <= LONGEST_SECONDS
    assert not again.anew
    assert decide(Failed(status), LATE, chance=0.5) is None


@pytest.mark.parametrize("status", [400, 401, 403, 412, 413, 415, 421, 501])
def test_what_stays_wrong_is_given_up(status: int) -> None:
    """The same request would get the same answer."""
    assert decide(Failed(status), REACHED, chance=0.5) is None


def test_a_server_that_was_never_reached_is_given_up() -> None:
    """The address may be wrong."""
    assert decide(Failed(None), Tries(), chance=0.5) is None


@pytest.mark.parametrize("status", [429, 503])
def test_a_time_that_the_server_names_is_kept_to(status: int) -> None:
    """Exactly and without end, as it keeps a turn; unless somebody will not wait so long altogether."""
    failed = Failed(status, 3600.0)
    assert decide(failed, LATE, chance=1.0) == Again(3600.0, asked=True)
    assert decide(failed, Tries(waited=0.0), chance=1.0, most_wait=3600.0) == Again(3600.0, asked=True)
    assert decide(failed, Tries(waited=1.0), chance=1.0, most_wait=3600.0) is None


def test_a_pause_is_no_shorter_than_the_server_wants() -> None:
    """Also where it means another failure than a refusal."""
    again = decide(Failed(408, 10.0), REACHED, chance=0.0)
    assert again == Again(10.0)


@pytest.mark.parametrize("status", [404, 410])
def test_an_upload_that_is_gone_begins_anew(status: int) -> None:
    """At once, a few times; before one was begun the server simply has no uploads."""
    assert decide(Failed(status), REACHED, chance=0.5) == Again(0.0, anew=True)
    assert decide(Failed(status), Tries(reached=True), chance=0.5) is None
    assert decide(Failed(status), Tries(reached=True, begun=MOST_UPLOADS), chance=0.5) is None


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_pauses_grow_to_a_bound(failures: int, chance: float) -> None:
    """And no two clients need keep step."""
    assert 0 < backoff(failures, chance) <= LONGEST_SECONDS
    assert backoff(failures, chance) <= backoff(failures + 1, chance)
    assert backoff(failures, 0.0) < backoff(failures, 1.0)
