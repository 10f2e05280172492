"""The schedule of faults: the same for the same seed, everything in it, over in time, no two outages at once."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from tests.chaos.faults import LASTING, OF_RABBITMQ, OUTAGES, PAUSES, RECOVERY_SECONDS, Broker, Kind, schedule

TEN_MINUTES = 600.0
SEEDS = range(30)
STORES = {Kind.REDIS, Kind.REDIS_FROZEN, Kind.MINIO, Kind.MINIO_FROZEN, Kind.BROKER, Kind.BROKER_FROZEN}


def test_the_same_seed_gives_the_same_schedule() -> None:
    """Times, kinds, targets and lengths; another seed gives another one."""
    assert schedule(7, TEN_MINUTES, Broker.REDIS) == schedule(7, TEN_MINUTES, Broker.REDIS)
    assert schedule(7, TEN_MINUTES, Broker.REDIS) != schedule(8, TEN_MINUTES, Broker.REDIS)


@pytest.fixture(params=Broker)
def broker(request: pytest.FixtureRequest) -> Broker:
    """Give each broker in turn."""
    return Broker(request.param)


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_happens_and_is_over_in_time(seed: int, broker: Broker) -> None:
    """Ten minutes hold every kind several times, one every few seconds, in order."""
    faults = schedule(seed, TEN_MINUTES, broker)
    counts = Counter(fault.kind for fault in faults)
    there = set(Kind) if broker is Broker.RABBITMQ else set(Kind) - OF_RABBITMQ
    assert counts.keys() == there
    assert min(counts.values()) >= 2
    assert all(after.at - before.at >= PAUSES[0] - 0.01 for before, after in pairwise(faults))
    assert TEN_MINUTES / len(faults) < PAUSES[1]
    assert all(fault.at + fault.seconds < TEN_MINUTES for fault in faults)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_outage_at_a_time(seed: int, broker: Broker) -> None:
    """Between two outages of stores there is time to recover."""
    outages = [fault for fault in schedule(seed, TEN_MINUTES, broker) if fault.kind in STORES]
    for before, after in pairwise(outages):
        assert after.at - (before.at + before.seconds) >= RECOVERY_SECONDS - 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_outages_fit_the_run(seed: int, broker: Broker) -> None:
    """Up to a minute in a long run, seconds in a short one."""
    long = [fault.seconds for fault in schedule(seed, TEN_MINUTES, broker) if fault.kind in LASTING]
    short = [fault.seconds for fault in schedule(seed, 60.0, broker) if fault.kind in LASTING]
    assert all(OUTAGES[0] <= seconds <= OUTAGES[1] for seconds in long)
    assert max(long) > 20.0
    assert all(seconds < 10.0 for seconds in short)
