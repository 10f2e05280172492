"""A line that passes so many bytes of its clients and then holds the rest back: there something can be killed."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self

_PIECE = 65536


class HeldLine:
    """A TCP proxy before one server. `held` is set when `most` bytes of clients have come; `release` lets all pass."""

    def __init__(self, port: int, most: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._left = most
        self.held = threading.Event()
        self._released = threading.Event()

    @property
    def port(self) -> int:
        """Port that clients connect to."""
        port: int = self._listener.getsockname()[1]
        return port

    def release(self) -> None:
        """Let everything pass from now on."""
        self._released.set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed: the end
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(self._target) as server:
            answers = threading.Thread(target=self._pass, args=(server, client), daemon=True)
            answers.start()
            self._pass(client, server)
            answers.join()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_PIECE):
                if target.getpeername() == self._target:
                    self._hold(len(data))
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _hold(self, size: int) -> None:
        self._left -= size
        if self._left <= 0 and not self._released.is_set():
            self.held.set()
            self._released.wait()
