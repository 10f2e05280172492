"""Many clients that upload at a steady rate, whatever answer they get; some do as `Retry-After` says and some do not.

No load generator of closed loops: its users would wait for the service, which is what these must not do.
"""

from __future__ import annotations

import heapq
import http.client
import json
import random
import socket
import threading
import time
from collections.abc import Iterator, Sequence
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


SHARES = {Kind.TURN: 0.3, Kind.ADDRESS: 0.15, Kind.OFFICE: 0.05, Kind.IMPATIENT: 0.5}


@dataclass(frozen=True, slots=True)
class Tried:
    """One answer: `number` counts the client's tries from 1, `at` is monotonic; status 0 is a broken connection."""

    kind: Kind
    number: int
    at: float
    status: int
    retry_after: int = 0

    @property
    def accepted(self) -> bool:
        """Tell whether it became a job."""
        return self.status == HTTPStatus.ACCEPTED


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


@dataclass(slots=True)
class Crowd:
    """Clients of the web service on this port, each with one of the `bodies` (forms)."""

    port: int
    bodies: Sequence[bytes]
    rate: float
    seed: int = 0
    tried: list[Tried] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _visits: list[_Visit] = field(default_factory=list)
    _changed: threading.Lock = field(default_factory=threading.Lock)

    def run(self, seconds: float, *, returns: float) -> int:
        """Let clients come for so long, and others come back for some more; return how many were told to come later."""
        began = time.monotonic()
        for visit in self._arrivals(began, seconds):
            heapq.heappush(self._visits, visit)
        tries: list[Future[None]] = []
        with ThreadPoolExecutor(SENDERS) as pool:
            while time.monotonic() < began + seconds + returns:
                tries += [pool.submit(self._try, visit) for visit in self._due()]
                time.sleep(LOOK_SECONDS)
        for done in tries:
            done.result()
        return len(self._visits)

    def _arrivals(self, began: float, seconds: float) -> Iterator[_Visit]:
        chance = random.Random(self.seed)
        at = 0.0
        while (at := at + chance.expovariate(self.rate)) < seconds:
            number = next(self._order)
            kind = chance.choices(list(SHARES), list(SHARES.values()))[0]
            place = number % OFFICES if kind is Kind.OFFICE else OFFICES + number
            address = f"127.1.{place // 250}.{place % 250 + 1}"
            yield _Visit(began + at, number, kind, address, self.bodies[number % len(self.bodies)])

    def _due(self) -> list[_Visit]:
        with self._changed:
            found = []
            while self._visits and self._visits[0].at <= time.monotonic():
                found.append(heapq.heappop(self._visits))
            return found

    def _try(self, visit: _Visit) -> None:
        status, retry_after, turn = self._send(visit)
        tried = Tried(visit.kind, visit.number, time.monotonic(), status, retry_after)
        with self._changed:
            self.tried.append(tried)
            if tried.accepted or (not visit.kind.honours and visit.number >= TRIES_AT_ONCE):
                return
            at = tried.at + (float(retry_after or 1) if visit.kind.honours else AGAIN_SECONDS)
            own = turn if visit.kind is Kind.TURN else ""
            again = replace(visit, at=at, order=next(self._order), number=visit.number + 1, turn=own or visit.turn)
            heapq.heappush(self._visits, again)

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
