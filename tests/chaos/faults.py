"""The schedule of faults: pure, so that the same seed always gives the same one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Broker(StrEnum):
    """Who carries the messages; the job records are in Redis in any case."""

    REDIS = "redis"
    RABBITMQ = "rabbitmq"


class Kind(StrEnum):
    """What can happen to an installation."""

    POOL_CHILD = "pool child killed"
    ENCODER = "encoder killed"  # with its children, as a machine that dies
    ENCODER_PARENT = "encoder's parent killed"  # its children are left behind in the middle of their work
    ENCODER_FROZEN = "encoder frozen"  # a machine that is suspended and comes back with what it held
    WEB_WORKER = "web worker killed"
    WEB = "web killed"
    CONTROL = "control worker killed"
    JANITOR = "janitor killed"
    REDIS = "redis killed"
    REDIS_FROZEN = "redis frozen"
    MINIO = "minio killed"
    MINIO_FROZEN = "minio frozen"
    CUT_REDIS = "connection to redis cut"
    CUT_MINIO = "connection to minio cut"
    CUT_CLIENT = "client's connection cut"
    LOST_REDIS = "answer of redis lost"  # it has done what it was asked
    LOST_MINIO = "answer of minio lost"
    LOST_CLIENT = "answer to client lost"
    ROLLING = "rolling restart of encoders"
    BROKER = "rabbitmq killed"
    BROKER_FROZEN = "rabbitmq frozen"
    CUT_BROKER = "connection to rabbitmq cut"
    LOST_BROKER = "answer of rabbitmq lost"


# How often each comes in one round; everything comes once before anything comes again in the next round.
_ROUND: dict[Kind, int] = dict.fromkeys(Kind, 1) | {Kind.POOL_CHILD: 3, Kind.ENCODER: 3, Kind.CUT_REDIS: 2}
OF_RABBITMQ = frozenset({Kind.BROKER, Kind.BROKER_FROZEN, Kind.CUT_BROKER, Kind.LOST_BROKER})
_STORES = frozenset({Kind.REDIS, Kind.REDIS_FROZEN, Kind.MINIO, Kind.MINIO_FROZEN, Kind.BROKER, Kind.BROKER_FROZEN})
# They last, and are not to overlap: an installation without a store all the time would show nothing.
_LONG = _STORES | {Kind.ROLLING}
LASTING = _STORES | {Kind.ENCODER_FROZEN}

BEGIN_SECONDS = 5.0  # the first uploads are under way by then
PAUSES = (1.0, 6.0)  # seconds between two faults
RESTARTS = (0.2, 3.0)  # seconds until a worker or web is started again, as a supervisor or an engine takes
OUTAGES = (0.5, 60.0)  # seconds that a store is away, or a machine suspended
LONGEST_SHARE = 0.12  # of the run that one outage may take
ROLLING_SECONDS = 25.0  # what a restart of all encoders takes at least, one after the other
BROKER_START_SECONDS = 15.0  # that a RabbitMQ takes to serve again, where Redis and MinIO take one
RECOVERY_SECONDS = 8.0  # between two of the long ones, so that work done in between shows how it goes on
_AFTERWARDS = {Kind.ROLLING: ROLLING_SECONDS, Kind.BROKER: BROKER_START_SECONDS}
MOST_TARGETS = 1 << 16


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `at` seconds after the beginning; `target` chooses among what there is then, modulo its number.

    `seconds` is how long what was killed stays down, or what was frozen stands still.
    """

    at: float
    kind: Kind
    target: int
    seconds: float

    @property
    def away(self) -> float:
        """For how many seconds what it hits serves nobody, if that is long enough to hold others up."""
        return self.seconds + _AFTERWARDS.get(self.kind, 0.0) if self.kind in LASTING else 0.0


def schedule(seed: int, seconds: float, broker: Broker) -> tuple[Fault, ...]:
    """Return the faults of a run of so many seconds; all of them, outages too, are over by then."""
    chance = random.Random(seed)
    due = _Due(_kinds(chance, broker))
    faults: list[Fault] = []
    at, calm_from = BEGIN_SECONDS, 0.0
    while (at := at + chance.uniform(*PAUSES)) < seconds:
        kind = due.take(long=at >= calm_from)
        lasting = round(_lasting(chance, kind, seconds), 2)
        if round(at, 2) + lasting >= seconds:
            continue
        faults.append(Fault(round(at, 2), kind, chance.randrange(MOST_TARGETS), lasting))
        if kind in _LONG:
            calm_from = at + RECOVERY_SECONDS + lasting + _AFTERWARDS.get(kind, 0.0)
    return tuple(faults)


class _Due:
    """The kinds in their order, long ones put off while another one lasts."""

    def __init__(self, kinds: Iterator[Kind]) -> None:
        self._kinds = kinds
        self._put_off: list[Kind] = []

    def take(self, *, long: bool) -> Kind:
        """Return the next kind; a long one only if told that it may be."""
        if long and self._put_off:
            return self._put_off.pop(0)
        kind = next(self._kinds)
        while kind in _LONG and not long:
            if kind not in self._put_off:
                self._put_off.append(kind)
            kind = next(self._kinds)
        return kind


def _kinds(chance: random.Random, broker: Broker) -> Iterator[Kind]:
    """Yield kinds without end: rounds, each shuffled."""
    absent = frozenset() if broker is Broker.RABBITMQ else OF_RABBITMQ
    while True:
        round_ = [kind for kind, count in _ROUND.items() for _ in range(count) if kind not in absent]
        chance.shuffle(round_)
        yield from round_


def _lasting(chance: random.Random, kind: Kind, seconds: float) -> float:
    if kind not in LASTING:
        return chance.uniform(*RESTARTS)
    shortest, longest = OUTAGES
    longest = max(shortest, min(longest, seconds * LONGEST_SHARE))
    # Short ones and long ones are equally interesting: even in the logarithm.
    return float(shortest * (longest / shortest) ** chance.random())
