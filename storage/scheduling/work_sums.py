"""How much work stands before a target, kept as sums so that the answer costs the same in every queue. Pure.

Every unfinished job counts in two places of one line: its start at the start's target, and its rest at its own. Both
are encoder-seconds as they were estimated last. A tree over the targets, in ticks, holds the sum of each node:
what stands before a target is the sum of the nodes beside the way down to it, at most RADIX - 1 of each level.

                       [18ab3.......]            a key has LEVELS hexadecimal digits, the first ones name a node
             [18ab30......]  [18ab31......]      before 18ab31f0...: all of 18ab30, and of 18ab31 what is below f

Four sums answer every question, of all jobs or of one owner's:

    before T    starts and rests whose targets lie before T: what encoders do first
    reach T     that, and what stands behind T as far as the bytes told (storage.scheduling.ahead)
    work        everything
    told        everything as far as the bytes told

Reach needs a second tree, of what each job is more than its bytes told: told, and all such excess before T.
`storage/job_store/lua/work_sums.lua` keeps the same trees in Redis, changed in the scripts that change jobs. Amounts
are whole microseconds, so that nothing drifts, however often they change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor, inf
from typing import Protocol, Self

from storage.scheduling.costs import Work

# Jobs whose targets share a tick are not before each other. What is told of a newcomer is wrong by no more than a tick,
# times how often as much comes in as can be encoded; and each job's own nodes are most of what the trees weigh.
TICKS = 16  # a second
RADIX, LEVELS = 16, 10  # 2 ** 40 ticks: until the year 4147
LAST_KEY = RADIX**LEVELS - 1
MICROSECONDS = 1_000_000
EVERYBODY = ""  # the owner of the sums of all jobs


@dataclass(frozen=True, slots=True)
class Pieces:
    """What one job counts for: whole microseconds of encoder time, at keys of its targets.

    `excess` is how much of it its bytes did not tell. A job that waits has had no encoder yet.
    """

    owner: str
    start_key: int
    start: int
    target_key: int
    rest: int
    excess: int
    waits: bool

    @property
    def work(self) -> int:
        """All of it."""
        return self.start + self.rest


@dataclass(frozen=True, slots=True)
class Point:
    """Where sums are asked for: before a target in Unix seconds, of everybody or of one owner."""

    target: float
    owner: str = EVERYBODY


@dataclass(frozen=True, slots=True)
class Sums:
    """Encoder-seconds before a target, and reaching behind it as far as the bytes told."""

    before: float
    reach: float

    @classmethod
    def of(cls, work: int, work_before: int, excess: int, excess_before: int) -> Self:
        """Return the sums from those of the two trees, in microseconds: of all in them, and before the target."""
        return cls(work_before / MICROSECONDS, (work - excess + excess_before) / MICROSECONDS)


class WorkLine(Protocol):
    """What forecasts and admission ask of the sums: those that the job store keeps, or WorkSums."""

    def sums(self, points: Sequence[Point]) -> tuple[Sums, ...]:
        """Return what stands before each point, and reaches behind it."""

    def owners_over(self, seconds: float) -> tuple[str, ...]:
        """Return the owners whose unfinished jobs have more than so many encoder-seconds."""


def key_of(target: float) -> int:
    """Return the key of a target in Unix seconds: whole milliseconds."""
    return 0 if target <= 0 else LAST_KEY if target == inf else min(LAST_KEY, floor(target * TICKS))


def pieces_of(work: Work) -> Pieces:
    """Return what a job counts for."""
    left = microseconds(work.cost * work.left)
    start = min(left, microseconds(work.start_cost)) if work.waits else 0
    told = max(min(left, microseconds(work.told * work.left)), start)
    return Pieces(
        owner=work.owner,
        start_key=key_of(work.start_target),
        start=start,
        target_key=key_of(work.target),
        rest=left - start,
        excess=left - told,
        waits=work.waits,
    )


def microseconds(seconds: float) -> int:
    """Return seconds as amounts are kept."""
    return floor(seconds * MICROSECONDS + 0.5)


class SumTree:
    """Amounts at keys, and the sum of those before a key in so many steps as a key has digits."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[int, int], int] = defaultdict(int)
        self.total = 0

    def add(self, key: int, amount: int) -> None:
        """Add an amount at a key; one below 0 takes away."""
        if not amount:
            return
        self.total += amount
        for level in range(LEVELS):
            node = level, key // RADIX**level
            self._nodes[node] += amount
            if not self._nodes[node]:
                del self._nodes[node]

    def before(self, key: int) -> int:
        """Return the sum of all amounts at keys below this one."""
        found = 0
        for level in range(LEVELS):
            digits = key // RADIX**level
            found += sum(self._nodes.get((level, digits - below), 0) for below in range(1, digits % RADIX + 1))
        return found


class WorkSums:
    """The sums of all jobs and of each owner's; what the simulator has in place of Redis, and tests beside it."""

    def __init__(self, pieces: Iterable[Pieces] = ()) -> None:
        self._work: dict[str, SumTree] = defaultdict(SumTree)
        self._excess: dict[str, SumTree] = defaultdict(SumTree)
        for one in pieces:
            self.change(None, one)

    def change(self, old: Pieces | None, new: Pieces | None) -> None:
        """Put what a job counts for now in place of what it counted for; None for one that was not there, or went."""
        for one, sign in ((old, -1), (new, 1)):
            if one is None:
                continue
            for owner in (EVERYBODY, one.owner):
                self._work[owner].add(one.start_key, sign * one.start)
                self._work[owner].add(one.target_key, sign * one.rest)
                self._excess[owner].add(one.target_key, sign * one.excess)

    def sums(self, points: Sequence[Point]) -> tuple[Sums, ...]:
        """Return what stands before each point, and reaches behind it."""
        return tuple(map(self._sums, points))

    def _sums(self, point: Point) -> Sums:
        work, excess, key = self._work[point.owner], self._excess[point.owner], key_of(point.target)
        return Sums.of(work.total, work.before(key), excess.total, excess.before(key))

    def work(self, owner: str = EVERYBODY) -> float:
        """Return all encoder-seconds."""
        return self._work[owner].total / MICROSECONDS

    def owners_over(self, seconds: float) -> tuple[str, ...]:
        """Return the owners whose jobs have more than so many encoder-seconds."""
        over = (owner for owner, tree in self._work.items() if owner and tree.total > seconds * MICROSECONDS)
        return tuple(over)
