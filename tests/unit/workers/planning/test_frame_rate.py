"""The output frame rate from the figures of real sources, and what must hold for every source."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.planning.frame_rate import MAX_RATE, MIN_RATE, SNAP, STANDARD_RATES, output_rate, source_rate

FILM = Fraction(24_000, 1001)
TELEVISION = Fraction(30_000, 1001)
DOUBLE = Fraction(60_000, 1001)
PAUSE = 5.0


def constant(rate: Fraction | int, frames: int = 120, digits: int = 6) -> list[float]:
    """Return the times of a constant source, rounded as its container rounds them."""
    return [round(float(n / Fraction(rate)), digits) for n in range(frames)]


def from_steps(*steps: float) -> list[float]:
    """Return times that lie so many seconds apart."""
    times = [0.0]
    for step in steps:
        times.append(round(times[-1] + step, 6))
    return times


# A phone in the dusk: 15.26 frames a second in the mean, steps from 33 ms to 100 ms, most near 66 ms.
PHONE = from_steps(*([0.066, 0.067, 0.066, 0.033, 0.066, 0.1] * 20))
# A screen recorder writes 30 frames a second while something moves and nothing while nothing does.
SCREEN = from_steps(*([1 / 30] * 60 + [PAUSE] + [1 / 30] * 60 + [2 * PAUSE] + [1 / 30] * 30))
FIELDS = [n / 50 for n in range(100)]


@pytest.mark.parametrize(
    ("times", "declared", "interlaced", "expected"),
    [
        pytest.param(constant(24), Fraction(24), False, Fraction(24), id="film"),
        pytest.param(constant(25), Fraction(25), False, Fraction(25), id="PAL"),
        pytest.param(constant(FILM), FILM, False, FILM, id="23.976"),
        pytest.param(constant(TELEVISION), TELEVISION, False, TELEVISION, id="29.97"),
        pytest.param(constant(DOUBLE), DOUBLE, False, DOUBLE, id="59.94"),
        pytest.param(constant(24, digits=3), Fraction(24), False, Fraction(24), id="24 in steps of 41 and 42 ms"),
        pytest.param(constant(60, digits=3), Fraction(60), False, Fraction(60), id="60 in steps of 16 and 17 ms"),
        pytest.param(constant(DOUBLE, digits=3), Fraction(0), False, DOUBLE, id="59.94 undeclared, whole ms"),
        pytest.param(constant(TELEVISION), Fraction(0), False, TELEVISION, id="declared 0/0"),
        pytest.param(constant(TELEVISION), Fraction(90_000), False, TELEVISION, id="declared clock instead of rate"),
        pytest.param(constant(10), Fraction(10), False, Fraction(10), id="surveillance"),
        pytest.param(PHONE, Fraction(1526, 100), False, Fraction(15), id="phone, variable"),
        pytest.param(constant(Fraction(2987, 100)), Fraction(2987, 100), False, TELEVISION, id="phone, 29.87"),
        pytest.param(SCREEN, Fraction(722, 100), False, Fraction(30), id="screen recording with pauses"),
        pytest.param(FIELDS, Fraction(25), True, Fraction(25), id="1080i50 coded as fields"),
        pytest.param(FIELDS, Fraction(0), True, Fraction(50), id="fields, nothing declared"),
        pytest.param([0.0], Fraction(25), False, Fraction(25), id="single frame"),
        pytest.param([0.0], Fraction(0), False, Fraction(25), id="single frame, nothing declared"),
        pytest.param([7.0, 7.0, 7.0], Fraction(0), False, Fraction(25), id="all at the same time"),
        pytest.param(constant(120), Fraction(120), False, Fraction(60), id="slow motion"),
        pytest.param(constant(Fraction(1, 10)), Fraction(1, 10), False, Fraction(1), id="one picture in 10 s"),
        pytest.param([0.0, 1e12], Fraction(0), False, Fraction(1), id="a lie of 30,000 years"),
        pytest.param([0.0, 1e-6], Fraction(0), False, Fraction(60), id="a million frames a second"),
        pytest.param(constant(Fraction(5, 2)), Fraction(5, 2), False, Fraction(5, 2), id="slow, keeps its own"),
        pytest.param(constant(18), Fraction(18), False, Fraction(20), id="between two, the next above"),
    ],
)
def test_rate_of_real_sources(
    *, times: Sequence[float], declared: Fraction, interlaced: bool, expected: Fraction
) -> None:
    """Each kind of source gets the rate that a person would have chosen."""
    assert output_rate(source_rate(times, declared, interlaced=interlaced)) == expected


TIMES = st.lists(st.integers(0, 10**13), min_size=1, max_size=60).map(lambda us: sorted(t / 10**6 for t in us))
RATES = st.fractions(min_value=0, max_value=10**6, max_denominator=10**6)


@given(times=TIMES, declared=RATES, interlaced=st.booleans())
def test_every_source_gets_a_rate_that_players_take(
    *, times: list[float], declared: Fraction, interlaced: bool
) -> None:
    """Whatever the timestamps and the header say, the rate lies between 1 and 60."""
    rate = output_rate(source_rate(times, declared, interlaced=interlaced))
    assert MIN_RATE <= rate <= MAX_RATE


@given(st.sampled_from(STANDARD_RATES), st.integers(2, 300))
def test_standard_rates_are_kept_exactly(rate: Fraction, frames: int) -> None:
    """A constant source at a standard rate that says so is not changed by a hair."""
    assert output_rate(source_rate(constant(rate, frames), rate, interlaced=False)) == rate


@given(RATES.filter(bool))
def test_no_moving_frame_is_dropped_below_sixty(rate: Fraction) -> None:
    """The output is at least as fast as the source, apart from snapping and the limit."""
    assert output_rate(rate) >= min(rate, MAX_RATE) * Fraction(1 - SNAP) - Fraction(1, 100)
