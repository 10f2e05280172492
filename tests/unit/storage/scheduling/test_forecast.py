"""Forecasts follow from the work, the pace and the slots alone."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.job import JobState
from storage.scheduling.costs import FIRST_SECONDS, Work
from storage.scheduling.fairness import START_ALONE_SECONDS, target, target_delay
from storage.scheduling.forecast import PACKAGE_SECONDS, PLAN_SECONDS, Forecast
from storage.scheduling.line import forecast_new
from storage.scheduling.newcomers import NOBODY, Newcomers
from storage.scheduling.work_sums import TICKS
from tests.support.whole_queue import EstimatedQueue, owners_jobs, true_forecasts

SLOTS = 4.0


def running(name: str, cost: float, segments: int, *, done: float = 0.0, accepted: float = 0.0) -> Work:
    """Return a job that is being encoded, accepted at this time."""
    frames, start = 1000, target(accepted, START_ALONE_SECONDS, in_flight=1)
    whole = start + target_delay(cost, SLOTS, in_flight=1)
    work = Work(name, "local", JobState.ENCODING, 1000, cost, segments, frames, round(frames * done))
    return replace(work, start_target=start, target=whole)


def forecast_of_new(seen: EstimatedQueue, size: int, *, now: float = 0.0) -> Forecast:
    """Return the forecast of a new job of an owner who has no other."""
    return forecast_new(seen.line, seen.outlook, size, owners_jobs(seen.works, "new"), now=now)


def outlook(*backlog: Work, capacity: float = SLOTS, newcomers: Newcomers = NOBODY) -> EstimatedQueue:
    """Return the queue of these jobs at nominal pace."""
    return EstimatedQueue.of(backlog, capacity, newcomers=newcomers)


def forecasts(seen: EstimatedQueue) -> dict[str, Forecast]:
    """Return the forecast of each job."""
    return seen.forecasts()


WORKS = st.builds(
    lambda name, state, size, nominal, segments, done, start, more: Work(
        name, "x", state, size, nominal, segments, 100, done, start_target=start, target=start + more
    ),
    st.uuids().map(str),
    st.sampled_from([state for state in JobState if not state.finished]),
    st.integers(1, 10**10),
    st.none() | st.floats(0.1, 1e5),
    st.integers(0, 1000),
    st.integers(0, 100),
    st.floats(0, 1e4),
    st.floats(0, 1e4),
)


def apart(placed: tuple[int, Work]) -> Work:
    """Return the job with targets in ticks of its own."""
    place, work = placed
    start, whole = (math.floor(target * 1000) + place / TICKS for target in (work.start_target, work.target))
    return replace(work, start_target=start, target=whole + (100 if work.nominal is not None else 0))


def test_nothing_to_do_is_no_wait() -> None:
    """An idle installation has no work and no forecasts; a new job starts within seconds."""
    nothing = outlook().outlook
    assert (nothing.work, nothing.wait, forecasts(outlook())) == (0.0, 0.0, {})
    assert forecast_of_new(outlook(), 1_000_000).start < 5


def test_a_job_alone_has_all_slots() -> None:
    """Its work is shared by them; a single segment cannot be shared."""
    assert forecasts(outlook(running("a", 400.0, 40)))["a"].ready == pytest.approx(100 + PACKAGE_SECONDS, rel=0.05)
    assert forecasts(outlook(running("a", 400.0, 1)))["a"].ready > 400


def test_a_clip_does_not_wait_for_a_film() -> None:
    """It passes it, and the film comes later by what the clip costs; a film that is late goes on."""
    film, clip = running("film", 12_000.0, 800, done=0.1), running("clip", 30.0, 30, accepted=1000)
    alone = forecasts(outlook(film))["film"].ready
    found = forecasts(outlook(film, clip))
    assert found["clip"].ready == pytest.approx(forecasts(outlook(clip))["clip"].ready, abs=1)
    assert found["film"].ready == pytest.approx(alone + 30 / SLOTS, abs=15)
    late = running("clip", 30.0, 30, accepted=1e6)
    assert forecasts(outlook(film, late))["clip"].start > 0.9 * 12_000 / SLOTS


def test_the_last_segment_is_made_by_one_slot() -> None:
    """While the others have another job's, which they did not help with; if there is little of that, so much of it."""
    film, clip = running("film", 12_000.0, 800, done=0.1), running("clip", 80.0, 4, done=0.1, accepted=1000)
    even, segment = 72.0 / SLOTS, 72.0 / 4
    packaging = forecasts(outlook(clip))["clip"].ready - even
    beside = forecasts(outlook(film, clip))["clip"].ready - packaging
    assert beside == pytest.approx(even + segment * (1 - 1 / SLOTS))
    little = replace(running("little", 2.0, 1, accepted=1e6), frames_done=500)
    assert forecasts(outlook(clip, little))["clip"].ready - packaging == pytest.approx(even + 1 - 1 / SLOTS)


