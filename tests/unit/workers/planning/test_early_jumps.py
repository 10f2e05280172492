"""Tests of the jumps that are told while packets are still being listed."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from workers.planning.early_jumps import EarlyJumps
from workers.planning.packet_columns import Reader

STEP = 0.04


def told(times: list[float], cuts: list[int]) -> list[tuple[int, int]]:
    """Return the jumps told of one stream whose packets are a kilobyte each, read in pieces that end at the cuts."""
    jumps, reader, found, begun = EarlyJumps(), Reader(), list[tuple[int, int]](), 0
    for end in (*sorted(cuts), len(times)):
        lines = "".join(f"0|{times[n]:.6f}|{times[n]:.6f}|{STEP}|{1000 * n}|K_\n" for n in range(begun, end))
        reader.feed(lines.encode())
        found += jumps.met(reader.so_far)
        begun = max(begun, end)
    return found


def steady(start: float, count: int) -> list[float]:
    """Return the times of so many packets that follow each other."""
    return [start + STEP * n for n in range(count)]


@given(
    st.lists(st.tuples(st.sampled_from([-500.0, -3.0, 90.0, 4000.0]), st.integers(3, 60)), min_size=1, max_size=5),
    st.lists(st.integers(0, 300), max_size=4),
)
def test_parts_that_follow_each_other_are_told_where_they_begin(
    parts: list[tuple[float, int]], cuts: list[int]
) -> None:
    """Wherever the pieces of the listing end."""
    times, begins = steady(1000.0, 50), list[int]()
    for jump, count in parts:
        begins.append(len(times))
        times += steady(times[-1] + STEP + jump, count)
    cuts = [cut for cut in cuts if cut < len(times)]
    assert told(times, cuts) == [(0, 1000 * begin) for begin in begins]


@given(st.integers(1, 2), st.integers(1, 50), st.floats(-900.0, 900.0))
def test_a_stray_packet_is_no_jump(strays: int, place: int, at: float) -> None:
    """The clock comes back from it."""
    times = steady(1000.0, 100)
    times[place : place + strays] = [at] * strays
    assert told(times, []) == []


@given(st.lists(st.floats(-0.9, 50.0), min_size=1, max_size=100))
def test_reordered_pictures_and_pauses_are_no_jumps(steps: list[float]) -> None:
    """A pause of a minute may be lost reception, and is looked at once all is known."""
    assert told(list(accumulate(steps)), []) == []
