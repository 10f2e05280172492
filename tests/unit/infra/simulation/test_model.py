"""The simulated installation against what can be computed by hand or by a textbook."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from random import Random
from statistics import fmean

import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as some

from infra.simulation.disciplines import NAMES, SimulatedJob, discipline_of
from infra.simulation.figures import Size
from infra.simulation.load import MIXES, Arrival, Synthetic
from infra.simulation.pool import SlotPool, Window
from infra.simulation.videos import TaskShape, Videos, package_seconds
from storage.scheduling.fairness import SPARE, STRETCH
from storage.scheduling.forecast import PLAN_SECONDS
from tests.support.simulating import OPEN, GivenVideos, arrival, simulated, tasks

ONE = SimulatedJob(1, arrival(0.0), 0.0, 1, TaskShape((1.0,), 1, 1.0))
SEVEN = 7.0


def waits_of(arrivals: Sequence[float], seconds: float, slots: int) -> list[float]:
    """Return how long each customer waits in a G/D/c queue (Kiefer and Wolfowitz), first come, first served."""
    free, waits = [0.0] * slots, []
    for at in arrivals:
        begins = max(at, free[0])
        heapq.heapreplace(free, begins + seconds)
        waits.append(begins - at)
    return waits


@pytest.mark.parametrize("slots", [1, 3])
def test_one_task_per_video_is_the_textbook_queue(slots: int) -> None:
    """Waits of M/D/c by the recursion of Kiefer and Wolfowitz, told within the 1 % to which quantiles are kept."""
    chance, at, times = Random(5), 0.0, []
    for _ in range(2000):
        at += chance.expovariate(0.8 * slots / SEVEN)
        times.append(at)
    figures = simulated(map(arrival, times), discipline_of("whole-video", slots), GivenVideos(slots, [tasks(SEVEN)]))
    waits = sorted(waits_of(times, SEVEN, slots))
    assert fmean(waits) > 1.0
    for part in (0.5, 0.9, 0.99):
        expected = PLAN_SECONDS + waits[int(part * len(waits)) - 1]
        assert figures.begun.quantile(part) == pytest.approx(expected, rel=0.011)


@given(some.lists(some.tuples(some.floats(0, 50), some.floats(0.1, 20)), min_size=1, max_size=40), some.integers(1, 5))
def test_a_slot_does_one_thing_at_a_time(handed: list[tuple[float, float]], slots: int) -> None:
    """Tasks begin in the order in which they were handed out, never more at once than there are slots, none is lost."""
    env = simpy.Environment()
    done: list[float] = []
    pool = SlotPool(env, slots, lambda: None, Window())

    def hand_out(seconds: float, _: simpy.Event) -> None:
        pool.hand_out(ONE, seconds, lambda *_: done.append(env.now))

    for at, seconds in handed:
        simpy.Timeout(env, at).callbacks.append(partial(hand_out, seconds))
    env.run()
    free, expected = [0.0] * slots, []
    for at, seconds in sorted(handed, key=lambda task: task[0]):
        begins = max(at, free[0])
        heapq.heapreplace(free, begins + seconds)
        expected.append(begins + seconds)
    assert sorted(done) == pytest.approx(sorted(expected))
    assert pool.utilisation == pytest.approx(sum(seconds for _, seconds in handed) / slots / max(expected))
    assert (pool.out, pool.ended) == (0, len(handed))


def test_starts_are_taken_before_what_else_was_handed_out() -> None:
    """But nothing that a slot has begun is broken off."""
    env = simpy.Environment()
    done: list[tuple[str, float]] = []
    pool = SlotPool(env, 1, lambda: None, Window())
    for name, first in (("begun", False), ("other", False), ("start", True), ("next start", True)):
        pool.hand_out(ONE, 1.0, lambda *_, name=name: done.append((name, env.now)), first=first)
    assert pool.out == 4
    env.run()
    assert done == [("begun", 1.0), ("start", 2.0), ("next start", 3.0), ("other", 4.0)]


def test_utilisation_is_that_of_the_window() -> None:
    """A task from 0 to 10 s fills half of what is looked at from 5 to 15 s, though the next one ends at 20 s."""
    env = simpy.Environment()
    pool = SlotPool(env, 1, lambda: None, Window(5.0, 15.0))
    pool.hand_out(ONE, 10.0, lambda *_: None)
    simpy.Timeout(env, 17.0).callbacks.append(lambda _: pool.hand_out(ONE, 3.0, lambda *_: None))
    env.run()
    assert pool.utilisation == pytest.approx(0.5)


FILM, CLIP = 0, 1
TWO_VIDEOS = (tasks(2.0, *[10.0] * 11), tasks(2.0, 2.0, 2.0))


@pytest.mark.parametrize(
    ("name", "clip_begins", "clip_encoded", "film_encoded"),
    # The film is planned at 1 s, its start ends at 3 s, its first task at 13 s. The clip is planned at 6 s. Nothing
    # waits at the broker behind the task in work: from 13 s on the clip goes before the film.
    [
        ("targets", 13.0, 19.0, 119.0),
        ("fifo", 113.0, 119.0, 113.0),
        ("round-robin", 13.0, 39.0, 119.0),  # 13 to 15, 25 to 27 and 37 to 39 s, the film between
        ("whole-video", 113.0, 119.0, 113.0),
    ],
)
def test_a_clip_behind_a_film(name: str, clip_begins: float, clip_encoded: float, film_encoded: float) -> None:
    """One slot, a film of 112 s at 0 and a clip of 6 s at 5 s, computed by hand for each discipline."""
    videos = GivenVideos(1, TWO_VIDEOS)
    figures = simulated([arrival(0.0, FILM), arrival(5.0, CLIP)], discipline_of(name, 1), videos)
    assert figures.begun.greatest == pytest.approx(clip_begins - 5.0)
    clip = figures.stretch[Size.SMALL].greatest * videos.alone(CLIP)
    film = figures.stretch[Size.MEDIUM].greatest * videos.alone(FILM)
    assert clip == pytest.approx(clip_encoded - 5.0 + package_seconds(6.0, 1))
    assert film == pytest.approx(film_encoded + package_seconds(112.0, 1))


@pytest.mark.parametrize("name", NAMES)
def test_everything_accepted_ends(name: str) -> None:
    """At twice what the encoders do, what was accepted is finished, and each upload was accepted or lost."""
    limits = replace(OPEN, wait=600.0)
    load = Synthetic(MIXES["mixed"], rate=0.04, seconds=7200, owners=20, seed=7)
    figures = simulated(load.arrivals(), discipline_of(name, 10), Videos(10), limits=limits, returning=0.5)
    assert figures.finished == figures.accepted == figures.ready.count > 0
    assert figures.accepted + figures.lost == figures.offered
    assert 0 < figures.returned < figures.refused < figures.offered
    assert figures.kept <= figures.returned


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_figures(name: str) -> None:
    """Two runs of one load agree to the last figure."""
    load = Synthetic(MIXES["clips"], rate=0.2, seconds=600, owners=20, seed=7)
    one, two = (simulated(load.arrivals(), discipline_of(name, 10), Videos(10)) for _ in range(2))
    assert one.ready.below() == two.ready.below()
    assert one.single.below() == two.single.below()


def test_no_owner_exceeds_the_limit() -> None:
    """One owner's third upload is refused while two are unfinished, and taken when it comes back after they ended."""
    arrivals = [arrival(float(number), owner="ann") for number in range(3)] + [arrival(2.5, owner="bob")]
    limits = replace(OPEN, owner_jobs=2)
    figures = simulated(arrivals, discipline_of("targets", 1), GivenVideos(1, [tasks(5.0)]), limits=limits)
    assert (figures.accepted, figures.refused, figures.returned, figures.kept, figures.lost) == (4, 1, 1, 1, 0)


