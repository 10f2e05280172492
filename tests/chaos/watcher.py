"""Looking at the record several times a second, straight at Redis, while everything else is being broken."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import redis

from storage.broker.contract import QUEUES
from tests.chaos.journal import Journal
from tests.chaos.work import Held, Piece, Sample

LOOK_SECONDS = 0.15
_NOTHING = Sample(0.0, frozenset(), frozenset(), frozenset(), frozenset())
PATIENCE_SECONDS = 1.0  # a Redis that is down or frozen is looked at again


class Watcher:
    """Gathers samples in a thread of its own; `look` takes one more, on the caller's thread."""

    def __init__(self, redis_url: str, journal: Journal) -> None:
        self._url = redis_url
        self._journal = journal
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._begun: set[str] = set()
        self.samples: list[Sample] = []

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopped.set()
        self._thread.join()

    def look(self) -> Sample:
        """Return how things are at this moment; as last seen, where Redis does not answer."""
        try:
            with _connected(self._url) as client:
                return _look(client, self._journal, self._begun)
        except redis.RedisError:
            return self.samples[-1]

    @property
    def unfinished(self) -> int:
        """How many jobs were unfinished at the last look."""
        return self.samples[-1].all_unfinished if self.samples else 0

    def _run(self) -> None:
        with _connected(self._url) as client:
            while not self._stopped.wait(LOOK_SECONDS):
                try:
                    seen = _look(client, self._journal, self._begun)
                except redis.RedisError:
                    continue
                self._note_changes(seen)
                self.samples.append(seen)

    def _note_changes(self, seen: Sample) -> None:
        before = self.samples[-1] if self.samples else _NOTHING
        changes = {
            "taken": sorted("/".join((*held.piece, held.attempt)) for held in seen.held - before.held),
            "queued": sorted("/".join(piece) for piece in seen.queued - before.queued),
            "done": sorted("/".join(piece) for piece in seen.done - before.done),
            "finished": sorted(before.unfinished - seen.unfinished),
        }
        if any(changes.values()):
            self._journal.note("work", **{name: found for name, found in changes.items() if found})


def _connected(url: str) -> Any:
    seconds = PATIENCE_SECONDS
    return redis.Redis.from_url(url, decode_responses=True, socket_timeout=seconds, socket_connect_timeout=seconds)


def _look(client: Any, journal: Journal, begun: set[str]) -> Sample:
    """Look at all jobs but those that wait and have never begun; `begun` keeps which have.

    Of uploads that are encoded while they come, which are not unfinished yet, it is seen what is held and done.
    """
    with client.pipeline(transaction=True) as together:
        together.zrange("rungs:unfinished", 0, -1).zrange("rungs:waiting", 0, -1).smembers("rungs:plans")
        everything, waiting, plans, followed = together.zrange("rungs:followed", 0, -1).execute()
    untouched = set(waiting) - plans - begun
    unfinished = [job for job in everything if job not in untouched]
    begun.update(unfinished)
    jobs = [*unfinished, *(job for job in followed if job not in unfinished)]
    pipeline = client.pipeline(transaction=False)
    for job in jobs:
        pipeline.hgetall(f"rungs:leases:{job}")
        pipeline.hkeys(f"rungs:done:{job}")
    for queue in QUEUES:
        pipeline.lrange(queue, 0, -1)
        pipeline.zrange(f"rungs:tally:{queue}", 0, -1)  # what waits in a RabbitMQ: of the two one is empty
    answers = pipeline.execute()
    of_jobs, of_queues = answers[: 2 * len(jobs)], answers[2 * len(jobs) :]
    leases, done, queues, tallies = of_jobs[::2], of_jobs[1::2], of_queues[::2], of_queues[1::2]
    return Sample(
        at=journal.at,
        unfinished=frozenset(unfinished),
        waiting=len(everything) - len(unfinished),
        held=frozenset(
            Held((job, field), lease.partition(" ")[2])
            for job, fields in zip(jobs, leases, strict=True)
            for field, lease in fields.items()
            if lease.partition(" ")[2]  # without an attempt the task rests
        ),
        done=frozenset((job, field) for job, fields in zip(jobs, done, strict=True) for field in fields),
        queued=frozenset((*_pieces(chain(*queues)), *_noted(chain(*tallies)))),
    )


def _pieces(messages: Iterable[str]) -> Iterator[Piece]:
    """Yield job and task field of each message of ours (storage.broker.celery_app)."""
    for message in messages:
        headers = json.loads(message)["headers"]
        if "rungs_job" in headers:
            yield headers["rungs_job"], headers["rungs_field"]


def _noted(notes: Iterable[str]) -> Iterator[Piece]:
    """Yield the same of each note on a message (storage.broker.tally)."""
    for note in notes:
        job, _, field = note.partition(" ")
        yield job, field
