"""The comparison with the truth sees each kind of fault, and nothing where all is right."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from tests.support.coded import Heard
from tests.support.coded_truth import Beep, Came, Truth, unlike

RATE = Fraction(25)
TRUTH = Truth(
    shown=tuple((n / 25, n) for n in range(100)),
    beeps=tuple(Beep(float(k), k) for k in range(4)),
    ends=(4.0, 4.0),
    rate=RATE,
)
RIGHT = Came(
    times=[n / 25 for n in range(100)],
    numbers=list(range(100)),
    beeps=[Heard(k + 0.01, k, 0.09) for k in range(4)],
    rate=RATE,
    sound_seconds=4.0,
)


def test_what_is_right_is_not_unlike() -> None:
    """Nothing is told of it."""
    assert unlike(RIGHT, TRUTH) == []


def cut(came: Came, frames: int) -> Came:
    """Return only the first frames and no more sound than that."""
    seconds = frames / 25
    assert came.beeps is not None
    heard = [beep for beep in came.beeps if beep.at < seconds]
    return replace(came, times=came.times[:frames], numbers=came.numbers[:frames], beeps=heard, sound_seconds=seconds)


FAULTS = {
    "end lost": (cut(RIGHT, 75), ["3.00 s instead of 4.00 s", "25 of 100 pictures lost", "1 beeps missing: 3"]),
    "late": (replace(RIGHT, numbers=[0, 0, *range(98)]), ["wrong pictures: 0 at 0.08"]),
    "one lost": (replace(RIGHT, numbers=[*range(50), 51, *range(51, 100)]), ["1 of 100 pictures lost: 50"]),
    "one twice": (replace(RIGHT, numbers=[*range(51), *range(50, 99)]), ["lost: 99", "repeated: 50 2 times"]),
    "another rate": (replace(RIGHT, rate=Fraction(30)), ["30.000 pictures a second instead of 25.000"]),
    "silent": (replace(RIGHT, beeps=None), ["no sound"]),
    "sound late": (replace(RIGHT, beeps=[Heard(k + 0.07, k, 0.09) for k in range(4)]), ["4 beeps off: 0 by +70 ms"]),
    "noise": (replace(RIGHT, beeps=[Heard(0, 150, 4.0)]), ["4 beeps missing", "1 beeps too many: 150"]),
    "begins late": (replace(RIGHT, times=[1 + n / 25 for n in range(100)]), ["begins at 1.000 s"]),
    "nothing": (replace(RIGHT, times=[], numbers=[]), ["no pictures"]),
    "long silence": (replace(RIGHT, sound_seconds=9.0), ["sound of 9.00 s beside pictures of 4.00 s"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_seen(fault: str) -> None:
    """It is told in words that say where."""
    came, words = FAULTS[fault]
    told = "; ".join(unlike(came, TRUTH))
    assert all(word in told for word in words), told


def test_a_picture_stands_through_a_pause_and_before_it_came() -> None:
    """The first picture stands from the beginning, another one through a pause, and neither counts as repeated."""
    truth = replace(TRUTH, shown=((0.4, 0), (0.44, 1), (2.0, 2), *(((n + 50) / 25, n + 2) for n in range(1, 50))))
    numbers = [*[0] * 11, *[1] * 39, *range(2, 52)]
    assert unlike(replace(RIGHT, numbers=numbers), truth) == []
    assert "wrong pictures" in "; ".join(unlike(RIGHT, truth))


def test_jitter_may_cost_few_pictures_only() -> None:
    """Two of a hundred may be lost or stand twice, not ten."""
    truth = replace(TRUTH, jitters=True)
    few = [*range(10), 11, 11, *range(12, 100)]
    many = [n - n % 2 if n < 20 else n for n in range(100)]
    assert unlike(replace(RIGHT, numbers=few), truth) == []
    assert "lost" in "; ".join(unlike(replace(RIGHT, numbers=many), truth))


def test_a_run_in_need_not_be_kept() -> None:
    """The timeline may begin with the picture where sound began 21 ms earlier, and both are 21 ms earlier then."""
    truth = replace(
        TRUTH,
        shown=tuple((at + 0.021, number) for at, number in TRUTH.shown),
        beeps=tuple(replace(beep, at=beep.at + 0.07) for beep in TRUTH.beeps),
        ends=(4.021, 4.07),
        run_in=0.021,
    )
    assert unlike(RIGHT, truth) == []
