"""Clocks that jump: parts are joined in the order of the file, pauses stay, stray packets are left out."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.planning.clock_jumps import Clock, clock_of, head_steps
from workers.planning.clock_runs import ABSURD_SECONDS, GAP_SECONDS, typical_step
from workers.planning.packets import Packets

DAY = 24 * 3600.0
STEP = 0.04
NO_SOUND = Packets()


def run(start: float, frames: int, step: float = STEP) -> list[float]:
    """Return the times of so many pictures."""
    return [start + step * number for number in range(frames)]


def packets(*times: float, length: float = STEP, places: list[int] | None = None) -> Packets:
    """Return packets of these times, in their order."""
    numbers = tuple(range(len(times))) if places is None else tuple(places)
    return Packets(numbers, times, (length,) * len(times), times)


def together(*parts: tuple[list[float], list[float]]) -> tuple[Packets, Packets]:
    """Return pictures and sound of a file whose parts follow each other, each with its pictures and sound."""
    pictures: list[tuple[int, float]] = []
    sound: list[tuple[int, float]] = []
    place = 0
    for shown, heard in parts:
        for time, track in sorted(
            [*((time, pictures) for time in shown), *((time, sound) for time in heard)], key=first
        ):
            track.append((place, time))
            place += 1
    return _packets(pictures), _packets(sound)


def _packets(track: list[tuple[int, float]]) -> Packets:
    return packets(*(time for _, time in track), places=[place for place, _ in track])


def first(pair: tuple[float, object]) -> float:
    """Return what such pairs are sorted by."""
    return pair[0]


def shown(clock: Clock) -> list[float]:
    """Return the pictures' times on the joined clock."""
    return list(clock.shown.begins)


@pytest.mark.parametrize(
    "times",
    [
        [],
        [1.0],
        run(70_000, 100),
        [*run(0, 100), *run(40, 100)],
        [*run(0, 100), *run(7000, 100)],
        run(0, 30, step=300.0),
        [0.0, 0.12, 0.04, 0.08, 0.24, 0.16, 0.2],
    ],
    ids=["none", "one", "late", "pause", "pause of two hours", "slides", "reordered"],
)
def test_a_steady_clock_has_no_pieces(times: list[float]) -> None:
    """Whatever a player would show as it is stays as it is."""
    clock = clock_of(packets(*times), NO_SOUND, delay=2)
    assert (clock.pictures, clock.sound, clock.jumps) == ((), (), ())
    assert shown(clock) == times


def test_pictures_that_are_decoded_ahead_of_a_pause_are_no_jump() -> None:
    """The last picture before a pause may be coded after the first one behind it."""
    order = [0.0, 0.04, 72.0, 0.08, 72.04]
    listed = Packets(tuple(range(5)), tuple(order), (STEP,) * 5, (-0.08, -0.04, 0.0, 0.04, 71.96))
    assert clock_of(listed, NO_SOUND, delay=2).pictures == ()


def test_a_gap_of_a_day_is_closed() -> None:
    """No video that is taken here has such a pause: two recordings are as long as both together."""
    clock = clock_of(packets(*run(10, 100), *run(10 + DAY, 50)), NO_SOUND, delay=0)
    assert shown(clock) == pytest.approx(run(10, 150), abs=1e-6)
    (jump,) = clock.jumps
    assert (jump.at, jump.by) == pytest.approx((14.0, DAY - 4.0))


@pytest.mark.parametrize("second", [0.0, 1.0, 95_443.7])
def test_recordings_in_one_file_are_joined_pictures_and_sound_together(second: float) -> None:
    """Whether the clock begins anew, goes back or jumps ahead, sound stays beside its pictures."""
    pictures, sound = together((run(1, 100), run(1, 100)), (run(second, 50), run(second + 0.4, 40)))
    clock = clock_of(pictures, sound, delay=0)
    assert shown(clock) == pytest.approx(run(1, 150))
    assert clock.heard.begins == pytest.approx([*run(1, 100), *run(5.4, 40)])


def test_sound_that_outlasts_its_pictures_is_kept_before_the_next_part() -> None:
    """The next part begins on the grid of the pictures, behind the sound of the part before."""
    pictures, sound = together((run(0, 25), run(0, 51)), (run(0, 25), run(0, 25)))
    clock = clock_of(pictures, sound, delay=0)
    assert shown(clock) == pytest.approx([*run(0, 25), *run(2.04, 25)])
    assert clock.heard.begins[51] == pytest.approx(2.04)


def test_pictures_whose_clock_jumps_alone_follow_each_other() -> None:
    """The sound goes on, so it has no pieces to be joined."""
    pictures, sound = together((run(0, 100), run(0, 100)), (run(0, 100), run(4, 100)))
    clock = clock_of(pictures, sound, delay=0)
    assert shown(clock) == pytest.approx(run(0, 200))
    assert clock.heard.begins == pytest.approx(run(0, 200))


def test_a_gap_that_only_pictures_have_is_a_pause() -> None:
    """Somebody talks on while nothing moves."""
    pictures, sound = together(([*run(0, 50), *run(5000, 50)], run(0, 1300, step=4.0)))
    assert clock_of(pictures, sound, delay=0).pictures == ()


def test_a_gap_that_pictures_and_sound_share_is_a_jump_unless_its_length_is_stated() -> None:
    """A container that says how long the last packet lasts knows of the pause."""
    times = [*run(0, 50), *run(100, 50)]
    pictures, sound = together((times, times))
    clock = clock_of(pictures, sound, delay=0)
    assert shown(clock) == pytest.approx(run(0, 100))
    lengths = tuple(98.04 if number == 49 else STEP for number in range(100))
    stated = [Packets(track.places, track.times, lengths, track.decoded) for track in (pictures, sound)]
    assert clock_of(*stated, delay=0).pictures == ()


