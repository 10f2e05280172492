"""What is right for each file of ../shared/field: its README as a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from tests.field.looks import (
    Made,
    as_round_as_it_was,
    changes_at_three_seconds,
    flat_or_told,
    no_combs,
    right_or_silent,
    said_truly,
    same_in_both_ears,
    sides_of_a_block,
    turned_canvas,
)
from tests.support.coded_truth import Beep, Truth

NONE = "none"  # no warning at all
SOME = "some"  # any warning; which code it gets is the builder's choice
ANY = "any"  # warnings are not looked at

Also = Callable[[Made], list[str]]


@dataclass(frozen=True)
class Right:
    """What a file has to become: a `truth`, or a refusal by one of these codes, or the one or the other.

    `warning` is NONE, SOME, ANY or a code; `told` are numbers that have to stand in one warning. `also` are looks at
    what no truth says.
    """

    truth: Truth | None = None
    refused: frozenset[str] = frozenset()
    warning: str = ANY
    told: tuple[float, ...] = ()
    also: tuple[Also, ...] = ()


def run(first: int, count: int, rate: Fraction | int, start: float = 0.0) -> tuple[tuple[float, int], ...]:
    """Return (time, number) of pictures that follow each other at a rate."""
    return tuple((start + float(n / Fraction(rate)), first + n) for n in range(count))


def beeps(*seconds: int, start: float = 0.0, every: float = 1.0) -> tuple[Beep, ...]:
    """Return beeps of these seconds, whose second 0 is at `start`."""
    return tuple(Beep(start + k * every, k) for k in seconds)


def still(seconds: float, rate: int = 25) -> Truth:
    """Return the truth of a clip without numbers."""
    return Truth(shown=(), ends=(seconds, 0.0), rate=Fraction(rate))


RIGHT: dict[str, Right] = {
    "sound_outlasts_picture.mkv": Right(
        Truth(run(0, 75, 25, 0.021), beeps(*range(9), start=0.021), (3.021, 9.021), Fraction(25), run_in=0.021),
        warning=NONE,
    ),
    "still_screen_70s.mp4": Right(
        Truth((*run(0, 60, 30), *run(60, 60, 30, 72.0)), beeps(*range(74)), (74.0, 74.0)), warning=NONE
    ),
    "joined.ts": Right(
        Truth(
            (*run(0, 100, 25, 0.021), *run(500, 100, 25, 4.021)),
            (*beeps(0, 1, 2, 3, start=0.021), *beeps(20, 21, 22, 23, start=4.021 - 20)),
            (8.021, 8.021),
            Fraction(25),
            run_in=0.021,
        )
    ),
    "cut_index_first.mp4": Right(
        Truth(run(0, 150, 25), beeps(*range(6)), (6.0, 6.0), Fraction(25), may_miss=2), warning=SOME, told=(6.0, 20.0)
    ),
    "pcm_24_in_mp4.mp4": Right(Truth(run(0, 100, 25), (), (4.0, 4.0), Fraction(25)), also=(right_or_silent,)),
    "sound_first.mp4": Right(Truth(run(0, 100, 25, 3.0), beeps(*range(7)), (7.0, 7.0), Fraction(25)), warning=NONE),
    "sound_comes_late.ts": Right(
        Truth(run(0, 400, 25), beeps(12, 13, 14, 15), (16.0, 16.0), Fraction(25)), warning=NONE
    ),
    "turned_in_mid.webm": Right(still(4.0), warning=SOME, also=(as_round_as_it_was, turned_canvas)),
    "interlaced_720_then_544.ts": Right(still(6.0), also=(as_round_as_it_was, changes_at_three_seconds)),
    "fields_come_later.ts": Right(still(6.0), also=(no_combs,)),
    "jitter_30fps_8ms.webm": Right(Truth(run(0, 240, 30), (), (8.0, 0.0), Fraction(30), jitters=True), warning=NONE),
    "radio_then_tv.ts": Right(
        Truth(run(0, 100, 25, 0.010), beeps(0, 1, 2, 3), (4.010, 4.008), Fraction(25), run_in=0.010)
    ),
    "cropped_by_container.mkv": Right(still(4.0), warning=NONE, also=(as_round_as_it_was,)),
    "turned_by_sei.mp4": Right(still(4.0), warning=NONE, also=(as_round_as_it_was,)),
    "two_mono_mixes.mkv": Right(still(3.0), also=(same_in_both_ears,)),
    "sound_drifts.mp4": Right(Truth(run(0, 505, 25), beeps(*range(20), every=1.01), (20.2, 20.2), Fraction(25))),
    "encrypted_cenc.mp4": Right(refused=frozenset({"encrypted"})),
    "photo.avif": Right(refused=frozenset({"picture_only"})),
    "animated.webp": Right(also=(said_truly,)),
    "spherical.mp4": Right(still(4.8), also=(flat_or_told,)),
    "banner_1280x16.mp4": Right(still(3.0), also=(sides_of_a_block,)),
}
