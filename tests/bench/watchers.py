"""Hundreds of open event streams in one thread: each watches a job of its own, as the job's page does."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from types import TracebackType
from typing import Self

from storage.model.job import JobState
from tests.support.streams import EventLines, Sent
from tests.support.waiting import wait_until

OPENING_AT_ONCE = 16  # as many pages as are opened at one moment
OPEN_SECONDS = 120.0
PLACES = 250  # addresses in use of each 256
_OK = b"HTTP/1.1 200 "
_OVER = frozenset(state.value for state in JobState if state.finished)


@dataclass(slots=True)
class Stream:
    """A watcher's stream: what it has shown of its job, and when it said something (monotonic), a sign of life too."""

    job_id: str
    address: str
    position: int | None = None
    state: str = ""
    events: int = 0
    said: list[float] = field(default_factory=list)
    trouble: str = ""  # why it ended before its job did
    closed: bool = False

    def silences(self, until: float) -> list[float]:
        """Return how many seconds passed between two things that it said: for so long it showed the place of before.

        The last is that until then, unless it has ended.
        """
        return [later - earlier for earlier, later in pairwise(self.said if self.closed else [*self.said, until])]

    def take(self, sent: Sent) -> None:
        """Show what an event says of the job."""
        self.events += 1
        job = sent.data.get("job")
        self.state = "deleted" if job is None else job["state"]
        self.position = None if job is None else job["queue_position"]

    def close(self, trouble: str) -> None:
        """Note its end, and what ended it; only the end of its job is no trouble."""
        self.closed = True
        self.trouble = trouble or ("" if self.state in {*_OVER, "deleted"} else "ended before its job")


class Watchers:
    """Watches each of the jobs while it is entered, from an address each, as people do."""

    def __init__(self, port: int, job_ids: Sequence[str]) -> None:
        self._port = port
        self.streams = [
            Stream(job_id, f"127.3.{place // PLACES}.{place % PLACES + 1}") for place, job_id in enumerate(job_ids)
        ]
        self._thread = threading.Thread(target=lambda: asyncio.run(self._watch()), name="watchers")
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        wait_until(self._have_begun, seconds=OPEN_SECONDS, what="open streams")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _have_begun(self) -> bool:
        return all(stream.events or stream.closed for stream in self.streams)

    async def _watch(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        opening = asyncio.Semaphore(OPENING_AT_ONCE)
        tasks = [asyncio.create_task(self._follow(stream, opening)) for stream in self.streams]
        await self._stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, stream: Stream, opening: asyncio.Semaphore) -> None:
        try:
            async with opening:
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", self._port, local_addr=(stream.address, 0), limit=2**20
                )
                await _ask(reader, writer, f"/api/jobs/{stream.job_id}/events")
            try:
                await _read(reader, stream)
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
        except (OSError, EOFError, ValueError) as error:
            stream.close(f"{type(error).__name__}: {error}")
        else:
            stream.close("")


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> None:
    """Ask for the path and read the head of the answer. Raises ValueError for any but 200."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(_OK):
        raise ValueError(head.partition(b"\r\n")[0].decode())


async def _read(reader: asyncio.StreamReader, stream: Stream) -> None:
    lines, begun = EventLines(), ""
    async for piece in _chunks(reader):
        *whole, begun = (begun + piece.decode()).split("\n")
        for sent in filter(None, map(lines.take, whole)):
            stream.take(sent)
        stream.said.append(time.monotonic())


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Yield the pieces of a chunked body. Raises EOFError where it breaks off."""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
