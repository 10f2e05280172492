"""Thousands of jobs that wait while things break: sent before the faults, changed during them, called off afterwards.

Most are clips of a second. One in EVERY_OTHER is one of people's, so that encoders hold work for seconds, which faults
can hit. The queue stays as long: people bring a new clip for each that is done.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from tests.chaos.clips import Clip
from tests.chaos.journal import Journal
from tests.chaos.people import Tried, status_of, tried_upload
from tests.chaos.verdict import QUEUE_TITLE

SENDERS = 8
EVERY_OTHER = 10
LARGEST_BYTES = 1024 * 1024  # of the other clips: thousands are to be on the disk at once
CHANGE_SECONDS = 0.5  # between two changes while things break
CANCEL_SHARE = 0.2  # of the changes; the others give another priority
PRIORITIES = ("high", "normal", "low")
# Answers after which it may be done or not: the connection was cut, or a store was away.
_OPEN = frozenset({0, HTTPStatus.SERVICE_UNAVAILABLE})
# What may be said beside these: it is done; the job is over, or as many are high as may be.
_CLEAR = _OPEN | {HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS}


class LongQueue:
    """So many waiting jobs, sent to this port; each step runs in a thread of its own until `busy` is over."""

    def __init__(self, port: int, count: int, clips: Sequence[Clip], tiny: Clip, seed: int, journal: Journal) -> None:
        self.count = count
        self.tries: list[Tried] = []
        self.cancelled: set[str] = set()  # jobs that the service says it has cancelled
        self.deleted: set[str] = set()
        self.maybe_cancelled: set[str] = set()  # jobs of which it was asked, and no answer came
        self.maybe_deleted: set[str] = set()
        self.trouble: list[str] = []  # what broke a promise, a sentence each
        self._port = port
        self._others = [clip for clip in clips if clip.path.stat().st_size < LARGEST_BYTES]
        self._tiny = tiny
        self._chance = random.Random(f"{seed}/queue")
        self._journal = journal
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Tell whether a step goes on."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def job_ids(self) -> list[str]:
        """Ids of the jobs that were accepted."""
        return [tried.job_id for tried in self.tries if tried.job_id is not None]

    def send(self) -> None:
        """Begin to send all of them; nothing else happens meanwhile, so each is accepted."""
        self._begin(self._send)

    def change(self) -> None:
        """Begin to change jobs, until told to stop."""
        self._begin(self._change)

    def stop(self) -> None:
        """Begin no further change."""
        self._stopped.set()

    def call_off(self, job_ids: Sequence[str]) -> None:
        """Begin to cancel every other one of these jobs, and to delete the rest."""
        self._begin(lambda: self._call_off(job_ids))

    def _begin(self, step: Callable[[], None]) -> None:
        assert not self.busy, "one step at a time"
        self._thread = threading.Thread(target=step, name="long queue", daemon=True)
        self._thread.start()

    def _send(self) -> None:
        with ThreadPoolExecutor(SENDERS) as pool:
            for tried in pool.map(self._upload, range(self.count)):
                self.tries.append(tried)

    def _upload(self, number: int) -> Tried:
        other = not number % EVERY_OTHER
        clip = self._others[number // EVERY_OTHER % len(self._others)] if other else self._tiny
        return tried_upload(self._port, f"{QUEUE_TITLE}{number}", clip, self._journal)

    def _change(self) -> None:
        ids = self.job_ids
        while not self._stopped.wait(CHANGE_SECONDS):
            job_id = self._chance.choice(ids)
            if self._chance.random() < CANCEL_SHARE:
                self._cancel(job_id)
            else:
                wanted = {"priority": self._chance.choice(PRIORITIES)}
                self._ask("PUT", f"/api/jobs/{job_id}/priority", wanted)

    def _call_off(self, job_ids: Sequence[str]) -> None:
        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(self._cancel, job_ids[::2]))
            list(pool.map(self._delete, job_ids[1::2]))

    def _cancel(self, job_id: str) -> None:
        status = self._ask("POST", f"/api/jobs/{job_id}/cancel")
        if status == HTTPStatus.OK:
            self.cancelled.add(job_id)
        elif status in _OPEN:
            self.maybe_cancelled.add(job_id)

    def _delete(self, job_id: str) -> None:
        status = self._ask("DELETE", f"/api/jobs/{job_id}")
        if status == HTTPStatus.NO_CONTENT:
            self.deleted.add(job_id)
        elif status in _OPEN:
            self.maybe_deleted.add(job_id)

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> int:
        status = status_of(self._port, method, path, body)
        self._journal.note("asked", method=method, path=path, status=status)
        if status not in _CLEAR:
            self.trouble.append(f"unclear: {method} {path} was answered {status}")
        return status
