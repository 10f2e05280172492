"""Canaries: files that nobody has a reason to open and ports that nobody has a reason to reach, and who did so."""

from __future__ import annotations

import ctypes
import os
import queue
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

SECRET = "canary-of-the-files-beside"  # what each file holds
NAMES = ("secret.txt", "secret.ts", "secret.mp4", "secret.key", "secret.sub", "picture_002.png")
KNOWN_PORT = 8099  # which ../shared/media/nasty names
_OPENED = 0x20  # IN_OPEN of inotify(7)
_EVENT = struct.Struct("iIII")
_READ_BYTES = 65536


class Canaries:
    """Files in a folder beside an upload, listeners on loopback: TCP (which is HTTP too) and UDP, while it is entered.

    The folder is watched by the kernel, so that an opening is noticed whatever becomes of it. Who reaches a port is cut
    off at once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = self.udp_port = 0
        self._hearing = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._reached: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._sockets: list[socket.socket] = []
        self._watch = -1

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            (self.folder / name).write_text(f"{SECRET}\n" * 64)
        libc = ctypes.CDLL(None, use_errno=True)
        self._watch = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert libc.inotify_add_watch(self._watch, os.fsencode(self.folder), _OPENED) >= 0
        self.port = self._listen(0)
        self._hearing.bind(("127.0.0.1", 0))
        self._hearing.settimeout(0)
        self._sockets.append(self._hearing)
        self.udp_port = int(self._hearing.getsockname()[1])
        with suppress(OSError):  # somebody else's; the files that name it are refused all the same
            self._listen(KNOWN_PORT)
        return self

    def __exit__(self, *_: object) -> None:
        for listening in self._sockets:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits
            listening.close()
        os.close(self._watch)

    def touched(self) -> list[str]:
        """Return the files that were opened and the ports that were reached since the last call."""
        found = set(self._opened())
        while not self._reached.empty():
            found.add(self._reached.get())
        with suppress(BlockingIOError):
            while self._hearing.recv(_READ_BYTES):
                found.add("udp")
        return sorted(found)

    def _listen(self, port: int) -> int:
        listener = socket.create_server(("127.0.0.1", port))
        self._sockets.append(listener)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return int(listener.getsockname()[1])

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self._reached.put("tcp")
                connection.close()

    def _opened(self) -> Iterator[str]:
        try:
            data = os.read(self._watch, _READ_BYTES)
        except BlockingIOError:
            return
        at = 0
        while at < len(data):
            *_, length = _EVENT.unpack_from(data, at)
            at += _EVENT.size + length
            name = data[at - length : at].rstrip(b"\0").decode()
            if name in NAMES:
                yield name
