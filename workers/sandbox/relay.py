"""The original as a tool sees it: an address on loopback, behind which the store is read with our patience.

ffmpeg's own HTTP gives up on a store that is away for half a minute, and what it then says of the media is wrong: no
video, fewer pictures, silence. Here a read goes on where it broke off; what cannot be read in the end is the store's
failure, by its own type.

An original that is still being uploaded is served as well (workers/sandbox/arriving_view.py). Its reads wait for what
has not come, for as long as the tool wants it: whether it is stuck, its own time limits tell.
"""

from __future__ import annotations

import functools
import re
import secrets
import socket
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Protocol, Self

from storage.errors import BusyError, ObjectStoreDownError, RungsError
from storage.objects.contract import ObjectInfo

AWAY_SECONDS = 10.0  # a reader kept waiting for so long at a time waits for a store that is away
# Reads of the store at once: the poster opens four inputs, and each may leave behind one that it hung up on to seek.
READERS = 8
ByteSpans = tuple[tuple[int, int], ...]  # of bytes: from the first up to the second
_RANGE = re.compile(r"bytes=([0-9]{1,19})-([0-9]{0,19})")


class Readable(Protocol):
    """What a relay serves from: an ObjectStore, or what stands in for one."""

    def stat(self, key: str) -> ObjectInfo:
        """See ObjectStore.stat."""

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See ObjectStore.read. An empty chunk says that the next bytes are not there yet."""


class Relay:
    """Serves one object while the context lasts; entering raises what ObjectStore.stat raises."""

    def __init__(
        self,
        objects: Readable,
        key: str,
        without: ByteSpans = (),
        blank: ByteSpans = (),
        away: type[BusyError] = ObjectStoreDownError,
    ) -> None:
        """Leave out the spans `without`, sorted: tools see a file that has never had them. `blank` ones are zeros.

        `away` is what a tool has failed of that was kept waiting.
        """
        self._objects = objects
        self._key = key
        self._away = away
        self._without = without
        self._blank = blank
        self._path = f"/{secrets.token_hex()}"
        self._failure: RungsError | None = None
        self._longest_wait = 0.0
        self.readers = threading.BoundedSemaphore(READERS)
        self._waits: dict[int, float] = {}
        self.over = threading.Event()

    def __enter__(self) -> Self:
        whole = self._objects.stat(self._key).size
        self._kept = kept(whole, self._without)
        self.size = sum(end - start for start, end in self._kept)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, self))
        threading.Thread(target=self._server.serve_forever, name="relay", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """What the tool opens."""
        return f"http://127.0.0.1:{self._server.server_port}{self._path}"

    def serves(self, path: str) -> bool:
        """Tell whether a request's path is the object's."""
        return secrets.compare_digest(path.encode(), self._path.encode())

    def check(self, *, failed: bool) -> None:
        """Raise the store's error, if the tool was not given what it asked for.

        A tool that `failed` may also have been kept waiting for longer than its time limits bear.
        """
        if self._failure is not None:
            raise self._failure
        longest = max([self._longest_wait, *(time.monotonic() - began for began in list(self._waits.values()))])
        if failed and longest >= AWAY_SECONDS:
            raise self._away(detail=f"No answer for {longest:.0f} s: {self._key}")

    def read(self, start: int, end: int) -> Generator[bytes]:
        """Yield the bytes that are seen from `start` up to `end`; what it raises of the store, `check` raises too.

        Nothing is yielded, again and again, while bytes are waited for that have not come.
        """
        for begins, ends in places(start, end, self._kept):
            yield from self._read(begins, ends)

    def _read(self, start: int, end: int) -> Generator[bytes]:
        while start < end:
            chunks = self._objects.read(self._key, start=start, length=end - start)
            begun_at = start
            try:
                for chunk in self._waited(chunks):
                    yield blanked(chunk, start, self._blank)
                    start += len(chunk)
                if start == begun_at:
                    raise ObjectStoreDownError(detail=f"Nothing came of {self._key}.")
            except RungsError as error:
                # The store itself perseveres; a read that broke off half-way is all that is left to mend here.
                if start == begun_at or not isinstance(error, ObjectStoreDownError):
                    self._failure = error
                    raise

    def _waited(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the chunks; a wait lasts until there are bytes."""
        chunk: bytes | None = b""
        while chunk is not None:
            with self._waiting():
                while (chunk := next(chunks, None)) == b"":
                    yield b""
            if chunk:
                yield chunk

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        me, began = threading.get_ident(), time.monotonic()
        self._waits[me] = began
        try:
            yield
        finally:
            del self._waits[me]
            self._longest_wait = max(self._longest_wait, time.monotonic() - began)


class _Handler(BaseHTTPRequestHandler):
    """Answers a GET of the object or of its end, as seeking readers ask."""

    def __init__(self, relay: Relay, *arguments: Any) -> None:
        self._relay = relay
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Send what is asked for; a tool that seeks hangs up before the end."""
        if not self._relay.serves(self.path):
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        start, end = asked_range(self.headers.get("Range", ""), self._relay.size)
        if start >= end:
            self.send_error(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            return
        self.send_response(HTTPStatus.PARTIAL_CONTENT)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/{self._relay.size}")
        self.send_header("Content-Length", str(end - start))
        with suppress(ConnectionError, RungsError):  # an error of the store is kept for `check`
            self.end_headers()
            with self._relay.readers, closing(self._relay.read(start, end)) as chunks:
                for chunk in chunks:
                    if chunk:
                        self.wfile.write(chunk)
                    elif self._relay.over.is_set() or self._hung_up():
                        return

    def _hung_up(self) -> bool:
        """Tell whether the tool has closed this connection; it sends nothing more on one that it still reads."""
        try:
            return not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Say nothing: the tool's own lines tell what matters."""


def blanked(data: bytes, start: int, spans: ByteSpans) -> bytes:
    """Return an object's bytes from `start` on with zeros in place of what lies in the spans, which are of the object.

    Nothing moves.
    """
    for begins, ends in spans:
        first, last = max(0, begins - start), min(len(data), ends - start)
        if first < last:
            data = data[:first] + bytes(last - first) + data[last:]
    return data


def kept(size: int, without: ByteSpans) -> ByteSpans:
    """Return the spans of an object of `size` bytes that are left `without` those, which are sorted."""
    starts = [0, *(min(end, size) for _, end in without)]
    ends = [*(min(start, size) for start, _ in without), size]
    return tuple((start, end) for start, end in zip(starts, ends, strict=True) if start < end)


def places(start: int, end: int, spans: ByteSpans) -> Iterator[tuple[int, int]]:
    """Yield where in the object the bytes from `start` to `end` lie of what the spans, one after another, hold."""
    before = 0
    for begins, ends in spans:
        first, last = max(start - before, 0), min(end - before, ends - begins)
        if first < last:
            yield begins + first, begins + last
        before += ends - begins


def asked_range(header: str, size: int) -> tuple[int, int]:
    """Return where a request's range begins and ends (exclusive): all `size` bytes without one."""
    match = _RANGE.fullmatch(header)
    if match is None:
        return 0, size
    start, end = min(size, int(match[1])), min(size, int(match[2]) + 1) if match[2] else size
    return start, max(start, end)
