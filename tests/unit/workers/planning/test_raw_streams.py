"""Times for pictures that have none: counted, at the rate that the stream itself tells."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.listings import plain
from workers.planning.facts import parse_probe
from workers.planning.packets import Listing, Packets
from workers.planning.raw_streams import FASTEST, UNSAID_RATE, counting_rate

NTSC = Fraction(30_000, 1001)
(STREAM,) = parse_probe({"streams": [{"index": 0}]}).streams
RAW = replace(STREAM, raw=True)


def seconds(durations: list[str]) -> list[float]:
    """Return lengths as packets have them."""
    return [math.nan if text == "N/A" else float(text) for text in durations]


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
    assert counting_rate(seconds(durations), declared) == rate


def test_pictures_of_a_raw_stream_are_counted() -> None:
    """Whatever times its demuxer made up; the marks of packets stay."""
    stream = replace(RAW, average_rate=Fraction(25))
    found = Listing.of("0|N/A|N/A|0.040000|N/A|K_\n0|0.9|0.000001|0.040000|N/A|__\n").pictures(stream)
    assert plain(found) == Packets((0, 1), (0.0, 0.04), (0.04, 0.04), (0.0, 0.04), (0.0,), (0.0,), Fraction(25))


def test_a_raw_stream_may_be_empty() -> None:
    """Nothing is counted then."""
    assert plain(Listing.of("").pictures(RAW)) == Packets()


@given(
    st.lists(st.one_of(st.just("N/A"), st.floats(0, 1e9).map(lambda length: f"{length:.6f}")), max_size=50),
    st.one_of(st.just(Fraction(0)), st.fractions(Fraction(1, 1000), 10**6)),
)
def test_any_lengths_give_a_rate(durations: list[str], declared: Fraction) -> None:
    """A rate above 0 that encoders take as a number."""
    rate = counting_rate(seconds(durations), declared)
    assert 0 < rate <= FASTEST
