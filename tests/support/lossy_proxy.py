"""A TCP proxy that cuts, at any moment or just before an answer that the server has sent, and that holds answers up."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from typing import Self

_PIECE = 65536
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing resets, so that both sides see an error and no orderly end


class LossyProxy:
    """Passes bytes between clients and one server, which may come and go.

    `cut` breaks one connection; after `lose_next_answer` the next answer is dropped with its connection, once: the
    server has done what it was asked, the client sees a broken connection. `delay` seconds pass before each
    answer. As long as `forbidden` is not empty, a connection is cut that asks for something with these bytes in it.
    """

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lose = threading.Event()
        self._open: list[_Connection] = []
        self._lock = threading.Lock()
        self.lost = 0
        self.delay = 0.0
        self.forbidden = b""

    @property
    def port(self) -> int:
        """Port that clients connect to."""
        port: int = self._listener.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._listener.close()

    def lose_next_answer(self) -> None:
        """Drop the next answer and its connection."""
        self._lose.set()

    def cut(self, index: int) -> bool:
        """Break one of the open connections, `index` modulo how many there are; False when there is none."""
        with self._lock:
            chosen = self._open[index % len(self._open)] if self._open else None
        if chosen is not None:
            chosen.cut()
        return chosen is not None

    def lose(self) -> bool:
        """Tell whether the answer that has just come is to be lost."""
        if not self._lose.is_set():
            return False
        self._lose.clear()
        self.lost += 1
        return True

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed: the end
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            try:
                server = socket.create_connection(self._target)
            except OSError:
                return  # a server that is not there: the client sees its connection end
            with server:
                connection = _Connection(self, client, server)
                with self._lock:
                    self._open.append(connection)
                connection.run()
                with self._lock:
                    self._open.remove(connection)


class _Connection:
    """One client's connection: a thread for each direction, until both sides have said that they end or it is cut."""

    def __init__(self, proxy: LossyProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._is_cut = False
        self._asked = False

    def run(self) -> None:
        """Pass bytes on, both ways."""
        answers = threading.Thread(target=self._pass, args=(self._server, self._client), daemon=True)
        answers.start()
        self._pass(self._client, self._server)
        answers.join()

    def cut(self) -> None:
        """Have both sockets reset: the threads that wait in `recv` are woken without a word to the other side."""
        self._is_cut = True
        for end in (self._client, self._server):
            with contextlib.suppress(OSError):  # it may have ended by itself just now
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.shutdown(socket.SHUT_RD)

    def _spoilt(self) -> bool:
        """Hold up the beginning of an answer; tell whether it is to be lost."""
        if self._asked:
            self._asked = False
            time.sleep(self._proxy.delay)
        return self._proxy.lose()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(_PIECE):
                if source is self._client:
                    self._asked = True
                    if self._proxy.forbidden and self._proxy.forbidden in data:
                        self.cut()
                elif self._spoilt():
                    self.cut()
                if self._is_cut:
                    return
                target.sendall(data)
            if not self._is_cut:
                target.shutdown(socket.SHUT_WR)
        except OSError:
            self.cut()  # one side broke it, so the other is to see the same
