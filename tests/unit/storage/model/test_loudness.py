"""How much louder sound is made for a wanted loudness."""

from __future__ import annotations

import pytest

from storage.model.loudness import HIGHEST_PEAK, Loudness, Measured, gain_to, lacks


@pytest.mark.parametrize(
    ("measured", "gain", "lacking"),
    [
        (Loudness(-30.0, 5.0, -20.0), 7.0, 0.0),
        (Loudness(-12.5, 5.0, 0.3), -10.5, 0.0),
        (Loudness(-30.0, 20.0, -3.0), 2.0, 5.0),
        (Loudness(-24.0, 20.0, -2.0), 1.0, 0.0),
        (Loudness(-23.0, 20.0, 2.0), -3.0, 3.0),
        (Loudness(None, 0.0, None), 0.0, 0.0),
    ],
)
def test_sound_is_brought_to_a_loudness_as_far_as_peaks_allow(measured: Loudness, gain: float, lacking: float) -> None:
    """Silence stays what it is."""
    assert gain_to(-23, measured) == gain
    assert lacks(-23, Measured("audio", measured, gain)) == lacking
    assert measured.true_peak is None or measured.true_peak + gain <= HIGHEST_PEAK
