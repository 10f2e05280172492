"""What bits tell of the cost of pictures: learned from jobs, and careful with few of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.scheduling.density import FIRST_POWER, MOST_POWER, MOST_UNUSUAL, BitDensity, fit_density

AMOUNTS = st.floats(1e-3, 1e9)


def test_nothing_is_known_of_no_job() -> None:
    """Every picture takes as long as any other."""
    assert fit_density([], []) == BitDensity()
    assert BitDensity().slowdown(1e6) == 1.0


def test_one_job_tells_what_is_usual_and_no_more() -> None:
    """More bits than its own cost more by what all kinds of videos had in common."""
    content = fit_density([2e5], [1.5])
    assert (content.usual, content.power) == pytest.approx((2e5, FIRST_POWER))
    assert content.slowdown(2e5) == pytest.approx(1.0)
    assert content.slowdown(4e5) == pytest.approx(2**FIRST_POWER)


def test_many_jobs_tell_how_much_longer_more_bits_take() -> None:
    """Where twice the bits took 1.5 times as long for a hundred jobs, it is expected of the next one."""
    content = fit_density([1e5, 2e5] * 50, [1.0, 1.5] * 50)
    assert content.slowdown(2e5) / content.slowdown(1e5) == pytest.approx(1.5, rel=0.01)


def test_jobs_that_took_less_for_more_bits_are_not_believed_to_the_end() -> None:
    """Bits that say nothing, as of screens sent without compression, change nothing."""
    assert fit_density([1e5, 4e5] * 50, [3.0, 1.0] * 50).power == 0.0
    assert fit_density([1e5, 2e5] * 50, [1.0, 9.0] * 50).power == MOST_POWER


@given(jobs=st.lists(st.tuples(AMOUNTS, AMOUNTS), max_size=30), density=st.floats(0, 1e12))
def test_no_job_is_expected_to_take_beyond_what_others_took(jobs: list[tuple[float, float]], density: float) -> None:
    """However unusual, and whatever was learned."""
    content = fit_density([bytes_ for bytes_, _ in jobs], [pace for _, pace in jobs])
    assert 1 / MOST_UNUSUAL <= content.slowdown(density) <= MOST_UNUSUAL
