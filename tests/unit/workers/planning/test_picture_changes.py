"""From looks at pictures to the canvas, the shapes and the warnings."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.plan import Colour, Shape
from tests.unit.workers.planning.test_make_plan import probed, video
from workers.planning.make_plan import choose_video
from workers.planning.picture_changes import MAX_SHAPES, Seen, seen
from workers.planning.picture_facts import Look

SD = Colour("smpte170m", "bt709", "bt709", full=False)
OLD, NEW = Fraction(16, 15), Fraction(64, 45)
WIDE, TALL, LARGE = Look(0.0, 320, 180), Look(0.0, 180, 320), Look(0.0, 1280, 720)


def at(seconds: float, look: Look) -> Look:
    """Return the look at another time."""
    return replace(look, time=seconds)


def told(*looks: Look, end: float = 10.0) -> Seen:
    """Return what looks tell of a stream whose header says 320 x 180."""
    return seen(choose_video(probed(video(width=320, height=180))), looks, start=0.0, end=end)


@pytest.mark.parametrize(
    ("looks", "canvas"),
    [
        ((), (320, 180)),
        ((at(0, WIDE),), (320, 180)),
        ((at(0, LARGE),), (1280, 720)),
        ((at(0, WIDE), at(4, LARGE)), (1280, 720)),
        ((at(0, WIDE), at(4, LARGE), at(4.9, WIDE)), (320, 180)),
        ((at(0, WIDE), at(4, LARGE), at(4.6, WIDE), at(6, LARGE), at(6.6, WIDE)), (1280, 720)),
        ((at(0, WIDE), at(4, TALL)), (180, 320)),
        ((at(0, WIDE), at(6, TALL)), (320, 180)),
    ],
    ids=["header", "as header", "header lies", "grows", "a moment", "two moments", "mostly tall", "mostly wide"],
)
def test_the_canvas_is_the_largest_picture_that_lasts(looks: tuple[Look, ...], canvas: tuple[int, int]) -> None:
    """In square pixels; of equal ones the one that lasts longest; the header's size without looks."""
    found = told(*looks).video
    assert (found.width, found.height) == canvas


def test_pixels_of_another_shape_make_a_larger_picture() -> None:
    """4:3 to 16:9 of the same 720 x 576: the canvas is the wide one, the change stands at its time."""
    found = told(Look(0.0, 720, 576, OLD), Look(2.0, 720, 576, OLD), Look(4.0, 720, 576, NEW))
    assert found.video.pixel_aspect == NEW
    assert found.shapes == (Shape(0.0, 720, 576, 16, 15, SD), Shape(4.0, 720, 576, 64, 45, SD))
    (warning,) = found.warnings
    assert warning.message == (
        "The picture changes its shape, first at 4 s from 768 x 576 to 1024 x 576; each part keeps its own."
    )


def test_sizes_that_show_alike_are_told_as_coded() -> None:
    """720 and 544 columns of the same shown width."""
    found = told(Look(0.0, 720, 576, OLD), Look(4.0, 544, 576, Fraction(24, 17)))
    assert "from 720 x 576 to 544 x 576" in found.warnings[0].message
    assert found.video.width == 720


@pytest.mark.parametrize(("top", "order"), [(True, "tt"), (False, "bb")])
def test_fields_anywhere_are_fields(*, top: bool, order: str) -> None:
    """Though the header, or the first pictures, know of none."""
    found = told(WIDE, replace(at(4, WIDE), interlaced=True, top_first=top))
    assert found.video.field_order == order
    assert [warning.code for warning in found.warnings] == ["fields_change"]
    assert found.shapes == ()


def test_colours_that_change_are_timed() -> None:
    """What the header says counts until a picture says otherwise than the first one did."""
    sdr, hdr = replace(LARGE, matrix="bt709"), replace(at(4, LARGE), matrix="bt2020nc", transfer="smpte2084")
    found = told(sdr, hdr)
    assert [(shape.since, shape.colour.transfer) for shape in found.shapes] == [(0.0, "bt709"), (4.0, "smpte2084")]
    assert [warning.code for warning in found.warnings] == ["colour_changes"]


def test_another_format_of_pixels_is_told() -> None:
    """Though nothing else follows from it."""
    found = told(replace(WIDE, pixel_format="yuv420p"), replace(at(4, WIDE), pixel_format="yuv422p10le"))
    assert [warning.code for warning in found.warnings] == ["pixels_change"]
    assert found.shapes == ()


def test_one_encoder_keeps_its_colours_while_it_grows() -> None:
    """Without tags, 720 lines are no reason to take another matrix than 180 had."""
    found = told(WIDE, at(4, LARGE))
    assert {shape.colour for shape in found.shapes} == {found.colour} == {SD}


def test_looks_without_a_time_stand_where_they_lie() -> None:
    """DVD keeps no times of most keyframes."""
    found = told(WIDE, replace(WIDE, time=None), replace(LARGE, time=None), replace(LARGE, time=None), end=8.0)
    assert [shape.since for shape in found.shapes] == [0.0, 4.0]


LOOKS = st.lists(
    st.builds(
        Look,
        time=st.none() | st.floats(-1e12, 1e12),
        width=st.integers(1, 999_999_999),
        height=st.integers(1, 999_999_999),
        aspect=st.fractions(Fraction(1, 10**9), 10**9),
        interlaced=st.booleans(),
    ),
    max_size=60,
)


@given(LOOKS, st.floats(-1e9, 1e9))
def test_hostile_looks_make_a_bounded_plan(looks: list[Look], end: float) -> None:
    """Whatever is decoded: few shapes, sizes that were seen, and sentences."""
    found = told(*looks, end=end)
    assert len(found.shapes) <= MAX_SHAPES
    assert all(len(warning.message) < 300 for warning in found.warnings)
    if looks:
        assert (found.video.width, found.video.height) in {(look.width, look.height) for look in looks}
