"""A TCP proxy that can lose an answer: the server has done what it was asked, the client sees a broken connection."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self

_PIECE = 65536


class LossyProxy:
    """Passes bytes between clients and one server; after `lose_next_answer` the next answer is dropped, once."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lose = threading.Event()
        self.lost = 0

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
        """Drop the next answer and both its connections."""
        self._lose.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed: the end
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, answers: bool) -> None:  # noqa: FBT001 - private
        with contextlib.suppress(OSError), source, target:  # either side may hang up
            while data := source.recv(_PIECE):
                if answers and self._lose.is_set():
                    self._lose.clear()
                    self.lost += 1
                    # The other thread waits in recv on it, which closing alone does not end.
                    target.shutdown(socket.SHUT_RDWR)
                    return
                target.sendall(data)
