"""People with browsers: they upload, wait when told to, try again when a connection breaks, and change their minds."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from tests.chaos.clips import Clip
from tests.chaos.journal import Journal
from tests.chaos.resuming import Door, Resumed
from tests.support.forms import CONTENT_TYPE, upload

PEOPLE = 3
MOST_UNFINISHED = 5  # jobs at once: enough for all slots, few enough to be finished soon after the last fault
MOST_BESIDE_SLOW = 1  # jobs at once while somebody sends slowly: that is encoded early in slots that would be idle
QUIET_SECONDS = 15.0  # that somebody who sends slowly waits for such slots
ANSWER_SECONDS = 120.0  # nobody waits longer for a page
PAUSE_SECONDS = 1.0  # before a try after a broken connection, and between two looks at whether there is room
PIECE_BYTES = 1024 * 1024
SLOW_SECONDS = 0.15  # between the pieces of a slow sender
TUS_SHARE = 0.5  # of the uploads that go by tus, and on where they broke off
REGRET_SHARE = 0.12  # of the accepted uploads that are deleted again, some seconds later
REGRET_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Tried:
    """One try at an upload: its title, and how it was answered. `status` 0: the connection broke (`code` says how)."""

    title: str
    clip: str
    began: float
    seconds: float
    status: int
    code: str = ""
    retry_after: int | None = None
    job_id: str | None = None

    @property
    def accepted(self) -> bool:
        """Tell whether the service promised that this becomes a job."""
        return self.status == HTTPStatus.ACCEPTED


class People:
    """Several people uploading through one address; `unfinished` tells how many jobs there are to be worked on."""

    def __init__(
        self, port: int, clips: Sequence[Clip], seed: int, journal: Journal, unfinished: Callable[[], int]
    ) -> None:
        self._port = port
        self._clips = clips
        self._journal = journal
        self._unfinished = unfinished
        self._stopped = threading.Event()
        self.tries: list[Tried] = []
        self.deleted: list[str] = []  # ids of jobs that the service says it has deleted
        self.in_doubt: list[str] = []  # ids of those whose deletion was asked for, and never answered
        self.trouble: list[str] = []  # what was told of an upload by tus and did not hold, a sentence each
        self._slow: set[str] = set()  # titles of the slow uploads by tus that are under way
        self._threads = [
            threading.Thread(target=self._live, args=(f"{number}", random.Random(f"{seed}/{number}")), daemon=True)
            for number in range(PEOPLE)
        ]

    def start(self) -> None:
        """Begin to upload."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begin no further upload and no further try."""
        self._stopped.set()

    @property
    def gone(self) -> bool:
        """Tell whether the last upload is over, after `stop`."""
        return not any(thread.is_alive() for thread in self._threads)

    def _live(self, name: str, chance: random.Random) -> None:
        number = 0
        while not self._stopped.wait(PAUSE_SECONDS * chance.random()):
            if self._unfinished() < (MOST_BESIDE_SLOW if self._slow else MOST_UNFINISHED):
                number += 1
                clip, slow, regrets = chance.choice(self._clips), chance.random() < 0.5, chance.random() < REGRET_SHARE
                if (name, number) == ("0", 1):  # before anything else is to be encoded
                    clip = max(self._clips, key=lambda one: one.piece_seconds)
                if clip.piece_seconds or chance.random() < TUS_SHARE:
                    job_id = self._send_by_tus(f"{name}.{number}", clip, chance)
                else:
                    job_id = self._send_until_taken(f"{name}.{number}", clip, slow=slow)
                if job_id is not None and regrets:
                    self._stopped.wait(REGRET_SECONDS * chance.random())
                    self._delete(job_id)

    def _send_until_taken(self, title: str, clip: Clip, *, slow: bool) -> str | None:
        """Upload until it is accepted, and return the job's id; None when the run ends before."""
        for count in range(1, 1000):
            tried = tried_upload(self._port, f"{title}.{count}", clip, self._journal, slow=slow)
            self.tries.append(tried)
            pause = PAUSE_SECONDS if tried.retry_after is None else tried.retry_after
            if tried.accepted or self._stopped.wait(pause):
                return tried.job_id
        return None

    def _send_by_tus(self, title: str, clip: Clip, chance: random.Random) -> str | None:
        """Create an upload and send it in pieces; return the job's id, None when the run ends before."""
        began = self._journal.at
        resumed = Resumed(Door(self._port), clip, f"{title}.1", self._journal, self._stopped, self.trouble)
        while (answer := resumed.create()).status != HTTPStatus.CREATED:
            if self._stopped.wait(float(answer.headers.get("retry-after", PAUSE_SECONDS))):
                return None
        if clip.piece_seconds:
            self._slow.add(title)
            self._wait_for_quiet()
        job_id = resumed.send(answer.headers["location"], chance)
        self._slow.discard(title)
        if job_id is not None:
            seconds = self._journal.at - began
            self.tries.append(Tried(resumed.title, clip.name, began, seconds, HTTPStatus.ACCEPTED, job_id=job_id))
        return job_id

    def _wait_for_quiet(self) -> None:
        """Wait for a while until nothing else is to be done, so that what comes slowly can be encoded meanwhile."""
        until = self._journal.at + QUIET_SECONDS
        while self._unfinished() and self._journal.at < until and not self._stopped.wait(PAUSE_SECONDS):
            pass

    def _delete(self, job_id: str) -> None:
        """Delete the job; again, as long as nobody says that it is gone."""
        self.in_doubt.append(job_id)
        while (status := status_of(self._port, "DELETE", f"/api/jobs/{job_id}")) not in {
            HTTPStatus.NO_CONTENT,
            HTTPStatus.NOT_FOUND,
        }:
            self._journal.note("deletion", job=job_id, status=status)
            if self._stopped.wait(PAUSE_SECONDS):
                return
        self._journal.note("deleted", job=job_id)
        self.in_doubt.remove(job_id)
        self.deleted.append(job_id)


