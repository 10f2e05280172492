"""Many clients that upload when it is their time, whatever answer they get; some do as `Retry-After` says, some do not.

No load generator of closed loops: its users would wait for the service, which is what these must not do. A client is
its next visit, in a heap by time, so ten thousand of them cost no more threads than a hundred.
"""

from __future__ import annotations

import heapq
import http.client
import json
import random
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from http import HTTPStatus
from itertools import count

from tests.support.forms import CONTENT_TYPE

ANSWER_SECONDS = 60.0
LOOK_SECONDS = 0.01  # between two looks at who is due
SENDERS = 64  # uploads at once: as many as the service takes
AGAIN_SECONDS = 0.5  # how soon impatient ones try again
TRIES_AT_ONCE = 4
GO_ON = b"HTTP/1.1 100"
OFFICES = 3  # addresses that several clients share
PLACES = 250  # addresses in use of each 256
REFUSALS = frozenset({HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS})


class Kind(StrEnum):
    """What a client does when it is refused."""

    TURN = "come back with their turn"
    ADDRESS = "come back without it"
    OFFICE = "the same, several behind one address"
    IMPATIENT = "try again at once, then give up"

    @property
    def honours(self) -> bool:
        """Tell whether it comes back when it was told to."""
        return self is not Kind.IMPATIENT


SHARES: Mapping[Kind, float] = {Kind.TURN: 0.3, Kind.ADDRESS: 0.15, Kind.OFFICE: 0.05, Kind.IMPATIENT: 0.5}


@dataclass(frozen=True, slots=True)
class Tried:
    """One answer: `number` counts the client's tries from 1, `at` is monotonic; status 0 is a broken connection.

    The answer took so many `seconds`, the sending of the form included. `kept` tells that it kept room for the client,
    `called` that the answer before did, so that this was the client's turn.
    """

    kind: Kind
    number: int
    at: float
    status: int
    retry_after: int = 0
    seconds: float = 0.0
    kept: bool = False
    called: bool = False

    @property
    def accepted(self) -> bool:
        """Tell whether it became a job."""
        return self.status == HTTPStatus.ACCEPTED

    @property
    def clear(self) -> bool:
        """Tell whether it became a job, or was refused with a time to come back at."""
        return self.accepted or (self.status in REFUSALS and self.retry_after > 0)


@dataclass(frozen=True, slots=True, order=True)
class _Visit:
    """A client's next try."""

    at: float
    order: int
    kind: Kind = field(compare=False)
    address: str = field(compare=False)
    body: bytes = field(compare=False)
    number: int = field(compare=False, default=1)
    turn: str = field(compare=False, default="")
    called: bool = field(compare=False, default=False)


def steadily(rate: float, seconds: float, chance: random.Random) -> Iterator[float]:
    """Yield when clients come that know nothing of each other, `rate` a second on average for so many seconds."""
    at = 0.0
    while (at := at + chance.expovariate(rate)) < seconds:
        yield at


def within(clients: int, seconds: float, chance: random.Random) -> Iterator[float]:
    """Yield when so many clients come that know nothing of each other, all within so many seconds."""
    yield from sorted(chance.uniform(0.0, seconds) for _ in range(clients))


@dataclass(slots=True)
class Crowd:
    """Clients of the web service on this port, each with one of the `bodies` (forms).

    A client comes at each of the `arrivals` (seconds after the beginning); `shares` are those of the kinds.
    """

    port: int
    bodies: Sequence[bytes]
    arrivals: Sequence[float]
    shares: Mapping[Kind, float] = field(default_factory=lambda: SHARES)
    seed: int = 0
    tried: list[Tried] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _visits: list[_Visit] = field(default_factory=list)
    _changed: threading.Lock = field(default_factory=threading.Lock)

    def run(self, seconds: float) -> int:
        """Let clients come and come back for so long; return how many of them were told to come later."""
        began = time.monotonic()
        for visit in self._first_visits(began):
            heapq.heappush(self._visits, visit)
        tries: list[Future[None]] = []
        with ThreadPoolExecutor(SENDERS) as pool:
            while time.monotonic() < began + seconds:
                tries += [pool.submit(self._try, visit) for visit in self._due()]
                time.sleep(LOOK_SECONDS)
        for done in tries:
            done.result()
        return len(self._visits)

    def _first_visits(self, began: float) -> Iterator[_Visit]:
        chance = random.Random(self.seed)
        for at in self.arrivals:
            number = next(self._order)
            kind = chance.choices(list(self.shares), list(self.shares.values()))[0]
            place = number % OFFICES if kind is Kind.OFFICE else OFFICES + number
            address = f"127.1.{place // PLACES}.{place % PLACES + 1}"
            yield _Visit(began + at, number, kind, address, self.bodies[number % len(self.bodies)])

    def _due(self) -> list[_Visit]:
        with self._changed:
            found = []
            while self._visits and self._visits[0].at <= time.monotonic():
                found.append(heapq.heappop(self._visits))
            return found

    def _try(self, visit: _Visit) -> None:
        began = time.monotonic()
        status, retry_after, turn = self._send(visit)
        at = time.monotonic()
        tried = Tried(visit.kind, visit.number, at, status, retry_after, at - began, bool(turn), visit.called)
        with self._changed:
            self.tried.append(tried)
            if not tried.accepted and (visit.kind.honours or visit.number < TRIES_AT_ONCE):
                heapq.heappush(self._visits, self._next(visit, tried, turn))

    def _next(self, visit: _Visit, tried: Tried, turn: str) -> _Visit:
        pause = float(tried.retry_after or 1) if visit.kind.honours else AGAIN_SECONDS
        return replace(
            visit,
            at=tried.at + pause,
            order=next(self._order),
            number=visit.number + 1,
            turn=(turn if visit.kind is Kind.TURN else "") or visit.turn,
            called=tried.kept and visit.kind.honours,
        )

    def _send(self, visit: _Visit) -> tuple[int, int, str]:
        """Upload; return status, Retry-After (0 if none) and the turn."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=ANSWER_SECONDS, source_address=(visit.address, 0)
        )
        headers = {"Content-Type": CONTENT_TYPE, "Content-Length": str(len(visit.body))}
        headers |= {"Rungs-Turn": visit.turn} if visit.turn else {}
        # As curl does with large bodies, and browsers do not.
        asks = visit.kind.honours
        headers |= {"Expect": "100-continue"} if asks else {}
        try:
            connection.putrequest("POST", "/api/jobs")
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            if not asks or connection.sock.recv(len(GO_ON), socket.MSG_PEEK | socket.MSG_WAITALL) == GO_ON:
                connection.send(visit.body)
            answer = connection.getresponse()
            problem = json.loads(answer.read())
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            return 0, 0, ""
        finally:
            connection.close()
        return answer.status, int(answer.headers.get("Retry-After", 0)), str(problem.get("turn") or "")
