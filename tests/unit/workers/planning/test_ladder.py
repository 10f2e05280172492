"""The ladder: a table of real picture sizes, and what must hold for every size."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.plan import Rung
from workers.planning.ladder import MIN_SIDE, STANDARD_RUNGS, even, ladder

RATE = Fraction(30)
SIDES = st.integers(16, 8192)
STRIPS = st.integers(16, 40) | SIDES  # also those narrow enough to lose rungs


def sizes(rungs: tuple[Rung, ...]) -> str:
    """Return the ladder in a line, `1080p 1920x1080, ...`."""
    return ", ".join(f"{rung.name} {rung.width}x{rung.height}" for rung in rungs)


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (3840, 2160, "1080p 1920x1080, 720p 1280x720, 480p 854x480"),
        (1920, 1080, "1080p 1920x1080, 720p 1280x720, 480p 854x480"),
        (1080, 1920, "1080p 1080x1920, 720p 720x1280, 480p 480x854"),
        (1920, 800, "1080p 1920x800, 720p 1280x534, 480p 854x356"),
        (1440, 1080, "1080p 1440x1080, 720p 960x720, 480p 640x480"),
        (1080, 1440, "1080p 1080x1440, 720p 720x960, 480p 480x640"),
        (1080, 1080, "1080p 1080x1080, 720p 720x720, 480p 480x480"),
        (3026, 1386, "1080p 1920x880, 720p 1280x586, 480p 854x392"),
        (1900, 1068, "1068p 1900x1068, 720p 1280x720, 480p 854x480"),
        (1280, 720, "720p 1280x720, 480p 854x480"),
        (1270, 714, "714p 1270x714, 480p 854x480"),
        (800, 600, "600p 800x600, 480p 640x480"),
        (960, 540, "540p 960x540, 480p 854x480"),
        (854, 480, "480p 854x480"),
        (852, 480, "480p 852x480"),
        (848, 480, "480p 848x480"),
        (640, 360, "360p 640x360"),
        (320, 240, "240p 320x240"),
        (176, 144, "144p 176x144"),
        (161, 121, "120p 160x120"),
        (16, 16, "16p 16x16"),
        (1280, 16, "720p 1280x16"),
        (16, 1280, "720p 16x1280"),
        (1280, 24, "720p 1280x24, 480p 854x16"),
        (1600, 17, "900p 1600x16"),
        (4000, 20, "1080p 3200x16"),
        (8192, 16, "1080p 8192x16"),
    ],
)
def test_ladder_of_real_sizes(width: int, height: int, expected: str) -> None:
    """Each size gets the rungs that its viewers expect."""
    assert sizes(ladder(width, height, RATE)) == expected


@pytest.mark.parametrize(("rate", "maxrate"), [(10, 6_000_000), (30, 6_000_000), (50, 8_000_000), (60, 9_000_000)])
def test_caps_grow_with_the_frame_rate(rate: int, maxrate: int) -> None:
    """Above 30 frames a second the caps grow, by half at 60, and the buffer with them."""
    rung = ladder(1920, 1080, Fraction(rate))[0]
    assert (rung.maxrate, rung.bufsize) == (maxrate, 2 * maxrate)


@given(SIDES, SIDES)
def test_sides_are_even_and_never_larger_than_the_source(width: int, height: int) -> None:
    """4:2:0 wants even sides, and invented pixels are nobody's gain."""
    for rung in ladder(width, height, RATE):
        assert rung.width % 2 == rung.height % 2 == 0
        assert 2 <= rung.width <= width
        assert 2 <= rung.height <= height


@given(STRIPS, STRIPS)
def test_no_side_is_smaller_than_an_encoder_takes(width: int, height: int) -> None:
    """A ticker keeps its narrow side, and loses rungs instead."""
    assert all(min(rung.width, rung.height) >= MIN_SIDE for rung in ladder(width, height, RATE))


@given(SIDES, SIDES)
def test_rungs_are_sorted_and_their_names_unique(width: int, height: int) -> None:
    """The largest rung comes first, and no two are called the same."""
    rungs = ladder(width, height, RATE)
    areas = [rung.width * rung.height for rung in rungs]
    assert areas == sorted(areas, reverse=True)
    assert len({rung.name for rung in rungs}) == len(rungs) >= 1
    assert len(set(areas)) == len(areas)


@given(st.integers(100, 8192), st.fractions(Fraction(9, 21), Fraction(21, 9), max_denominator=100))
def test_shape_is_kept(width: int, shape: Fraction) -> None:
    """Rounding to even sizes bends a picture of usual shape by at most 2 %."""
    height = max(100, round(width / shape))
    for rung in ladder(width, height, RATE):
        assert Fraction(rung.width, rung.height) / Fraction(width, height) == pytest.approx(1, abs=0.02)


@given(SIDES, SIDES)
def test_the_top_rung_is_near_the_source_or_the_largest_standard(width: int, height: int) -> None:
    """Nobody loses more than 10 % of a side, apart from what is larger than 1080p."""
    top = ladder(width, height, RATE)[0]
    largest = STANDARD_RUNGS[0]
    assert top.name == largest.name or max(top.width, top.height) >= even(max(width, height) * Fraction(9, 10)) - 2
