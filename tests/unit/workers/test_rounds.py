"""Rounds: who makes them, and what ends them."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from storage.errors import JobStoreDownError
from tests.support.job_store import OwnJobStore
from workers.rounds import Rounds


def rounds(store: OwnJobStore) -> Rounds:
    """Return the rounds of a role, a moment apart."""
    return Rounds(store, "sweeper", seconds=0.001, role_seconds=30)


class Work:
    """What is to be done in each round; it ends the rounds with the last of its errors."""

    def __init__(self, swept: Rounds, *errors: Exception | None) -> None:
        self.made = 0
        self._rounds = swept
        self._errors = errors

    def __call__(self) -> None:
        """Make a round."""
        error = self._errors[self.made]
        self.made += 1
        if self.made == len(self._errors):
            self._rounds.stop()
        if error is not None:
            raise error


def test_an_outage_skips_a_round() -> None:
    """The next round is made as if nothing had been."""
    swept = rounds(OwnJobStore())
    work = Work(swept, None, JobStoreDownError(detail="away"), None)
    swept.run(work)
    assert work.made == 3


def test_a_fault_skips_a_round() -> None:
    """It is logged, and ends neither the role nor the others that share its process."""
    swept = rounds(OwnJobStore())
    work = Work(swept, ValueError("ours"), None)
    with capture_logs() as logs:
        swept.run(work)
    assert work.made == 2
    assert [line["log_level"] for line in logs] == ["error"]


def test_whoever_does_not_hold_the_role_only_shows_that_it_lives() -> None:
    """The role is somebody else's: no round is made."""
    store = OwnJobStore()
    assert store.hold("sweeper", "somebody", seconds=30)
    swept, beats = rounds(store), list[int]()

    def beat() -> None:
        beats.append(1)
        if len(beats) == 3:
            swept.stop()

    swept.run(lambda: pytest.fail("a round of somebody else's"), beat=beat)
    assert len(beats) == 3


def test_a_sign_of_life_that_cannot_be_given_skips_a_round() -> None:
    """On a full disk the file may not be made: who watches it sees that, and the rounds go on with room."""
    swept = rounds(OwnJobStore())
    beats = iter([OSError(28, "No space left on device"), None])
    work = Work(swept, None)

    def beat() -> None:
        error = next(beats)
        if error is not None:
            raise error

    swept.run(work, beat=beat)
    assert work.made == 1
