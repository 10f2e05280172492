"""Turns: room in the queue that is kept for those who were told to come back.

Who is refused because the queue is full is told a time and given a turn. At its time it finds room, as newcomers are
taken only into room that no turn needs. A turn that nobody comes for is over after a grace, and what it kept is free.

    by its token       a client that sends the refusal's token back keeps its turn, however often it asks too early
    by its address     any other is known by its address and the length of what it sends: asking again at once it is the
                       same client; later, another one behind the same address, which gets a turn of its own, and they
                       are used in order

A client that has a turn is never a newcomer: asking again and again brings nothing. Turns live in the memory of the one
web process there is; if it ends, those who wait come back as newcomers.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import NamedTuple

from web.upload.limits import OVERHEAD_BYTES

KEPT = 1000  # some 300 kB; with a second of work each they fill a quarter of the longest time that anybody is told
TURNS_A_KEY = 8  # so that one address cannot take all turns of a size by asking for them
AGAIN_SECONDS = 3.0  # a script that tries again at once pauses for no longer
# Browsers wake the timers of a page in the background once a minute. Where queues are shorter, what is kept in vain for
# so long would leave encoders without work: two thirds of the longest wait always stay.
LONGEST_GRACE_SECONDS = 90.0
GRACE_SHARE = 1 / 3
# How far apart turns are, times the work that they are given for: by so much the encoders may be slower than predicted
# before too many come at once. As long as they are not, newcomers have what is between the turns.
SPACING = 1.1


class TurnClaim(NamedTuple):
    """What a turn asks for: that in so many `seconds` (0 once its time has come) there is room for so much `work`."""

    seconds: float
    work: float


def leaves_room(wait: float, claims: Iterable[TurnClaim], limit: float) -> bool:
    """Tell whether each of the claims (earliest first) finds a wait within the limit when it comes.

    `wait` is that of now, in seconds, and gets shorter by a second a second; works are seconds too. Claims further away
    than the limit do not count: what is taken now is done by then, and should jobs cost more than they did when those
    turns were given, encoders would be without work now for the sake of a time about which little is known.
    """
    passed = 0.0
    for seconds, work in claims:
        if seconds > limit:
            break
        wait = _shorter(wait, seconds - passed)
        if wait > limit:
            return False
        wait, passed = wait + work, seconds
    return True


def room_behind(wait: float, claims: Iterable[TurnClaim], limit: float) -> float:
    """Return in how many seconds the wait is down to the limit when all of the claims (earliest first) have come.

    That is at SPACING, and as if newcomers filled the queue up to its limit at once: room that is free now would be
    promised for later otherwise, and encoders might be without work for the sake of clients that never come back.
    """
    passed, full = 0.0, False
    for seconds, work in claims:
        if seconds > 0 and not full:
            wait, full = max(wait, limit), True
        wait, passed = _shorter(wait, seconds - passed) + SPACING * work, seconds
    return passed + max(0.0, wait - limit)


def claims_of(turns: Iterable[Turn], work: Callable[[int | None], float], now: float, most: float) -> list[TurnClaim]:
    """Return what the turns claim, in their order; those of one client together no more than `most` seconds of work.

    A client that announces bytes without end would otherwise keep the whole queue for itself, with nothing sent yet.
    """
    kept: defaultdict[str, float] = defaultdict(float)
    claims = []
    for turn in turns:
        wanted = min(work(turn.size), most - kept[turn.client])
        kept[turn.client] += wanted
        claims.append(TurnClaim(turn.due - now if turn.due > now else 0.0, wanted))
    return claims


def _shorter(wait: float, seconds: float) -> float:
    return wait - seconds if wait > seconds else 0.0


def grace(limit: float) -> float:
    """Return how many seconds after its time a turn is kept where nobody waits longer than the limit."""
    return min(LONGEST_GRACE_SECONDS, GRACE_SHARE * limit)


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """The room kept for one client, from `due` (monotonic) on; `size` are the bytes it announced (None: in chunks).

    Of turns with one `due`, the one with the lower `number` was given first and comes first.
    """

    due: float
    number: int
    token: str = field(compare=False)
    client: str = field(compare=False)
    size: int | None = field(compare=False)
    asked_at: float = field(compare=False)

    @property
    def key(self) -> tuple[str, int | None]:
        """What is known of a client that brings no token."""
        return self.client, self.size

    def admits(self, size: int | None) -> bool:
        """Tell whether a body of this size is the one the turn was given for; the form around a file may differ."""
        if self.size is None or size is None:
            return self.size is size
        return size <= self.size + OVERHEAD_BYTES

    def has_come(self, now: float) -> bool:
        """Tell whether it is the client's turn."""
        return now >= self.due


class Turns:
    """All turns in their order, at most `each` of a client. Not safe between threads; `now` is monotonic."""

    def __init__(self, grace_seconds: float, each: int = KEPT) -> None:
        self._grace = grace_seconds
        self._each = each
        self._clients: Counter[str] = Counter()
        self._turns: list[Turn] = []
        self._numbers = count()
        self._tokens: dict[str, Turn] = {}
        self._keys: defaultdict[tuple[str, int | None], list[Turn]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._turns)

    def forget(self, now: float) -> None:
        """Drop the turns for which nobody came."""
        while self._turns and self._turns[0].due < now - self._grace:
            self.take(self._turns[0])

    def of(self, client: str, size: int | None, token: str, now: float) -> Turn | None:
        """Return the turn of whoever asks; None for one that is new here."""
        known = self._tokens.get(token)
        if known is not None and known.admits(size):
            return known
        own = self._keys.get((client, size), [])
        if own and own[0].has_come(now):
            return own[0]
        if len(own) >= TURNS_A_KEY:
            return own[-1]
        return next((turn for turn in own if now - turn.asked_at <= AGAIN_SECONDS), None)

    def ahead_of(self, turn: Turn | None) -> Sequence[Turn]:
        """Return the turns that come first; all of them for a newcomer, who has none."""
        return self._turns if turn is None else self._turns[: bisect_left(self._turns, turn)]

    def has_key(self, client: str, size: int | None) -> bool:
        """Tell whether somebody with this address and size has a turn."""
        return (client, size) in self._keys

    def give(self, client: str, size: int | None, now: float, *, due: float, token: str) -> Turn | None:
        """Return a new turn with this unguessable token; None if there are too many, of all or of this client."""
        if len(self._turns) >= KEPT or self._clients[client] >= self._each:
            return None
        return self._add(Turn(due, next(self._numbers), token, client, size, asked_at=now))

    def take(self, turn: Turn) -> None:
        """Note that the turn is used, or over."""
        del self._turns[bisect_left(self._turns, turn)]
        del self._tokens[turn.token]
        self._clients[turn.client] -= 1
        if not self._clients[turn.client]:
            del self._clients[turn.client]
        own = self._keys[turn.key]
        own.remove(turn)
        if not own:
            del self._keys[turn.key]

    def keep(self, turn: Turn, now: float, *, due: float) -> Turn:
        """Keep the turn of a client that asked too early, found no room, or broke its upload off, from `due` on."""
        if turn.token in self._tokens:
            self.take(turn)
        number = turn.number if due == turn.due else next(self._numbers)
        return self._add(replace(turn, due=due, number=number, asked_at=now))

    def _add(self, turn: Turn) -> Turn:
        insort(self._turns, turn)
        insort(self._keys[turn.key], turn)
        self._tokens[turn.token] = turn
        self._clients[turn.client] += 1
        return turn
