"""Display matrices: what real phones write, what ffmpeg makes of odd ones, and what was made to hurt."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.matrices import MIRRORED, QUARTERS, Numbers, matrix
from workers.planning.rotation import Orientation, turn_of, turn_told


@pytest.mark.parametrize("clockwise", QUARTERS)
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("scale", [1, 0.5, 300])
def test_a_quarter_turn_may_be_mirrored(clockwise: int, *, mirrored: bool, scale: float) -> None:
    """Whatever the scale that some writers put into the matrix."""
    a, b, c, d = (MIRRORED if mirrored else QUARTERS)[clockwise]
    turn = turn_of(matrix((a * scale, b * scale, c * scale, d * scale)))
    assert turn == Orientation(-clockwise % 360, mirrored=mirrored)


@pytest.mark.parametrize(
    ("clockwise", "expected"),
    [(0.4, 0), (1, 0), (-1, 1), (2, 358), (45, 315), (89.6, 270), (89, 271), (-45, 45), (180.3, 180), (300, 60)],
)
def test_any_other_angle_is_one(clockwise: float, expected: int) -> None:
    """To whole degrees, as ffmpeg counts them; one degree is none."""
    angle = math.radians(clockwise)
    turned = (math.cos(angle), math.sin(angle), -math.sin(angle), math.cos(angle))
    assert turn_of(matrix(turned)) == Orientation(expected)


@pytest.mark.parametrize("numbers", [(0, 0, 0, 0), (1, 0, 0, 0), (0, 0, 1, 1), (0, 1, 0, 1)])
def test_a_matrix_without_an_angle_turns_nothing(numbers: Numbers) -> None:
    """A column of zeros has no direction."""
    assert turn_of(matrix(numbers)) == Orientation()


@given(st.tuples(*[st.integers(-(2**31), 2**31 - 1)] * 9))
def test_no_matrix_breaks_the_planner(numbers: tuple[int, ...]) -> None:
    """Any nine numbers are a turn."""
    turn = turn_of(numbers)
    assert 0 <= turn.rotation < 360


@pytest.mark.parametrize(
    "text", ["", "...", "\n00000000: 1 2\n", "\n00000000:  1  2  3\n" * 2, "\n00000000: a b c\n" * 3]
)
def test_what_is_no_matrix_turns_nothing(text: str) -> None:
    """A number of degrees alone does not say whether the picture is mirrored."""
    assert turn_told([{"displaymatrix": text, "rotation": -90}]) == Orientation()