@pytest.mark.parametrize(("length", "parts"), [(0.0, 0), (2000.0, 2)])
def test_sound_that_begins_late_in_the_next_part_jumps_with_its_pictures(length: float, parts: int) -> None:
    """By less than the pictures, as it ends early before the jump and begins late behind it."""
    pictures, sound = together((run(0, 200), run(0, 180)), (run(8 + length, 200), run(10 + length, 100)))
    clock = clock_of(pictures, sound, delay=0)
    assert (len(clock.pictures), len(clock.sound)) == (parts, parts)
    assert shown(clock) == pytest.approx(run(0, 400))
    assert clock.heard.begins == pytest.approx([*run(0, 180), *run(10, 100)])


def test_sound_that_goes_on_for_long_into_a_gap_makes_it_a_pause() -> None:
    """Though it ends before the next picture comes."""
    pictures, sound = together(([*run(0, 50), *run(300, 50)], run(0, 50, step=2.0)))
    assert clock_of(pictures, sound, delay=0).pictures == ()


def test_a_last_picture_without_a_length_lasts_as_the_others_do() -> None:
    """Or the part behind it would lie between two places of the grid."""
    pictures, sound = together((run(0, 50), run(0, 50)), (run(0, 50), run(0, 50)))
    untold = Packets(pictures.places, pictures.times, (0.0,) * 100, pictures.decoded)
    assert shown(clock_of(untold, sound, delay=0)) == pytest.approx(run(0, 100))


def test_what_a_decoder_holds_back_over_a_jump_is_the_end_of_the_part_before() -> None:
    """It comes at the time at which the next part's first picture is decoded."""
    pictures, sound = together((run(1, 50), run(1, 100)), (run(1, 50), run(1, 50)))
    early = tuple(time - STEP for time in pictures.times)
    told = Packets(pictures.places, pictures.times, pictures.lengths, early, by_decoding=True)
    clock = clock_of(told, sound, delay=1)
    first_piece, second = clock.pictures
    assert first_piece.shift_at(1.0) == 0.0
    assert 1 - STEP - second.shift_at(1 - STEP) == pytest.approx(1 + 49 * STEP)
    assert 1.0 - second.shift_at(1.0) == pytest.approx(5.0)


def test_clocks_that_run_over_each_other_do_not_make_steps_shorter() -> None:
    """Three recordings of one length, each a blink later on its own clock."""
    times = [time for part in range(3) for time in run(1 + part / 10_000, 400)]
    assert typical_step(times) == pytest.approx(STEP)


@pytest.mark.parametrize("times", [[3700.0, *run(100, 50)], [*run(100, 25), 3700.0, *run(101, 25)]])
def test_stray_pictures_are_left_out(times: list[float]) -> None:
    """A picture that claims to be an hour later does not make the clip an hour long."""
    clock = clock_of(packets(*times), NO_SOUND, delay=0)
    assert shown(clock) == pytest.approx(run(100, 50))


def test_sound_on_a_clock_of_its_own_begins_with_the_pictures() -> None:
    """A track that claims to be recorded another year is heard beside the pictures it lies beside in the file."""
    pictures, sound = together((run(0, 50), []))
    sound = packets(*run(10 * ABSURD_SECONDS, 50), places=list(range(50)))
    clock = clock_of(pictures, sound, delay=0)
    assert shown(clock) == pytest.approx(run(0, 50))
    assert clock.heard.begins == pytest.approx(run(0, 50), abs=0.001)
    assert len(clock.jumps) == 1


@pytest.mark.parametrize(
    ("sound", "steps"),
    [(None, 0), (0.0, 0), (-0.021, 0), (-0.05, 0), (-0.06, 2), (-3.0, 75), (-3.003, 75), (-3.01, 76)],
)
def test_a_timeline_begins_whole_steps_before_the_first_picture(sound: float | None, steps: int) -> None:
    """So that pictures stay on their grid; an encoder's run-in and a rounded time ask for no step more."""
    assert head_steps(0.0, sound, STEP) == steps


@given(st.lists(st.tuples(st.floats(-10 * DAY, 10 * DAY), st.integers(3, 40)), min_size=1, max_size=8))
def test_every_picture_is_kept_in_the_order_of_the_file(runs: list[tuple[float, int]]) -> None:
    """Whatever the clock does, the joined one goes on, and no gap but a pause is left."""
    times: list[float] = []
    for gap, frames in runs:
        times += run((times[-1] if times else 0.0) + gap, frames)
    clock = clock_of(packets(*times), NO_SOUND, delay=0)
    moved = shown(clock)
    assert len(moved) == len(times)
    assert max((before - after for before, after in pairwise(moved)), default=0.0) <= 3 * STEP + 0.2 + 1e-6
    assert max((after - before for before, after in pairwise(moved)), default=0.0) <= ABSURD_SECONDS + GAP_SECONDS


def test_parts_begin_on_the_grid_of_the_output() -> None:
    """Though their own pauses are no whole frames, and times are whole milliseconds: shifts do not add up."""
    step = 1001 / 60_000
    part = [round(time, 3) for time in (*run(0.0, 30, step), *run(12.5, 120, step))]
    clock = clock_of(packets(*part, *part, *part, length=0.017), NO_SOUND, delay=0)
    begins = shown(clock)
    for number in range(3):
        phase = (begins[number * len(part)] - begins[0]) / step
        assert phase == pytest.approx(round(phase), abs=0.01)
    assert all(after > before for before, after in pairwise(begins))