def test_what_is_too_large_does_not_come_back() -> None:
    """A refusal without a time to come back is final."""
    limits = replace(OPEN, upload_bytes=1)
    large = replace(arrival(0.0), size=10**7)
    figures = simulated([large], discipline_of("targets", 1), GivenVideos(1, [tasks(5.0)]), limits=limits)
    assert (figures.accepted, figures.refused, figures.returned, figures.lost) == (0, 1, 0, 1)


def test_a_film_does_not_starve_among_clips() -> None:
    """Clips alone keep the encoders nine tenths busy; the film is ready about when its target is, not behind them."""
    slots = 4
    videos = GivenVideos(slots, [tasks(2.0, *[10.0] * 40), tasks(0.5, 0.5, 0.5, 0.5)])
    times = 3 * STRETCH * videos.alone(FILM)
    clips = [arrival(0.55 * number, CLIP) for number in range(int(times / 0.55))]
    figures = simulated([arrival(0.0, FILM), *clips], discipline_of("targets", slots), videos)
    assert figures.stretch[Size.MEDIUM].count == 1
    assert figures.stretch[Size.MEDIUM].greatest <= STRETCH * (1 + SPARE)
    assert figures.ready.greatest < clips[-1].at / 2


@settings(max_examples=30)
@given(some.lists(some.tuples(some.floats(0, 100), some.integers(0, 1)), min_size=1, max_size=12))
def test_alone_is_the_shortest(jobs: list[tuple[float, int]]) -> None:
    """Nothing is ready sooner than in an installation of its own, whatever the discipline."""
    arrivals: list[Arrival] = [arrival(at, step) for at, step in sorted(jobs)]
    for name in ("targets", "fifo", "round-robin"):
        figures = simulated(arrivals, discipline_of(name, 3), GivenVideos(3, TWO_VIDEOS))
        least = min(value for spread in figures.stretch.values() for value, _ in spread.below())
        assert least >= 0.99
