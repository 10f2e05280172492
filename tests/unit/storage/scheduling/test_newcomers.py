"""What is expected of jobs that are still to come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.scheduling.fairness import START_ALONE_SECONDS, STRETCH, target, target_delay
from storage.scheduling.newcomers import COUNTED, NOBODY, Newcomers, delayed, passing

SLOTS = 4.0


def test_nobody_makes_nobody_later() -> None:
    """Without newcomers a forecast stands."""
    assert delayed(100.0, 1e9, passing(NOBODY, SLOTS)) == 100.0


def test_what_is_counted_of_them_is_a_part_of_the_slots() -> None:
    """And more of them come while it is at work: the delays of the delays are counted too."""
    (stream,) = streams = passing(Newcomers(1000.0, 0.05, (40.0,)), SLOTS)
    assert stream.share == pytest.approx(COUNTED * 0.05 * 40.0 / SLOTS)
    assert stream.target == target(1000.0, START_ALONE_SECONDS, in_flight=1.0) + target_delay(
        40.0, SLOTS, in_flight=1.0
    )
    assert delayed(100.0, 1e9, streams) == pytest.approx(100.0 / (1.0 - stream.share), rel=0.001)


def test_they_pass_until_their_target_lies_behind() -> None:
    """A job that had its time already is passed by nobody."""
    streams = passing(Newcomers(1000.0, 0.05, (40.0,)), SLOTS)
    (stream,) = streams
    assert delayed(100.0, stream.target + 10.0, streams) == pytest.approx(100.0 + 10.0 * stream.share)
    assert delayed(100.0, stream.target, streams) == 100.0


@given(
    st.floats(0, 1e5),
    st.floats(0, 1e6),
    st.floats(0, 100),
    st.lists(st.floats(0, 1e5), max_size=20),
    st.floats(0.5, 64),
)
def test_a_rush_delays_by_its_work_at_most(
    ready: float, own: float, rate: float, costs: list[float], capacity: float
) -> None:
    """However much comes: never earlier, and never by more than what passes until the job's own target."""
    streams = passing(Newcomers(0.0, rate, tuple(costs)), capacity)
    later = delayed(ready, own, streams)
    window = max(0.0, own - STRETCH * START_ALONE_SECONDS)
    most = ready + window * sum(stream.share for stream in streams)
    assert ready <= later <= most * 1.000001
