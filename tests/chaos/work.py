"""What the record showed of the work, moment by moment, and what follows from it: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from storage.model.names import AttemptName
from tests.chaos.faults import Kind

Piece = tuple[str, str]  # job id and task field

# Two faults at once may cost more than one: what a task needs to go on elsewhere.
_NEEDED = frozenset(
    {
        Kind.REDIS,
        Kind.REDIS_FROZEN,
        Kind.JANITOR,
        Kind.POOL_CHILD,
        Kind.ENCODER,
        Kind.ENCODER_PARENT,
        Kind.ENCODER_FROZEN,
        Kind.ROLLING,
        Kind.BROKER,
        Kind.BROKER_FROZEN,
    }
)
KILLS = frozenset({Kind.POOL_CHILD, Kind.ENCODER, Kind.ENCODER_PARENT, Kind.CONTROL})
# Faults whose victims may lose the piece they hold: the dead, the suspended, and those told to stop.
COSTLY = KILLS | {Kind.ENCODER_FROZEN, Kind.ROLLING}


@dataclass(frozen=True, slots=True)
class Held:
    """An attempt that holds a task."""

    piece: Piece
    attempt: str

    @property
    def pid(self) -> int:
        """Id of the process that made the attempt; its name tells."""
        pid = AttemptName.of(self.attempt).worker.pid
        assert pid is not None
        return pid

    @property
    def encodes(self) -> bool:
        """Tell whether this is encoding, and not planning, a poster or packaging."""
        return self.piece[1].startswith(("segment", "audio"))

    @property
    def early(self) -> bool:
        """Tell whether this is work at an upload that is not whole; what is lost of it nobody waits for."""
        return self.piece[1].startswith("early-")


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: unfinished jobs, the attempts in their leases (live or not), finished tasks, and those in a queue.

    So many more are `waiting` and have never begun; nothing is to be seen of them.
    """

    at: float
    unfinished: frozenset[str]
    held: frozenset[Held]
    done: frozenset[Piece]
    queued: frozenset[Piece]
    waiting: int = 0

    @property
    def all_unfinished(self) -> int:
        """How many jobs were unfinished, those that only wait too."""
        return len(self.unfinished) + self.waiting

    def held_by(self, pids: Collection[int]) -> frozenset[Held]:
        """Return what these processes hold and have not finished."""
        return frozenset(held for held in self.held if held.pid in pids and held.piece not in self.done)


@dataclass(frozen=True, slots=True)
class Blow:
    """A fault as it happened, how long it lasted if it is one that lasts, and what its victims held at that moment."""

    at: float
    kind: Kind
    name: str
    held: frozenset[Held]
    seconds: float = 0.0
    pids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Recovery:
    """How long a piece lay still after its attempt was killed, in seconds; None where no sample shows the end of it.

    `offered`: until whoever is free can have it; `resumed`: until somebody has it, which takes longer where all slots
    are busy. `disturbed` tells that something else it needs was hit before, `again` that the piece was hit before: then
    it rests for a while by design.
    """

    blow: Blow
    held: Held
    offered: float | None
    resumed: float | None
    disturbed: bool
    again: bool


@dataclass(frozen=True, slots=True)
class Repeated:
    """An attempt that was superseded: what it did was done again. `cause` is the fault that hit it, if any did."""

    held: Held
    at: float
    seconds: float
    cause: Blow | None


@dataclass(frozen=True, slots=True)
class OwnEnd:
    """A part that ended though nobody had told it to or killed it."""

    part: str
    at: float


def recoveries(blows: Sequence[Blow], samples: Sequence[Sample]) -> tuple[Recovery, ...]:
    """Return for each killed attempt when its piece was queued, held by another attempt, finished or not wanted.

    Early work is left out.
    """
    found = []
    for blow in (blow for blow in blows if blow.kind in KILLS):
        after = [sample for sample in samples if sample.at > blow.at]
        # What it held may not have been seen while Redis was away; a dead attempt's lease stands for a while.
        victims = blow.held | (after[0].held_by(blow.pids) if after else frozenset())
        for held in sorted((one for one in victims if not one.early), key=lambda one: one.piece):
            resumed = next((sample.at for sample in after if _went_on(held, sample)), None)
            offered = next((s.at for s in after if held.piece in s.queued or _went_on(held, s)), None)
            until = float("inf") if resumed is None else resumed
            disturbed = any(
                other is not blow and other.kind in _NEEDED and other.at < until and other.at + other.seconds > blow.at
                for other in blows
            )
            again = any(one.piece == held.piece for earlier in blows if earlier.at < blow.at for one in earlier.held)
            found.append(Recovery(blow, held, _since(blow, offered), _since(blow, resumed), disturbed, again))
    return tuple(found)


def _since(blow: Blow, at: float | None) -> float | None:
    return None if at is None else at - blow.at


def repeated(blows: Sequence[Blow], samples: Sequence[Sample]) -> tuple[Repeated, ...]:
    """Return every attempt at a piece but the last, with how long it was at it."""
    first: dict[Held, float] = {}
    last: dict[Held, float] = {}
    for sample in samples:
        for held in sample.held:
            first.setdefault(held, sample.at)
            last[held] = sample.at
    newest: dict[Piece, Held] = {}
    for held in sorted(first, key=first.__getitem__):
        newest[held.piece] = held
    lost = []
    for held, began in first.items():
        if newest[held.piece] != held:
            cause = _cause(held, began, last[held], blows)
            ended = last[held] if cause is None else max(began, min(cause.at, last[held]))
            lost.append(Repeated(held, began, ended - began, cause))
    return tuple(sorted(lost, key=lambda one: one.at))


def _went_on(held: Held, sample: Sample) -> bool:
    if held.piece[0] not in sample.unfinished or held.piece in sample.done:
        return True
    return any(other.piece == held.piece and other.attempt != held.attempt for other in sample.held)


def _cause(held: Held, began: float, ended: float, blows: Iterable[Blow]) -> Blow | None:
    """Return what hit the attempt, seen until it `ended`; of several blows the one nearest to its beginning.

    What it held is known where Redis could be asked. Elsewhere the process tells, unless the attempt was over by then:
    a dead attempt's lease is seen for seconds after the blow.
    """
    hits = [blow for blow in blows if blow.kind in COSTLY]
    own = [blow for blow in hits if held in blow.held]
    own = own or [blow for blow in hits if held.pid in blow.pids and blow.at <= ended]
    return min(own, key=lambda blow: abs(blow.at - began), default=None)
