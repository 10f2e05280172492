"""Rates and Little's law from samples of the queue."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from storage.scheduling.queue_rates import LEAST_EFFICIENCY, SAMPLE_SECONDS, Rates, Sample, efficiency, rates
from tests.support.samples import EMPTY


def busy(count: int, *, delivered: float, slots: int = 2) -> list[Sample]:
    """Return samples with all slots busy; in all they delivered so much of what they could."""
    step = SAMPLE_SECONDS * slots * delivered
    return [
        replace(EMPTY, at=1000 + number * SAMPLE_SECONDS, slots=slots, busy=slots, delivered=5 + number * step)
        for number in range(count)
    ]


def test_without_samples_nothing_is_said() -> None:
    """One sample is a moment, not a rate."""
    assert rates(()) == Rates(0.0)
    assert rates((EMPTY,)) == Rates(0.0)
    assert rates((EMPTY,)).jobs_by_little is None


def test_an_idle_hour_has_no_stay() -> None:
    """Nobody came and nobody left."""
    found = rates((EMPTY, replace(EMPTY, at=4600.0)))
    assert found == Rates(3600.0, arrival=0.0, finished=0.0, jobs=0.0, stay=None)


def test_counters_of_another_store_are_not_compared() -> None:
    """After Redis was lost they begin at nothing again."""
    before = replace(EMPTY, arrived=50, ended=40, stayed=900.0)
    assert rates((before, replace(EMPTY, at=1010.0))) == Rates(10.0)


def test_littles_law_holds_for_a_steady_queue() -> None:
    """Jobs that come at random and stay for a while: measured and predicted numbers of jobs agree."""
    random = Random(6)
    stays = [(arrival, arrival + random.uniform(20, 200)) for arrival in _arrivals(random, until=40_000)]
    samples = [_sample(stays, at) for at in range(1000, 37_000, int(SAMPLE_SECONDS))]
    found = rates(samples)
    assert found.arrival == pytest.approx(0.1, rel=0.1)
    assert found.jobs == pytest.approx(found.jobs_by_little, rel=0.05)


def _arrivals(random: Random, *, until: float) -> list[float]:
    times = [0.0]
    while times[-1] < until:
        times.append(times[-1] + random.expovariate(0.1))
    return times


def _sample(stays: list[tuple[float, float]], at: float) -> Sample:
    left = [end - arrival for arrival, end in stays if end <= at]
    there = sum(arrival <= at < end for arrival, end in stays)
    arrived = sum(arrival <= at for arrival, _ in stays)
    return replace(EMPTY, at=float(at), running=there, arrived=arrived, ended=len(left), stayed=sum(left))


def test_slots_deliver_what_was_measured_while_all_were_busy() -> None:
    """What came to nothing, and time between tasks, is missing from it."""
    assert efficiency(busy(20, delivered=0.9)) == pytest.approx(0.9)
    assert efficiency(busy(20, delivered=0.01)) == LEAST_EFFICIENCY


def test_too_little_is_not_believed() -> None:
    """Some seconds, idle slots, a hole in the samples, a change of the slots: nothing is measured by those."""
    assert efficiency(()) == 1.0
    assert efficiency([replace(EMPTY, slots=0)] * 2) == 1.0
    assert efficiency(busy(3, delivered=0.5)) == 1.0
    assert efficiency([replace(sample, busy=1) for sample in busy(20, delivered=0.5)]) == 1.0
    assert efficiency([replace(sample, at=sample.at * 60) for sample in busy(20, delivered=0.5)]) == 1.0
    changing = zip(busy(20, delivered=0.5), busy(20, delivered=0.5, slots=4), strict=True)
    assert efficiency([sample for pair in changing for sample in pair][::3]) == 1.0
