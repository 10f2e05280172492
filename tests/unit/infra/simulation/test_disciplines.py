"""The orders in which disciplines hand out tasks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from infra.simulation.disciplines import NAMES, Discipline, SimulatedJob, discipline_of
from infra.simulation.figures import Spread
from infra.simulation.videos import TaskShape
from storage.model.job import Priority
from storage.scheduling.fairness import LEAD_SECONDS, target_delay
from tests.support.simulating import arrival

SHAPES = {"film": TaskShape((2.0, 0.5, 0.5) + (10.0,) * 5, 3, 53.0), "clip": TaskShape((2.0, 0.5, 0.5, 2.0), 3, 5.0)}


def job(
    number: int, at: float, kind: str = "clip", *, in_flight: int = 1, priority: Priority = Priority.NORMAL
) -> SimulatedJob:
    """Return an accepted job."""
    return SimulatedJob(number, replace(arrival(at), priority=priority), at, in_flight, SHAPES[kind])


def handed_out(discipline: Discipline) -> list[tuple[int, int]]:
    """Return number of the job and of tasks, in order, until nothing is left."""
    order = []
    while (due := discipline.next()) is not None:
        order.append((due.number, due.take()))
        discipline.took(due)
    return order


JOBS = some.lists(
    some.tuples(some.floats(0, 1e4), some.sampled_from(["film", "clip"]), some.integers(1, 30)), max_size=20
)


@given(JOBS, some.sampled_from([name for name in NAMES if name != "whole-video"]))
def test_each_task_is_handed_out_once(told: list[tuple[float, str, int]], name: str) -> None:
    """The start of a job comes first and at once, all other tasks one by one, and none is left."""
    discipline = discipline_of(name, 2)
    jobs = [job(number, at, kind, in_flight=many) for number, (at, kind, many) in enumerate(told)]
    for each in jobs:
        discipline.add(each)
    order = handed_out(discipline)
    for each in jobs:
        counts = [count for number, count in order if number == each.number]
        assert counts == [3] + [1] * (len(each.shape.tasks) - 3)


@given(JOBS)
def test_the_earliest_target_is_first(told: list[tuple[float, str, int]]) -> None:
    """If all jobs are there, the targets of what is handed out never go back, starts and bodies together."""
    discipline = discipline_of("targets", 2)
    jobs = [job(number, at, kind, in_flight=many) for number, (at, kind, many) in enumerate(told)]
    for each in jobs:
        discipline.add(each)
    targets = []
    for number, count in handed_out(discipline):
        each = jobs[number]
        body = each.start_target + target_delay(each.cost, 2, in_flight=each.in_flight)
        targets.append(each.start_target if count > 1 else body)
    assert targets == sorted(targets)


def test_priorities_count_as_hours() -> None:
    """A high job passes those that came within the hour before it, those of the hour after it pass a low one."""
    hour = LEAD_SECONDS[Priority.HIGH]
    discipline = discipline_of("targets", 2)
    came = {1: (0.0, Priority.LOW), 2: (0.9 * hour, Priority.NORMAL), 3: (1.8 * hour, Priority.HIGH)}
    for number, (at, priority) in {**came, 4: (1.1 * hour, Priority.NORMAL)}.items():
        discipline.add(job(number, at, priority=priority))
    assert [number for number, count in handed_out(discipline) if count > 1] == [3, 2, 1, 4]


def test_first_come_first_served() -> None:
    """One job is handed out to its end before the next one begins."""
    discipline = discipline_of("fifo", 2)
    for each in (job(1, 0.0, "film"), job(2, 1.0)):
        discipline.add(each)
    assert handed_out(discipline) == [(1, 3)] + [(1, 1)] * 5 + [(2, 3), (2, 1)]


def test_round_robin() -> None:
    """Jobs take turns by segments, and a newcomer's start goes ahead of them."""
    discipline = discipline_of("round-robin", 2)
    discipline.add(job(1, 0.0, "film"))
    discipline.add(job(2, 1.0, "film"))
    taken = []
    for _ in range(4):
        due = discipline.next()
        assert due is not None
        taken.append((due.number, due.take()))
        discipline.took(due)
    discipline.add(job(3, 2.0))
    assert taken == [(1, 3), (2, 3), (1, 1), (2, 1)]
    assert handed_out(discipline)[:5] == [(3, 3), (1, 1), (2, 1), (3, 1), (1, 1)]


def test_an_unknown_discipline_is_refused() -> None:
    """A name that nobody knows is an error of the caller."""
    with pytest.raises(ValueError, match="no discipline called lottery"):
        discipline_of("lottery", 1)


@given(some.lists(some.floats(1e-3, 1e6), min_size=1), some.floats(0.01, 1))
def test_a_spread_tells_quantiles_within_a_percent(values: list[float], part: float) -> None:
    """So much of all values, and no less, is at most the quantile, but for 1 %."""
    spread = Spread()
    for value in values:
        spread.add(value)
    found = spread.quantile(part)
    assert found is not None
    assert sum(value <= found * 1.01 for value in values) >= part * len(values)
    assert sum(value < found / 1.01 for value in values) < part * len(values)
    assert spread.greatest == max(values)
    assert Spread().quantile(part) is None
