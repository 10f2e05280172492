"""The reader of coded clips: it finds numbers on any canvas, and beeps with their pitch and time."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.coded import BLACK, Planes, beeps_in, coded_pictures, coded_sound, discs_in, numbers_in, places_in

NUMBERS = [0, 1, 2, 63, 64, 1000, 2048, 4094, 4095]
RATE = 48_000


def on_canvas(pictures: Planes, width: int, height: int, left: int, top: int) -> Planes:
    """Return the pictures on a black canvas."""
    canvas = np.full((len(pictures), height, width), BLACK, np.uint8)
    canvas[:, top : top + pictures.shape[1], left : left + pictures.shape[2]] = pictures
    return canvas


@pytest.mark.parametrize(("width", "height"), [(320, 180), (160, 90), (96, 160), (720, 576)])
def test_numbers_are_read_as_they_were_written(width: int, height: int) -> None:
    """Every bit is found, in lying and standing pictures."""
    assert numbers_in(coded_pictures(NUMBERS, width, height)).tolist() == NUMBERS


@pytest.mark.parametrize(("left", "top"), [(0, 0), (110, 0), (0, 40), (70, 25)])
def test_numbers_are_found_on_a_canvas(left: int, top: int) -> None:
    """Bars beside, above and all around do not hide the code."""
    pictures = coded_pictures(NUMBERS, 180, 102)
    canvas = on_canvas(pictures, 180 + 2 * left, 102 + 2 * top, left, top)
    assert numbers_in(canvas, framed=True).tolist() == NUMBERS
    wanted = np.array([left, top, left + 180, top + 102])
    assert np.abs(places_in(canvas) - wanted).max() <= 1


def test_an_empty_picture_has_no_number() -> None:
    """Black is not picture 0 where the code is looked for."""
    assert numbers_in(np.full((2, 90, 160), BLACK, np.uint8), framed=True).tolist() == [-1, -1]


def test_a_disc_that_is_squeezed_is_not_round() -> None:
    """Its width and height are told apart."""
    pictures = coded_pictures([0], 320, 180)
    assert discs_in(pictures).tolist() == [[90, 90]]
    assert discs_in(pictures[:, :, ::2]).tolist() == [[45, 90]]


def test_beeps_are_heard_where_they_are() -> None:
    """Time and second of each beep, of a part of a clip as well."""
    heard = beeps_in(coded_sound(4.5, RATE, first=70), RATE)
    assert [beep.k for beep in heard] == [70, 71, 72, 73, 74]
    assert [beep.at for beep in heard] == pytest.approx([0, 1, 2, 3, 4], abs=0.002)
    assert [beep.seconds for beep in heard] == pytest.approx([0.09] * 5, abs=0.002)


def test_silence_has_no_beep() -> None:
    """Nothing is heard in nothing, nor in what a codec leaves of it."""
    assert beeps_in(np.zeros(0, np.float32), RATE) == []
    assert beeps_in(np.full(RATE, 0.01, np.float32), RATE) == []
