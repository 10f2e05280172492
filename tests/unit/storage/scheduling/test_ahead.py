"""What stands before a newcomer is what encoders do first, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.job import JobState, Priority
from storage.scheduling.ahead import Placed, newcomer_target, placed, work_before
from storage.scheduling.costs import Calibration, Work, cost_of_bytes
from storage.scheduling.fairness import START_ALONE_SECONDS, target, target_delay
from storage.scheduling.forecast import FIRST_SECONDS, Outlook

SLOTS = 2.0
TWELVE_HOURS = 12 * 3600 * 25 * 0.057  # encoder-seconds of 1080p, of which 1.3 MB tell nothing


def planned(name: str, owner: str, cost: float, *, size: int, at: float = 0.0) -> Work:
    """Return a job whose plan is known, its owner's only one, accepted at this time."""
    start = target(at, START_ALONE_SECONDS, in_flight=1)
    whole = start + target_delay(cost, SLOTS, in_flight=1)
    return Work(name, owner, JobState.ENCODING, size, cost, 10, 1000, start_target=start, target=whole)


def seen(*backlog: Work) -> tuple[Placed, ...]:
    """Return these jobs in their places, at nominal pace."""
    return placed(Outlook(backlog, Calibration(), SLOTS))


def wait(line: tuple[Placed, ...], owner: str, cost: float, *, now: float = 1.0) -> float:
    """Return the seconds until a newcomer of this cost is at its turn."""
    return work_before(line, owner, newcomer_target(line, owner, cost, capacity=SLOTS, now=now)) / SLOTS


def test_a_small_file_of_twelve_hours_closes_no_door() -> None:
    """Neither another owner's nor its own: whoever passes it waits for its start, and for what its bytes told."""
    line = seen(planned("a", "one", TWELVE_HOURS, size=1_300_000))
    assert wait(line, "another", 15.0) == pytest.approx(FIRST_SECONDS / SLOTS)
    assert wait(line, "one", 15.0) == pytest.approx((FIRST_SECONDS + cost_of_bytes(1_300_000, Calibration())) / SLOTS)


def test_what_is_larger_waits_for_all_of_it() -> None:
    """It stands behind."""
    line = seen(planned("a", "one", TWELVE_HOURS, size=1_300_000))
    assert wait(line, "another", 1.5 * TWELVE_HOURS) == pytest.approx(TWELVE_HOURS / SLOTS)


def test_another_owners_films_close_no_door_for_clips() -> None:
    """Though their bytes told what they are; their own owner's next film finds all of them."""
    films = [planned(f"{number}", "one", 6000.0, size=4 * 10**9) for number in range(10)]
    line = seen(*films)
    assert wait(line, "another", 15.0) == pytest.approx(10 * FIRST_SECONDS / SLOTS)
    assert wait(line, "one", 5000.0) == pytest.approx(10 * 6000.0 / SLOTS)


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
    assert newcomer_target(seen(led), "one", 15.0, capacity=SLOTS, now=1.0) == pytest.approx(
        newcomer_target(seen(normal), "one", 15.0, capacity=SLOTS, now=1.0)
    )


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
    everything = sum(job.start + job.rest for job in line)
    small, large = (wait(line, owner, each, now=2e4) * SLOTS for each in (cost, 2 * cost))
    assert -1e-6 <= small <= large + 1e-6 <= everything + 1e-5
    assert work_before(line, owner) == pytest.approx(everything)


@given(backlog=st.lists(WORKS, max_size=8), more=WORKS, cost=st.floats(1.0, 1e5))
def test_another_owners_job_that_a_newcomer_passes_adds_its_start_at_most(
    backlog: list[Work], more: Work, cost: float
) -> None:
    """Whatever it costs."""
    line, longer = seen(*backlog), seen(*backlog, more)
    newcomer = newcomer_target(line, "d", cost, capacity=SLOTS, now=2e4)
    added = work_before(longer, "d", newcomer) - work_before(line, "d", newcomer)
    if more.target >= newcomer:
        assert added <= FIRST_SECONDS + 1e-6
