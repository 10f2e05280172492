"""Uploads by tus that come slowly all the time, while something else is measured: each offers early work."""

from __future__ import annotations

import base64
import http.client
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from storage.services import Services
from tests.bench.installation import Installation
from tests.support.tus_client import OFFSET_TYPE, TUS, quietly_asked

NAME = "slow.mp4"  # what their jobs are of
SECONDS = 1200.0  # that each takes: longer than what is measured beside it
PIECES_A_SECOND = 4
ANSWER_SECONDS = 60.0
AGAIN_SECONDS = 1.0  # before the next try of one that was refused or broke off


@dataclass(slots=True)
class SlowUpload:
    """One upload after another of the same video, `rate` bytes a second; none ever becomes whole."""

    installation: Installation
    services: Services
    video: Path
    rate: float
    address: str
    over: threading.Event
    segments: int = field(default=0, init=False)  # that were encoded early
    sent: int = field(default=0, init=False)

    def run(self) -> None:
        """Send until it is over, then end the upload that is under way."""
        size = self.video.stat().st_size
        while (place := self._created(size)) is not None:
            try:
                self._send(place, size)
            finally:
                self.segments += self._encoded(place.rpartition("/")[2])
                quietly_asked(self.installation, "DELETE", place)

    def _created(self, size: int) -> str | None:
        """Create an upload and return where it is, None once it is over."""
        about = f"filename {base64.b64encode(NAME.encode()).decode()}"
        while not self.over.is_set():
            asked = {"Upload_Length": str(size), "Upload_Metadata": about}
            answer = quietly_asked(self.installation, "POST", "/api/uploads", **asked)
            if answer.status == HTTPStatus.CREATED:
                return answer.headers["location"]
            self.over.wait(AGAIN_SECONDS)
        return None

    def _send(self, place: str, size: int) -> None:
        """Send all but the last byte, as slowly as that."""
        while not self.over.is_set():
            told = quietly_asked(self.installation, "HEAD", place)
            begin = int(told.headers.get("upload-offset", 0))
            if begin >= size - 1:
                return
            try:
                self._patch(place, begin, size)
            except (OSError, http.client.HTTPException):  # refused, or over
                self.over.wait(AGAIN_SECONDS)

    def _patch(self, place: str, begin: int, size: int) -> None:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.installation.port, timeout=ANSWER_SECONDS, source_address=(self.address, 0)
        )
        headers = {**TUS, "Content-Type": OFFSET_TYPE, "Upload-Offset": str(begin)}
        headers["Content-Length"] = str(size - 1 - begin)
        try:
            connection.request("PATCH", place, self._pieces(begin, size - 1), headers)
            connection.getresponse().read()
        finally:
            connection.close()

    def _pieces(self, begin: int, end: int) -> Iterator[bytes]:
        """Yield the bytes at their pace. Raises ConnectionAbortedError when it is over."""
        began, first = time.monotonic(), begin
        with self.video.open("rb") as file:
            file.seek(begin)
            while data := file.read(min(end - begin, max(1, round(self.rate / PIECES_A_SECOND)))):
                begin += len(data)
                self.sent += len(data)
                yield data
                if self.over.wait(max(0.0, began + (begin - first) / self.rate - time.monotonic())):
                    raise ConnectionAbortedError

    def _encoded(self, job_id: str) -> int:
        results = self.services.jobs.results(job_id)
        return sum(name.startswith("early-segment") for name in results)


@dataclass(slots=True)
class SlowUploads:
    """Those that are under way, and once they are over what was done of them."""

    uploads: list[SlowUpload] = field(default_factory=list)

    def __str__(self) -> str:
        sent, segments = (sum(getattr(one, name) for one in self.uploads) for name in ("sent", "segments"))
        return (
            f"{len(self.uploads)} slow uploads sent {sent / 1e6:.0f} MB; {segments} segments of it were encoded early"
        )


@contextmanager
def slow_uploads(installation: Installation, video: Path, count: int) -> Iterator[SlowUploads]:
    """Have `count` uploads of the video under way in the block, and end them then; from addresses of their own.

    The video is an MP4 whose index is first, so that early work is offered. Raises what any of them met.
    """
    services, over = installation.services(), threading.Event()
    rate = video.stat().st_size / SECONDS
    addresses = (f"127.0.3.{number + 1}" for number in range(count))
    made = SlowUploads([SlowUpload(installation, services, video, rate, address, over) for address in addresses])
    with ThreadPoolExecutor(max(1, count)) as pool:
        running = [pool.submit(one.run) for one in made.uploads]
        try:
            yield made
        finally:
            over.set()
        for one in running:
            one.result()
