"""Uploads by tus that break off at random places and go on, whatever happens to the service meanwhile."""

from __future__ import annotations

import base64
import http.client
import random
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

from tests.chaos.clips import Clip
from tests.chaos.journal import Journal
from tests.support.tus_client import OFFSET_TYPE, Answer, Sender, ask_tus, quietly_asked
from web.client.index_ahead import index_of

PAUSE_SECONDS = 0.5  # before the next try after a broken line
BREAKS = 4  # of one upload at most, besides those that faults bring
MOST_INDEX = 1 << 20
_ENDED = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


@dataclass(slots=True)
class Door:
    """Where the service listens."""

    port: int


@dataclass(slots=True)
class Resumed:
    """One upload by tus. What is told of it may only grow; `trouble` has a sentence for each broken promise."""

    door: Door
    clip: Clip
    title: str
    journal: Journal
    stopped: threading.Event
    trouble: list[str] = field(default_factory=list)
    _told: int = 0

    def create(self) -> Answer:
        """Ask for the upload, once."""
        said = ",".join(
            f"{name} {base64.b64encode(value.encode()).decode()}"
            for name, value in (("filename", self.clip.name), ("title", self.title))
        )
        length = str(self.clip.path.stat().st_size)
        return quietly_asked(self.door, "POST", "/api/uploads", Upload_Length=length, Upload_Metadata=said)

    def send(self, place: str, chance: random.Random) -> str | None:
        """Send until the service names the job; None where the run ends before, and then nothing is to be left."""
        data = self.clip.path.read_bytes()
        stops = sorted(chance.randrange(len(data)) for _ in range(chance.randrange(BREAKS + 1)))
        sender = Sender(self.door, place, data)
        self._hand_over(place, data)
        while not self.stopped.is_set():
            answer = quietly_asked(self.door, "HEAD", place)
            job_id = self._looked(answer)
            if job_id is not None or answer.status == HTTPStatus.NOT_FOUND:
                return job_id
            if answer.status == HTTPStatus.OK:
                until = stops.pop(0) if stops else len(data)
                sent = sender.send_from(self._told, max(until, self._told), self._rest)
                job_id = None if sent is None else self._looked(sent)
                if job_id is not None:
                    return job_id
            self.stopped.wait(PAUSE_SECONDS * chance.random())
        return self._end(place)

    def _hand_over(self, place: str, data: bytes) -> None:
        """Send the index ahead where it lies behind the media, once: if that fails, nothing is done early."""
        with self.clip.path.open("rb") as file, suppress(OSError, http.client.HTTPException):
            found = index_of(file, len(data), MOST_INDEX)
            if found is not None:
                index, begin = data[found.begin : found.end], str(found.begin)
                ask_tus(self.door, "PUT", f"{place}/index", index, Upload_Offset=begin, Content_Type=OFFSET_TYPE)

    def _rest(self, _: int) -> None:
        """Wait after a piece, as its line does."""
        if self.clip.piece_seconds:
            self.stopped.wait(self.clip.piece_seconds)

    def _looked(self, answer: Answer) -> str | None:
        """Note how far the upload is said to be; return the job's id once there is one."""
        if answer.status == HTTPStatus.NOT_FOUND:
            self.trouble.append(f"the upload of {self.title} is gone after {self._told} bytes were stored")
        told = int(answer.headers.get("upload-offset", self._told))
        if told < self._told:
            self.trouble.append(f"of {self.title} {self._told} bytes were stored, and then {told}")
        self._told = told
        self.journal.note("tus", title=self.title, status=answer.status, offset=told)
        return answer.headers.get("rungs-job")

    def _end(self, place: str) -> str | None:
        """End the upload and delete its job, until the service says that both are gone; or that it is whole."""
        while (status := quietly_asked(self.door, "DELETE", place).status) not in _ENDED:
            if status == HTTPStatus.CONFLICT:
                return quietly_asked(self.door, "HEAD", place).headers.get("rungs-job")
            threading.Event().wait(PAUSE_SECONDS)
        job = f"/api/jobs/{place.rpartition('/')[2]}"
        while quietly_asked(self.door, "DELETE", job).status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND}:
            threading.Event().wait(PAUSE_SECONDS)
        return None
