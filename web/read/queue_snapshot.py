"""The queue as it was a moment ago: what forecasts, admission and the queue's figures are made from."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from math import inf

from storage.errors import JobStoreDownError
from storage.job_store.queue_contract import QueueStore
from storage.model.job import Job, Promise
from storage.model.plan import Plan
from storage.scheduling.ahead import newcomer_target
from storage.scheduling.costs import cost_of_bytes, nominal_cost
from storage.scheduling.forecast import Forecast, Outlook, promised
from storage.scheduling.line import estimate_new, forecast_new, work_for
from storage.services.queue_reading import Reading, forecasts_of, read_queue
from web.admission.decision import QueueState

AGE_SECONDS = 1.0  # a hundred watchers then cost Redis as much as one; sums of work are small enough to be asked for


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One reading of the job store, and the store, whose sums are asked for as they are now.

    `max_wait` and `owner_jobs` are those of QueueSnapshot; `read_at` is when the reading began, on the monotonic clock.
    """

    reading: Reading
    store: QueueStore
    max_wait: float
    owner_jobs: int
    read_at: float

    @property
    def outlook(self) -> Outlook:
        """The work and who does it."""
        return self.reading.outlook

    def queue_of(self, owner: str, size: int | None, now: float, *, plan: Plan | None = None) -> QueueState:
        """Return what admission wants to know when this owner brings a job of so many bytes; `now` is Unix seconds.

        A `plan` tells more than the bytes. None stands for bytes that are not known, which count as none.
        """
        read_at = time.monotonic()
        outlook, own = self.outlook, self.store.owners_jobs(owner)
        cost = cost_of_bytes(size or 0, outlook.known) if plan is None else nominal_cost(plan) * outlook.known.pace
        newcomer = newcomer_target(own, cost, capacity=outlook.capacity, now=now)
        most = self.max_wait * outlook.capacity
        return QueueState(
            wait=work_for(self.store, owner, newcomer, most=most) / outlook.capacity,
            per_job=cost_of_bytes(0, outlook.known) / outlook.capacity,
            per_byte=outlook.known.per_byte / outlook.capacity,
            doubt=outlook.known.doubt,
            owner_jobs=own.count,
            owner_ready=self._first_ready(owner) if own.count >= self.owner_jobs else None,
            read_at=read_at,
        )

    def promise(self, owner: str, size: int, now: float) -> Promise:
        """Return what a new job of this owner with so many bytes is promised; `now` is Unix seconds."""
        own = self.store.owners_jobs(owner)
        return promised(forecast_new(self.store, self.outlook, size, own, now=now), now=now)

    def forecasts(self, job_ids: Sequence[str]) -> dict[str, Forecast]:
        """Return the forecasts of unfinished jobs; those that have ended meanwhile are left out."""
        return forecasts_of(self.store, self.outlook, job_ids)

    def _first_ready(self, owner: str) -> float | None:
        """Return in how many seconds the owner's next job is ready, None for an owner without one."""
        first = self.store.first_of(owner)
        found = self.forecasts([] if first is None else [first])
        return next((one.ready for one in found.values()), None)


class QueueSnapshot:
    """Reads the queue at most once a second; safe to share between threads.

    `encoders` are the slots that this installation means to have, for as long as none has announced itself. Nobody is
    to wait for more than `max_wait` seconds, nor to have more than `owner_jobs` unfinished jobs. Who has so many is
    told when the next of them is ready.
    """

    def __init__(self, store: QueueStore, encoders: int, *, max_wait: float = inf, owner_jobs: int = 0) -> None:
        self._max_wait = max_wait
        self._owner_jobs = owner_jobs
        self._store = store
        self._encoders = encoders
        self._refused: Counter[str] = Counter()
        self._snapshot: Snapshot | None = None
        self._reading: Future[Snapshot] | None = None
        self._lock = threading.Lock()

    def read(self) -> Snapshot:
        """Return the queue. Raises JobStoreDownError.

        Who asks while it is being read shares that reading, its failure too: one after another, each would wait for a
        store that is away.
        """
        with self._lock:
            if self._snapshot is not None and time.monotonic() - self._snapshot.read_at <= AGE_SECONDS:
                return self._snapshot
            shared = self._reading
            reading = self._reading = shared or Future()
        if shared is None:
            self._settle(reading)
        return reading.result()

    def estimate(self, job: Job) -> None:
        """Tell the store what is expected of a job that was just queued; an outage leaves that to the janitor."""
        with suppress(JobStoreDownError):
            self._store.estimate(job.id, estimate_new(self.read().outlook, job.size))

    def promise(self, owner: str, size: int, now: float) -> Promise | None:
        """Return what a new job is promised; nothing while the store is away: that is no reason to lose an upload."""
        try:
            return self.read().promise(owner, size, now)
        except JobStoreDownError:
            return None

    def note_refusal(self, code: str) -> None:
        """Count a refused upload; told to the store with the next reading, so that a refusal costs it nothing."""
        with self._lock:
            self._refused[code] += 1

    def _settle(self, reading: Future[Snapshot]) -> None:
        try:
            reading.set_result(self._read())
        except BaseException as error:  # noqa: BLE001 - raised again for each who shares the reading
            reading.set_exception(error)
        with self._lock:
            self._reading = None
            if reading.exception() is None:
                self._snapshot = reading.result()

    def _read(self) -> Snapshot:
        self._tell_refusals()
        began = time.monotonic()
        reading = read_queue(self._store, encoders=self._encoders)
        return Snapshot(reading, self._store, self._max_wait, self._owner_jobs, began)

    def _tell_refusals(self) -> None:
        """Tell the store of each code by itself, so that those it knows already are not told again after an outage."""
        for code, count in tuple(self._refused.items()):
            self._store.count_refusals({code: count})
            with self._lock:
                self._refused[code] -= count
                self._refused += Counter()  # drops what is down to nothing
