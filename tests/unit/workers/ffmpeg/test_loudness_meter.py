"""What ffmpeg's meter of loudness wrote."""

from __future__ import annotations

import pytest

from storage.model.loudness import Loudness
from workers.ffmpeg.loudness_meter import parse_loudness

BLOCK = """frame:{n}    pts:{n}00      pts_time:{n}
lavfi.r128.M=-19.000
lavfi.r128.S=-19.500
lavfi.r128.I={integrated}
lavfi.r128.LRA={range}
lavfi.r128.LRA.low=-30.000
lavfi.r128.LRA.high=-20.000
lavfi.r128.true_peaks_ch0=0.100
lavfi.r128.true_peaks_ch1=0.200
lavfi.r128.true_peak={peak}
"""


def block(n: int, integrated: str, range: str, peak: str) -> str:  # noqa: A002 - the field's term
    """Return what is written of one moment."""
    return BLOCK.format(n=n, integrated=integrated, range=range, peak=peak)


def test_the_last_values_count() -> None:
    """The file is read from somewhere in its middle."""
    text = block(7, "-20.000", "1.000", "0.100") + block(8, "-18.257", "4.100", "0.891")
    assert parse_loudness(text[40:]) == Loudness(-18.26, 4.1, -1.0)


def test_silence_has_no_loudness() -> None:
    """The meter says where its gate is."""
    assert parse_loudness(block(1, "-70.000", "0.000", "0.000")) == Loudness(None, 0.0, None)


@pytest.mark.parametrize("text", ["", "nothing", block(1, "nan", "0.000", "0.1"), block(1, "-1e9", "inf", "0.1")])
def test_what_is_no_measurement_is_none(text: str) -> None:
    """Whoever took ffmpeg over writes what they like."""
    assert parse_loudness(text) is None