def status_of(port: int, method: str, path: str, body: dict[str, str] | None = None) -> int:
    """Ask for something, with a body of JSON if any; return the answer's status, 0 where the connection broke."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    headers = {} if body is None else {"Content-Type": "application/json"}
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def tried_upload(port: int, title: str, clip: Clip, journal: Journal, *, slow: bool = False) -> Tried:
    """Upload the clip once and note how it was answered."""
    tried = _tried(port, title, clip, journal, slow=slow)
    journal.note("upload", **{name: getattr(tried, name) for name in Tried.__dataclass_fields__})
    return tried


def _tried(port: int, title: str, clip: Clip, journal: Journal, *, slow: bool) -> Tried:
    began = journal.at
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    try:
        status, headers, body = _sent(connection, _pieces(title, clip, slow=slow))
    except (OSError, http.client.HTTPException) as error:
        return Tried(title, clip.name, began, journal.at - began, 0, type(error).__name__)
    finally:
        connection.close()
    retry_after = headers.get("Retry-After")
    return Tried(
        title,
        clip.name,
        began,
        journal.at - began,
        status,
        code=str(body.get("code", "")),
        retry_after=None if retry_after is None else int(retry_after),
        job_id=body.get("id"),
    )


def _pieces(title: str, clip: Clip, *, slow: bool) -> tuple[Iterator[bytes], int]:
    body = upload(clip.path.read_bytes(), clip.name, title=title)

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), PIECE_BYTES):
            yield body[start : start + PIECE_BYTES]
            if slow:
                time.sleep(SLOW_SECONDS)

    return pieces(), len(body)


def _sent(
    connection: http.client.HTTPConnection, body: tuple[Iterator[bytes], int]
) -> tuple[int, http.client.HTTPMessage, dict[str, Any]]:
    """Send the upload and return status, headers and JSON of the answer."""
    pieces, length = body
    connection.putrequest("POST", "/api/jobs")
    connection.putheader("Content-Type", CONTENT_TYPE)
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    # A service that refuses early stops reading; its answer is there all the same.
    with suppress(ConnectionError):
        for piece in pieces:
            connection.send(piece)
    answer = connection.getresponse()
    content = answer.read()
    try:
        return answer.status, answer.headers, json.loads(content)
    except ValueError:
        return answer.status, answer.headers, {"code": "no json"}
