"""What the benches of crowds conclude from what they saw."""

from __future__ import annotations

import random

import pytest

from tests.bench.crowd import Kind, Tried, steadily, within


def test_so_many_clients_come_within_the_time() -> None:
    """A crowd of a given size is exact, that of a rate is so on average; both come in order."""
    crowd, rate = list(within(100, 5.0, random.Random(1))), list(steadily(20.0, 5.0, random.Random(1)))
    assert len(crowd) == 100
    assert 70 < len(rate) < 130
    for arrivals in (crowd, rate):
        assert arrivals == sorted(arrivals)
        assert 0 <= arrivals[0] < arrivals[-1] < 5.0


@pytest.mark.parametrize(
    ("status", "retry_after", "clear"), [(202, 0, True), (503, 5, True), (429, 5, True), (503, 0, False), (0, 0, False)]
)
def test_an_answer_takes_or_tells_a_time(status: int, retry_after: int, *, clear: bool) -> None:
    """All else leaves the client alone: a refusal without a time, and a connection that broke."""
    assert Tried(Kind.TURN, 1, at=0.0, status=status, retry_after=retry_after).clear is clear
