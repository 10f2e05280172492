"""The order in which encoders take jobs: its guarantees, each over any jobs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.job import Priority
from storage.scheduling.fairness import (
    LEAD_SECONDS,
    START_ALONE_SECONDS,
    STRETCH,
    WHOLE_SECONDS,
    alone_seconds,
    budget,
    plans_budget,
    target,
    target_delay,
)

SECONDS = st.floats(0.1, 1e5)
IN_FLIGHT = st.integers(1, 1000)
SLOTS = st.integers(1, 10_000)


@given(small=SECONDS, more=SECONDS, share=st.floats(0, 0.999))
def test_a_clip_passes_a_film_until_the_film_had_its_time(small: float, more: float, share: float) -> None:
    """Whatever is smaller goes first if it comes before the film's head start over it is used up."""
    film = small + more
    came = STRETCH * more * share
    assert target(came, small, in_flight=1) < target(0.0, film, in_flight=1)


@given(film=SECONDS, newcomer=SECONDS, in_flight=IN_FLIGHT)
def test_nothing_starves(film: float, newcomer: float, in_flight: int) -> None:
    """No newcomer, however small, passes a job whose time is over."""
    mine = target(0.0, film, in_flight=in_flight)
    assert target(STRETCH * film * in_flight, newcomer, in_flight=1) > mine


@given(alone=SECONDS, many=st.integers(2, 1000))
def test_an_owner_with_one_job_passes_those_of_an_owner_with_many(alone: float, many: int) -> None:
    """All but the first of another owner's jobs of the same size, which came at the same time."""
    others = [target(0.0, alone, in_flight=number) for number in range(1, many + 1)]
    mine = target(0.0, alone, in_flight=1)
    assert [other <= mine for other in others] == [True] + [False] * (many - 1)


@given(came=st.floats(0, 1e6), alone=SECONDS, in_flight=IN_FLIGHT)
def test_priority_is_a_head_start(came: float, alone: float, in_flight: int) -> None:
    """High counts as a day earlier, low as a day later; nothing else changes."""
    targets = [target(came, alone, in_flight=in_flight, priority=priority) for priority in Priority]
    assert targets == sorted(targets)
    assert targets[1] - targets[0] == pytest.approx(LEAD_SECONDS[Priority.HIGH])
    assert targets[2] - targets[1] == pytest.approx(-LEAD_SECONDS[Priority.LOW])


@given(cost=st.floats(0, WHOLE_SECONDS), slots=SLOTS, in_flight=IN_FLIGHT)
def test_a_small_job_is_worked_on_in_one_go(cost: float, slots: int, in_flight: int) -> None:
    """Its rest has the target of its start, so that no newcomer's start passes it."""
    assert target_delay(cost, slots, in_flight=in_flight) == 0.0


@given(more=SECONDS, slots=SLOTS, in_flight=IN_FLIGHT)
def test_a_long_job_starts_early_and_ends_at_its_target(more: float, slots: int, in_flight: int) -> None:
    """Start and what lies behind it have together the target of the whole job, but never one ahead of the start's."""
    cost = WHOLE_SECONDS + more
    start = target(0.0, START_ALONE_SECONDS, in_flight=in_flight)
    whole = target(0.0, max(START_ALONE_SECONDS, alone_seconds(cost, slots)), in_flight=in_flight)
    assert start + target_delay(cost, slots, in_flight=in_flight) == pytest.approx(whole)


@pytest.mark.parametrize(("slots", "tasks"), [(0, 1), (1, 1), (2, 2), (4, 5), (10, 12), (64, 80), (10_000, 12_500)])
def test_every_slot_finds_a_task_and_few_wait(slots: int, tasks: int) -> None:
    """At most a quarter of the slots, none of few; before a worker announced itself there is one slot."""
    assert budget(slots) == tasks
    assert plans_budget(slots) == tasks + 1


def test_a_job_alone_takes_its_cost_over_the_slots() -> None:
    """And what does not get shorter with more of them."""
    assert alone_seconds(20.0, 2) == 13.0
    assert alone_seconds(20.0, 0) == 23.0
