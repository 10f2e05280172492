"""How long a body may take: a form as long as its deadline, an upload as long as it brings its least rate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import RequestTooSlowError, UploadTooSlowError
from web.http.pace import FormPace, UploadPace

LEAST, WINDOW = 1000, 60.0


def upload_seconds(pieces: list[tuple[float, int]]) -> float | None:
    """Return after how many seconds of waiting an upload of these pieces is too slow, None if it never is."""
    pace, passed = UploadPace(LEAST, WINDOW), 0.0
    for waited, count in pieces:
        passed += waited
        try:
            pace.came(waited, count)
        except UploadTooSlowError:
            return passed
    return None


@pytest.mark.parametrize(("pause", "count"), [(1.0, 1), (15.0, 1), (59.0, 1), (0.25, 200)])
def test_a_trickle_ends_after_a_window(pause: float, count: int) -> None:
    """A byte now and then, or a fifth less than the rate."""
    ended = upload_seconds([(pause, count)] * 1000)
    assert ended is not None
    assert WINDOW <= ended <= WINDOW * 1.1 + 2 * pause


@pytest.mark.parametrize(
    "pieces",
    [
        [(0.1, 110)] * 6000,
        [(0.1, 10_000)] * 60 + [(50.0, 10_000), *[(0.1, 10_000)] * 60] * 5,  # a tunnel of 50 s every minute
        [(0.0, 8_000_000), (40.0, 1), *[(0.1, 5000)] * 200],
        [(0.0, 1)] * 100_000,  # who never lets us wait is not slow
    ],
)
def test_who_brings_the_rate_goes_on(pieces: list[tuple[float, int]]) -> None:
    """Steadily, or with pauses that the rest makes up for."""
    assert upload_seconds(pieces) is None


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 5000)), min_size=1, max_size=400))
def test_nobody_is_ended_within_the_rate(pieces: list[tuple[float, int]]) -> None:
    """Whoever is ended brought less than the rate over the last window, and a slice of it."""
    ended = upload_seconds(pieces)
    if ended is not None:
        passed, recent = 0.0, 0
        for waited, count in pieces:
            passed += waited
            if ended - WINDOW < passed <= ended:
                recent += count
            if passed > ended:
                break
        assert recent < LEAST * WINDOW


def test_a_form_has_a_deadline_whatever_comes() -> None:
    """Bytes give no more time, and silence is told as slowness."""
    pace = FormPace(15.0)
    pace.came(14.0, 1)
    assert pace.patience() == pytest.approx(1.0)
    assert isinstance(pace.silent(), RequestTooSlowError)
    with pytest.raises(RequestTooSlowError):
        pace.came(1.5, 1)
