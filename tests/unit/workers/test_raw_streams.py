"""Times for pictures that have none: counted, at the rate that the stream itself tells."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.raw_streams import FASTEST, UNSAID_RATE, counted, counting_rate

NTSC = Fraction(30_000, 1001)


@pytest.mark.parametrize(
    ("durations", "declared", "rate"),
    [
        (["0.040000"] * 50, Fraction(25), Fraction(25)),
        (["0.033367"] * 50, Fraction(0), NTSC),
        (["0.016683"] * 50, Fraction(60_000, 1001), Fraction(60_000, 1001)),
        (["0.041708"] * 50, Fraction(0), Fraction(24_000, 1001)),
        (["0.033367", "0.050050"] * 50, NTSC, Fraction(24_000, 1001)),
        (["0.100000"] * 50, Fraction(10), Fraction(10)),
        (["0.142857"] * 50, Fraction(7), Fraction(7)),
        (["N/A"] * 50, Fraction(50), Fraction(50)),
        (["N/A"] * 50, Fraction(0), UNSAID_RATE),
        (["0.000000"] * 50, Fraction(0), UNSAID_RATE),
        (["0.000001"] * 50, Fraction(0), UNSAID_RATE),
        (["0.040000"] * 49 + ["N/A"], Fraction(30), Fraction(30)),
    ],
)
def test_the_rate_is_told_by_lengths_or_declared(durations: list[str], declared: Fraction, rate: Fraction) -> None:
    """Exact where lengths are rounded; a telecined film has the rate of its pictures, not of its fields."""
    assert counting_rate(durations, declared) == rate


def test_pictures_of_a_raw_stream_are_counted() -> None:
    """Whatever times its demuxer made up, and the marks of packets stay."""
    packets = [["N/A", "N/A", "0.040000", "K_"], ["0.9", "0.000001", "0.040000", "__"]]
    found, rate = counted(packets, Fraction(25), raw=True)
    assert rate == 25
    assert found == [["0.000000", "0.000000", "0.040000", "K_"], ["0.040000", "0.040000", "0.040000", "__"]]


def test_times_of_a_container_are_left_as_they_are() -> None:
    """Also where there are none, and of an empty stream."""
    packets = [["N/A", "N/A", "0.040000", "K_"]]
    assert counted(packets, Fraction(25), raw=False) == (packets, None)
    assert counted([], Fraction(25), raw=True) == ([], None)


@given(
    st.lists(st.one_of(st.just("N/A"), st.floats(0, 1e9).map(lambda length: f"{length:.6f}")), max_size=50),
    st.one_of(st.just(Fraction(0)), st.fractions(Fraction(1, 1000), 10**6)),
)
def test_any_lengths_give_a_rate(durations: list[str], declared: Fraction) -> None:
    """A rate above 0 that encoders take as a number."""
    rate = counting_rate(durations, declared)
    assert 0 < rate <= FASTEST
