"""A gunicorn worker that spends a thread on a request only when its head is there, and on each client only its share.

Gunicorn's own gives a connection a thread with its first byte and waits there for the rest, so that a few hundred
clients that say a byte now and then hold all threads. Here the thread that accepts connections reads heads, and the
bodies of forms, and waits for nobody.
"""

from __future__ import annotations

import errno
import selectors
import socket
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from functools import partial
from typing import Any

from gunicorn.http.errors import InvalidHeader, LimitRequestHeaders
from gunicorn.workers.gthread import TConn, ThreadWorker

from storage.errors import AddressShareError, RequestTooSlowError
from web.http.addresses import client_key
from web.http.opening import HeadStage, Opening
from web.http.refusals import bare_refusal
from web.http.retry_after import RETRY_AFTER_SHARE, RETRY_AFTER_SLOW

READ_BYTES = 64 * 1024
_GONE = frozenset({errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK})


class ClientConnection(TConn):  # type: ignore[misc] # gunicorn ships no types
    """A connection, whose it is, and what has come of its next request."""

    def __init__(self, cfg: Any, sock: socket.socket, peer: Any, server: Any, on_close: Callable[[str], None]) -> None:
        super().__init__(cfg, sock, peer, server)
        self.client_key = client_key(peer[0]) if isinstance(peer, tuple) else ""
        self.opening = Opening()
        self.deadline = 0.0
        self._on_close = on_close

    def read(self) -> HeadStage | None:
        """Read what is there, waiting for nothing; None if the client has gone."""
        if self.opening.arrival is HeadStage.WHOLE:
            return HeadStage.WHOLE
        try:
            data = self.sock.recv(READ_BYTES)
        except BlockingIOError:
            return self.opening.arrival
        except OSError:
            return None
        return self.opening.take(data) if data else None

    def answer(self, refusal: bytes) -> None:
        """Send as much of a last answer as the client takes at once."""
        try:
            self.sock.send(refusal)
            self.sock.shutdown(socket.SHUT_WR)
            self.sock.recv(READ_BYTES)  # what is unread would make of the closing a reset, which overtakes the answer
        except OSError:
            return

    def close(self, graceful: bool = False) -> None:  # noqa: FBT001, FBT002 - gunicorn's
        """Close the socket and give the place back."""
        self._on_close(self.client_key)
        self._on_close = lambda _client: None
        super().close(graceful=graceful)


class HeadFirstWorker(ThreadWorker):  # type: ignore[misc] # gunicorn ships no types
    """See above. The worker's `app` tells `head_seconds`, and `connections_of` and `threads_of` a client's key."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._partial: dict[ClientConnection, None] = {}  # those whose request is not whole, the oldest first
        self._connections: Counter[str] = Counter()
        self._running: Counter[str] = Counter()
        self._parked: defaultdict[str, deque[ClientConnection]] = defaultdict(deque)  # their client has its share

    def accept(self, listener: socket.socket) -> None:
        """Accept one connection; say so and close it if its client has as many as it may."""
        try:
            sock, peer = listener.accept()
        except OSError as error:
            if error.errno in _GONE:
                return
            raise
        self.nr_conns += 1
        conn = ClientConnection(self.cfg, sock, peer, listener.getsockname(), self._forget)
        self._connections[conn.client_key] += 1
        if self._connections[conn.client_key] > self.app.connections_of(conn.client_key):
            self._end(conn, bare_refusal(AddressShareError(retry_after=RETRY_AFTER_SHARE)))
        else:
            self.enqueue_req(conn)

    def enqueue_req(self, conn: ClientConnection) -> None:
        """Begin with the connection's next request: of a new one, or of one that was kept alive."""
        conn.init()
        conn.data_ready = True
        conn.sock.settimeout(0)
        conn.opening = Opening(conn.parser.unreader.take_buffered())
        conn.deadline = time.monotonic() + self.app.head_seconds
        self._go_on(conn)

    def finish_request(self, conn: ClientConnection, fs: Any) -> None:
        """Give the thread back, to the client's own next request first."""
        key = conn.client_key
        _less(self._running, key)
        super().finish_request(conn, fs)
        while self._parked[key] and self._running[key] < self.app.threads_of(key):
            self._start(self._parked[key].popleft())
        if not self._parked[key]:
            del self._parked[key]

    def murder_pending(self) -> None:
        """Let go of those whose request did not come in time, or has not begun when the worker stops.

        Gunicorn calls this about once a second.
        """
        super().murder_pending()
        now = time.monotonic()
        for conn in [conn for conn in self._partial if conn.deadline <= now or not (self.alive or conn.opening.data)]:
            self._settle(conn)
            # Who said nothing is not answered: a browser may have opened the connection in advance.
            said = bare_refusal(RequestTooSlowError(retry_after=RETRY_AFTER_SLOW)) if conn.opening.data else b""
            self._end(conn, said)

    def _go_on(self, conn: ClientConnection) -> None:
        match conn.read():
            case HeadStage.PARTIAL:
                if conn not in self._partial:
                    self._partial[conn] = None
                    self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_readable, conn))
            case HeadStage.WHOLE:
                self._settle(conn)
                self._start(conn)
            case HeadStage.TOO_LONG:
                self._settle(conn)
                self._refuse(conn, LimitRequestHeaders("the head of the request is too long"))
            case HeadStage.NO_HEAD:
                self._settle(conn)
                self._refuse(conn, InvalidHeader("bare LF as line terminator"))
            case None:
                self._settle(conn)
                self._end(conn, b"")

    def _on_readable(self, conn: ClientConnection, _sock: object) -> None:
        self._go_on(conn)

    def _start(self, conn: ClientConnection) -> None:
        """Have the request answered by a thread, now or when its client has one free."""
        key = conn.client_key
        if self._running[key] >= self.app.threads_of(key):
            self._parked[key].append(conn)
            return
        self._running[key] += 1
        conn.parser.unreader.unread(bytes(conn.opening.data))
        conn.opening = Opening()
        super().enqueue_req(conn)

    def _settle(self, conn: ClientConnection) -> None:
        """Wait no more for the connection's request."""
        if conn in self._partial:
            del self._partial[conn]
            self.poller.unregister(conn.sock)

    def _refuse(self, conn: ClientConnection, error: Exception) -> None:
        self.handle_error(None, conn.sock, conn.client, error)
        self._end(conn, b"")

    def _end(self, conn: ClientConnection, refusal: bytes) -> None:
        conn.sock.settimeout(0)
        conn.answer(refusal)
        self.nr_conns -= 1
        conn.close()

    def _forget(self, key: str) -> None:
        _less(self._connections, key)


def _less(counted: Counter[str], key: str) -> None:
    counted[key] -= 1
    if not counted[key]:
        del counted[key]
