"""What stands before a newcomer is what encoders do first, and nothing else."""

from __future__ import annotations

import math
from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.job import JobState, Priority
from storage.scheduling.ahead import OWNER_SHARE, newcomer_target
from storage.scheduling.costs import FIRST_SECONDS, NOTHING_MEASURED, Work, cost_of_bytes
from storage.scheduling.fairness import START_ALONE_SECONDS, target, target_delay
from storage.scheduling.line import work_for
from tests.support.whole_queue import EstimatedQueue, line_of, owners_jobs, true_work_before

SLOTS = 2.0
TWELVE_HOURS = 12 * 3600 * 25 * 0.057  # encoder-seconds of 1080p, of which 1.3 MB tell nothing


def planned(name: str, owner: str, cost: float, *, size: int, at: float = 0.0) -> Work:
    """Return a job whose plan is known, its owner's only one, accepted at this time."""
    start = target(at, START_ALONE_SECONDS, in_flight=1)
    whole = start + target_delay(cost, SLOTS, in_flight=1)
    return Work(name, owner, JobState.ENCODING, size, cost, 10, 1000, start_target=start, target=whole)


def seen(*backlog: Work) -> tuple[Work, ...]:
    """Return these jobs as they count at nominal pace."""
    return EstimatedQueue.of(backlog, SLOTS).works


def newcomer_of(works: tuple[Work, ...], owner: str, cost: float, *, now: float = 1.0) -> float:
    """Return the target of a job of this cost that the owner would bring."""
    return newcomer_target(owners_jobs(works, owner), cost, capacity=SLOTS, now=now)


def counted(works: tuple[Work, ...], owner: str, newcomer: float = inf, *, most: float = inf) -> float:
    """Return the encoder-seconds that count for a newcomer."""
    return work_for(line_of(works), owner, newcomer, most=most)


def wait(works: tuple[Work, ...], owner: str, cost: float, *, now: float = 1.0, most: float = inf) -> float:
    """Return the seconds that count for a newcomer of this cost, where nobody is to wait for more than `most`."""
    newcomer = newcomer_of(works, owner, cost, now=now)
    return counted(works, owner, newcomer, most=most * SLOTS) / SLOTS


def test_a_small_file_of_twelve_hours_closes_no_door() -> None:
    """Neither another owner's nor its own: for whoever passes it, what its bytes told counts, or its start."""
    for size in (1_300_000, 13_000_000):
        line = seen(planned("a", "one", TWELVE_HOURS, size=size))
        expected = max(FIRST_SECONDS, cost_of_bytes(size, NOTHING_MEASURED)) / SLOTS
        assert wait(line, "another", 15.0) == pytest.approx(expected)
        assert wait(line, "one", 15.0) == pytest.approx(expected)


def test_what_is_larger_waits_for_all_of_it() -> None:
    """It stands behind."""
    line = seen(planned("a", "one", TWELVE_HOURS, size=1_300_000))
    assert wait(line, "another", 1.5 * TWELVE_HOURS) == pytest.approx(TWELVE_HOURS / SLOTS)


def test_another_owners_films_close_no_door_for_clips() -> None:
    """Though their bytes told what they are: they count for half of the longest wait. Their own owner finds all."""
    line = seen(*(planned(f"{number}", "one", 6000.0, size=4 * 10**9) for number in range(10)))
    assert wait(line, "another", 15.0, most=14_400.0) == pytest.approx(OWNER_SHARE * 14_400.0)
    assert wait(line, "one", 15.0, most=14_400.0) == pytest.approx(10 * 6000.0 / SLOTS)
    assert wait(line, "another", 1e6, most=14_400.0) == pytest.approx(10 * 6000.0 / SLOTS)


def test_many_owners_films_count_as_they_told() -> None:
    """Else clip after clip would be taken ahead of them, until they and all that comes wait for days."""
    line = seen(*(planned(f"{number}", f"{number}", 6000.0, size=4 * 10**9) for number in range(10)))
    assert wait(line, "another", 15.0, most=14_400.0) == pytest.approx(10 * 6000.0 / SLOTS)


def test_an_owner_cannot_stack_films_each_a_little_shorter() -> None:
    """Those that it passes count as well, as far as they were known when they were accepted."""
    line = seen(*(planned(f"{number}", "one", 6000.0 - number, size=4 * 10**9, at=number) for number in range(5)))
    assert wait(line, "one", 1000.0, now=5.0) == pytest.approx(sum(6000.0 - number for number in range(5)) / SLOTS)


def test_priority_is_no_way_past_the_door() -> None:
    """A newcomer finds urgent jobs before it, and an owner's own urgent ones hold nothing of it up."""
    normal = planned("a", "one", 1000.0, size=10**9)
    led = replace(normal, priority=Priority.HIGH)
    led = replace(led, start_target=led.start_target - 86_400, target=led.target - 86_400)
    assert wait(seen(led), "another", 15.0) == pytest.approx(1000.0 / SLOTS)
    assert newcomer_of(seen(led), "one", 15.0) == pytest.approx(newcomer_of(seen(normal), "one", 15.0))


WORKS = st.builds(
    planned,
    st.uuids().map(str),
    st.sampled_from("abc"),
    st.floats(1.0, 1e5),
    size=st.integers(1, 10**10),
    at=st.floats(0.0, 1e4),
)


@given(backlog=st.lists(WORKS, max_size=8), owner=st.sampled_from("abcd"), cost=st.floats(1.0, 1e5))
def test_a_newcomer_waits_for_no_more_than_there_is(backlog: list[Work], owner: str, cost: float) -> None:
    """And a larger one for no less; what has no target yet, for all."""
    line = seen(*backlog)
    everything = sum(work.cost_left for work in line)
    small, large = (wait(line, owner, each, now=2e4) * SLOTS for each in (cost, 2 * cost))
    assert -1e-6 <= small <= large + 1e-6 <= everything + 1e-5
    assert counted(line, owner) == pytest.approx(everything, abs=1e-5)


@given(
    films=st.lists(st.tuples(st.floats(1.0, 1e6), st.integers(1, 10**11)), max_size=20),
    cost=st.floats(1.0, 1e5),
    most=st.floats(100.0, 1e5),
)
def test_one_owner_never_closes_the_door_for_who_passes_all_it_has(
    films: list[tuple[float, int]], cost: float, most: float
) -> None:
    """However many jobs that are, whatever they cost and told; only their starts come first."""
    line = seen(*(planned(f"{n}", "one", each, size=size, at=2e4) for n, (each, size) in enumerate(films)))
    newcomer = newcomer_of(line, "another", cost, now=2e4)
    passed = tuple(work for work in line if work.target >= newcomer)
    assert (
        counted(passed, "another", newcomer, most=most) <= max(OWNER_SHARE * most, len(passed) * FIRST_SECONDS) + 1e-6
    )


@given(
    backlog=st.lists(WORKS, max_size=12, unique_by=lambda work: work.job_id),
    owner=st.sampled_from("abcd"),
    newcomer=st.floats(0.0, 1e7).map(lambda seconds: math.floor(seconds * 1000) / 1000),
    most=st.floats(10.0, 1e6),
)
def test_sums_count_what_every_job_of_every_owner_does(
    backlog: list[Work], owner: str, newcomer: float, most: float
) -> None:
    """Whoever asks, wherever the newcomer stands, and whoever has too much."""
    line = seen(*backlog)
    expected = true_work_before(line, owner, newcomer, most=most)
    near = any(abs(target - newcomer) < 0.002 for work in line for target in (work.start_target, work.target))
    assert near or counted(line, owner, newcomer, most=most) == pytest.approx(expected, abs=1e-3)
