"""What comes: arrivals by chance, with lengths of a named mix and owners of whom few bring most. Pure, by a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from math import ceil, log
from random import Random
from statistics import NormalDist

from infra.simulation.videos import Videos, length_at, step_of
from storage.model.job import Priority

BYTES_PER_SECOND = 1_125_000  # 9 Mbit/s, as in the cost model


@dataclass(frozen=True, slots=True)
class Arrival:
    """An upload that is complete `at` seconds after the beginning.

    The video's length stands at `step` of the grid of videos; each of its tasks takes `scale` times as long as there.
    """

    at: float
    owner: str
    step: int
    size: int
    scale: float = 1.0
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True)
class Mix:
    """Lengths of videos in seconds, between `shortest` and `longest`; `below` tells which part is shorter than that."""

    about: str
    shortest: float
    longest: float
    below: Callable[[float], float]

    @cached_property
    def steps(self) -> range:
        """The steps of the grid that its lengths stand at."""
        return range(step_of(self.shortest), step_of(self.longest) + 1)

    @cached_property
    def shares(self) -> list[float]:
        """Which part of the videos stands at each step; they need not add up to 1."""
        edges = [length_at(step) / length_at(1) ** 0.5 for step in (*self.steps, self.steps.stop)]
        return [self.below(high) - self.below(low) for low, high in pairwise(edges)]

    def mean(self, value: Callable[[int], float]) -> float:
        """Return the mean of a value of steps over all videos."""
        pairs = zip(self.steps, self.shares, strict=True)
        return sum(value(step) * share for step, share in pairs) / sum(self.shares)


def lognormal(middle: float, sigma: float) -> Callable[[float], float]:
    """Return the part below a length, half of all being shorter than `middle` seconds; `sigma` is the logarithm's."""
    normal = NormalDist(log(middle), sigma)
    return lambda seconds: normal.cdf(log(seconds))


def pareto(shortest: float, alpha: float) -> Callable[[float], float]:
    """Return the part below a length: of videos longer than `shortest`, 1/x**alpha are more than x times as long."""
    return lambda seconds: 1 - min(1.0, shortest / seconds) ** alpha


MIXES = {
    "clips": Mix("phones: half under 20 s, none over 3 min", 2, 180, lognormal(20, 0.8)),
    "mixed": Mix("a video site: half under 2 min, up to 4 h", 2, 4 * 3600, lognormal(120, 1.5)),
    "films": Mix("5 min to 4 h, Pareto with an exponent of 1.2", 300, 4 * 3600, pareto(300, 1.2)),
}


@dataclass(frozen=True, slots=True)
class Synthetic:
    """Poisson arrivals: `rate` jobs a second for so many `seconds`; the n-th of `owners` brings 1/n of the first's."""

    mix: Mix
    rate: float
    seconds: float
    owners: int
    seed: int

    def arrivals(self) -> Iterator[Arrival]:
        """Yield the arrivals in order; the same ones each time."""
        chance = Random(self.seed)  # noqa: S311 (chance, not secrets)
        lengths = list(accumulate(self.mix.shares))
        owners = list(accumulate(1 / number for number in range(1, self.owners + 1)))
        at = chance.expovariate(self.rate)
        while at < self.seconds:
            step = chance.choices(self.mix.steps, cum_weights=lengths)[0]
            owner = chance.choices(range(self.owners), cum_weights=owners)[0]
            yield Arrival(at, f"owner {owner}", step, ceil(length_at(step) * BYTES_PER_SECOND))
            at += chance.expovariate(self.rate)


def mean_cost(mix: Mix, videos: Videos) -> float:
    """Return the mean encoder-seconds of a job."""
    return mix.mean(lambda step: videos.shape(step).cost)
