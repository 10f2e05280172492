"""Uploads that trickle: many at once, each a few bytes at a time, and what answers take beside them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from storage.objects.contract import PART_BYTES
from tests.support.forms import form, part, upload
from tests.support.streams import EventStream
from tests.support.waiting import wait_until
from tests.support.web_client import Listening, connected, fetched, figure, head, send_upload
from tests.support.web_server import WebServer

PIECE = bytes(1024)
PAUSE_SECONDS = 0.25  # so each comes with 4 kB/s
HELD_BYTES = 2 * PART_BYTES  # in memory for each at most: the part that fills and, while it is sent, its copy
OPEN_SECONDS = 60.0  # until all have sent their first bytes, on a busy machine
ANNOUNCED_BYTES = 2 * PART_BYTES  # by each; nobody waits for the end


@contextmanager
def trickling(server: WebServer, count: int, *, first: int) -> Iterator[None]:
    """Have `count` uploads under way, of as many addresses; each has sent `first` bytes at first, and trickles on.

    Raises OSError at the end if the server let go of one of them.
    """
    ended = threading.Event()
    beginning = head(ANNOUNCED_BYTES) + form(part("file", b"\0", "slow.mp4")).partition(b"\0")[0] + bytes(first)
    with ExitStack() as opened, ThreadPoolExecutor(1) as pool:
        connections = [opened.enter_context(connected(server, f"127.0.2.{number + 1}")) for number in range(count)]
        for connection in connections:
            connection.sendall(beginning)
        dripping = pool.submit(_drip, connections, ended)
        try:
            wait_until(
                lambda: figure(server, "rungs_uploads_active") == count, seconds=OPEN_SECONDS, what="slow uploads"
            )
            yield
        finally:
            ended.set()
        dripping.result()
    wait_until(lambda: figure(server, "rungs_uploads_active") == 0, seconds=OPEN_SECONDS, what="their end")


def answer_seconds(server: Listening, rounds: int, *, seconds: float = 0.0) -> dict[str, list[float]]:
    """Return how long each of so many answers took: of a page, the API, an upload, and an event of that upload.

    It asks on until so many `seconds` have passed.
    """
    took: dict[str, list[float]] = {"page": [], "API": [], "upload": [], "event": []}
    body = upload()
    with EventStream(server.port, "/api/events") as stream:
        until = time.monotonic() + seconds
        while len(took["event"]) < rounds or time.monotonic() < until:
            took["page"].append(_timed(lambda: fetched(server, "/")))
            took["API"].append(_timed(lambda: fetched(server, "/api/queue")))
            began = time.monotonic()
            job_id = send_upload(server, body, len(body))["id"]
            took["upload"].append(time.monotonic() - began)
            next(event for event in stream if event.kind == "created" and event.data["job_id"] == job_id)
            took["event"].append(time.monotonic() - began)
    return took


def _timed(call: Callable[[], object]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


def _drip(connections: Sequence[socket.socket], ended: threading.Event) -> None:
    while not ended.wait(PAUSE_SECONDS):
        for connection in connections:
            connection.sendall(PIECE)
