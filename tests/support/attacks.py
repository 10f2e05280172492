"""Slow and greedy clients: many connections from one address, each opened anew as soon as it is closed."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.forms import form, part
from tests.support.web_client import Listening, head

ATTACKER = "127.0.0.66"  # everybody else asks from 127.0.0.1
OPEN_SECONDS = 5.0
_READ = 256
_STATUS = b"HTTP/1.1 "
_MANY = 40  # answers of half a megabyte: more than what the kernel holds for a connection
_FILM = 100 * 1024**2  # bytes that each upload announces


@dataclass(frozen=True, slots=True)
class Attack:
    """What each of so many `connections` begins with, and what it sends then, every `pause` seconds.

    A `deaf` one reads nothing of its answer.
    """

    name: str
    connections: int
    opening: Callable[[int], bytes]
    drip: bytes
    pause: float
    deaf: bool = False


def attacks(connections: int, pause: float) -> tuple[Attack, ...]:
    """Return the attacks with so many connections at least, which say something every `pause` seconds."""
    host = b"Host: localhost\r\n"
    form_head = b"POST /language HTTP/1.1\r\n%bContent-Type: application/x-www-form-urlencoded\r\n" % host
    upload = form(part("file", b"\0", "slow.mp4")).partition(b"\0")[0]
    return (
        Attack("slow heads", connections, lambda _: b"GET / HTTP/1.1\r\n%bX-A: a" % host, b"a", pause),
        Attack("slow forms", connections, lambda _: b"%bContent-Length: 1000\r\n\r\na" % form_head, b"a", pause),
        Attack(
            "slow forms in chunks",
            connections,
            lambda _: b"%bTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n" % form_head,
            b"1\r\na\r\n",
            pause,
        ),
        Attack("trickling uploads", connections, lambda _: head(_FILM) + upload, b"\0", pause),
        Attack("uploads without a length", connections, lambda _: head(None) + b"1000000\r\n" + upload, b"\0", pause),
        Attack("watchers", connections, lambda _: b"GET /api/events HTTP/1.1\r\n%b\r\n" % host, b"", pause),
        Attack(
            "readers that take nothing",
            connections,
            lambda _: b"GET /static/vendor/hls.min.mjs HTTP/1.1\r\n%b\r\n" % host * _MANY,
            b"",
            pause,
            deaf=True,
        ),
    )


def hoarding(connections: int, pause: float) -> Attack:
    """Return the attack on turns: heads of uploads of ever other sizes, while the queue is full."""
    return Attack("hoarded turns", connections, lambda number: head(_FILM + number), b"", pause)


@dataclass(slots=True)
class Attackers:
    """The connections of one attack; `answers` counts the statuses that they were given."""

    port: int
    attack: Attack
    answers: Counter[int] = field(default_factory=Counter)
    opened: int = 0
    _sockets: list[socket.socket | None] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def run(self, first: threading.Event) -> None:
        """Attack until told to end; set `first` when every connection has been opened once."""
        self._sockets = [None] * self.attack.connections
        try:
            while not self._ended.is_set():
                for number in range(self.attack.connections):
                    if self._ended.is_set():
                        return
                    self._sockets[number] = self._kept(self._sockets[number])
                first.set()
                self._ended.wait(self.attack.pause)
        finally:
            first.set()
            for sock in self._sockets:
                if sock is not None:
                    sock.close()

    def end(self) -> None:
        """Stop attacking."""
        self._ended.set()

    def _kept(self, sock: socket.socket | None) -> socket.socket | None:
        """Return the connection, or a new one in place of one that was closed; None if nobody takes it now."""
        try:
            if sock is None:
                return self._open()
            if not self._is_open(sock):
                sock.close()
                return self._open()
            if self.attack.drip:
                sock.send(self.attack.drip)
        except OSError:
            if sock is not None:
                sock.close()
            return None
        return sock

    def _open(self) -> socket.socket:
        sock = socket.socket()
        if self.attack.deaf:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.bind((ATTACKER, 0))
        sock.settimeout(OPEN_SECONDS)
        sock.connect(("127.0.0.1", self.port))
        sock.settimeout(0)
        sock.send(self.attack.opening(self.opened))
        self.opened += 1
        return sock

    def _is_open(self, sock: socket.socket) -> bool:
        if self.attack.deaf:
            return True
        try:
            data = sock.recv(_READ)
        except BlockingIOError:
            return True
        if data.startswith(_STATUS):
            self.answers[int(data[len(_STATUS) :][:3])] += 1
        return bool(data)


@contextmanager
def attacking(server: Listening, attack: Attack) -> Iterator[Attackers]:
    """Attack the server while the context lasts, which begins when every connection was tried once."""
    attackers, first = Attackers(server.port, attack), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(attackers.run, first)
        first.wait()
        try:
            yield attackers
        finally:
            attackers.end()
            running.result()