def test_whoever_comes_later_starts_later() -> None:
    """The first pictures are made in the order of the targets; one that has begun has no start."""
    begun = running("begun", 100.0, 10, done=0.2)
    queued = [Work(name, "x", JobState.QUEUED, 4 * 10**6, start_target=place) for place, name in enumerate("abc")]
    found = forecasts(outlook(begun, *queued))
    starts = [found[name].start for name in "abc"]
    assert found["begun"].start == 0.0
    assert starts == sorted(starts)
    assert len(set(starts)) == 3


def test_a_start_is_a_part_of_its_job() -> None:
    """A queue of clips is done when its work is; what their starts cost is not counted once more."""
    clips = [
        replace(running(str(number), 8.0, 3), target=float(number), start_target=float(number)) for number in range(50)
    ]
    last = forecasts(outlook(*clips))["49"]
    segment = (1 - 1 / SLOTS) * 8.0 / 3
    assert last.ready == pytest.approx(50 * 8.0 / SLOTS + segment + PACKAGE_SECONDS, rel=0.01)


def handed_out(work: Work, *, in_work: int, at_broker: int = 0, frames: int = 100) -> Work:
    """Return the job with so many segments in work and at the broker, each with so many pictures still to make."""
    fields = [f"segment:{index}" for index in range(in_work + at_broker)]
    held = tuple((field, "a") for field in fields[:in_work])
    return replace(work, held=held, out=tuple((field, frames - index) for index, field in enumerate(fields)))


def test_a_start_waits_for_a_free_slot() -> None:
    """While one is idle it does not; when all have work, the first of them is free when it has made what is left."""
    film = running("a", 400.0, 10, done=0.1)
    three, four = (handed_out(film, in_work=count) for count in (3, 4))
    idle, busy = (forecast_of_new(outlook(work), 1000).start for work in (three, four))
    picture = (400.0 - FIRST_SECONDS) / 1000
    assert busy - idle == pytest.approx(97 * picture - PLAN_SECONDS)


def test_what_was_handed_out_is_done_first() -> None:
    """A clip passes a film, but not the segments that slots or the broker have of it."""
    film, clip = running("film", 4000.0, 100, done=0.1), running("clip", 30.0, 30, done=0.1, accepted=1000)
    queues = (outlook(handed_out(film, in_work=count, at_broker=1), clip) for count in (3, 4))
    free, busy = (forecasts(queue)["clip"].ready for queue in queues)
    picture = (4000.0 - FIRST_SECONDS) / 1000
    assert busy - free == pytest.approx((100 + 99 + 98 + 97 + 96) * picture / SLOTS)


def test_smaller_jobs_that_are_still_to_come_make_a_film_later() -> None:
    """Nothing passes a clip; whoever is in front anyway is as early as before."""
    film, clip = running("film", 12_000.0, 800), running("clip", 8.0, 3)
    before, after = (
        forecasts(outlook(film, clip, newcomers=Newcomers(0.0, rate, (40.0, 12_000.0)))) for rate in (0.0, 0.01)
    )
    assert after["film"].ready > before["film"].ready * 1.01
    assert after["clip"] == before["clip"]


@given(st.lists(WORKS, max_size=12, unique_by=lambda work: work.job_id), st.floats(0.5, 64))
def test_forecasts_keep_the_work(backlog: list[Work], capacity: float) -> None:
    """Nobody is ready before it starts, nor before its own work can be done, and the last not before all is done."""
    seen = outlook(*backlog, capacity=capacity)
    found = forecasts(seen)
    assert found.keys() == {work.job_id for work in backlog}
    for work in seen.works:
        assert found[work.job_id].ready >= max(found[work.job_id].start, work.cost_left / capacity)
    if backlog:
        assert max(forecast.ready for forecast in found.values()) >= seen.outlook.wait * 0.999


@given(st.lists(WORKS, max_size=12, unique_by=lambda work: work.job_id), st.floats(0.5, 64))
def test_sums_forecast_what_all_jobs_in_their_order_do(backlog: list[Work], capacity: float) -> None:
    """To the rounding of targets: of jobs in one tick either may be the first."""
    seen = outlook(*map(apart, enumerate(backlog)), capacity=capacity)
    expected = true_forecasts(seen.works, seen.outlook)
    for job_id, found in forecasts(seen).items():
        assert (found.start, found.ready) == pytest.approx((expected[job_id].start, expected[job_id].ready), abs=1e-3)


@given(st.lists(WORKS, max_size=8, unique_by=lambda work: work.job_id), WORKS)
def test_another_job_makes_nobody_earlier(backlog: list[Work], new: Work) -> None:
    """More work never brings a forecast forward."""
    before, after = forecasts(outlook(*backlog)), forecasts(outlook(*backlog, replace(new, job_id="new")))
    for job_id, forecast in before.items():
        assert after[job_id].ready >= forecast.ready * 0.999
        assert after[job_id].start >= forecast.start * 0.999
