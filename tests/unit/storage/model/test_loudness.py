"""How much louder sound is made for a wanted loudness."""

from __future__ import annotations

import pytest

from storage.model.loudness import HIGHEST_PEAK, Gain, Loudness, gain_to


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (Loudness(-30.0, 5.0, -20.0), Gain(7.0, limited=False)),
        (Loudness(-12.5, 5.0, 0.3), Gain(-10.5, limited=False)),
        (Loudness(-30.0, 20.0, -3.0), Gain(2.0, limited=True)),
        (Loudness(-24.0, 20.0, -2.0), Gain(1.0, limited=False)),
        (Loudness(-23.0, 20.0, 2.0), Gain(-3.0, limited=True)),
        (Loudness(None, 0.0, None), Gain(0.0, limited=False)),
    ],
)
def test_sound_is_brought_to_a_loudness_as_far_as_peaks_allow(measured: Loudness, expected: Gain) -> None:
    """Silence stays what it is."""
    assert gain_to(-23, measured) == expected
    if measured.true_peak is not None:
        assert measured.true_peak + expected.decibels <= HIGHEST_PEAK
