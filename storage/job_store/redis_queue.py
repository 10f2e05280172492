"""What the job store on Redis knows of the queue as a whole: its work, its workers, its figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from math import inf

from pydantic import TypeAdapter

from storage.job_store import redis_keys
from storage.job_store.codec import work_of_record
from storage.job_store.queue_contract import (
    ACTIVE_READ,
    OWNERS_READ,
    POINTS_READ,
    UNFINISHED_READ,
    WORKS_READ,
    Pause,
    QueueCounts,
    QueueFigures,
)
from storage.job_store.redis_scripts import RedisScripts
from storage.model.layers import Layer
from storage.model.record_checks import plain, task_of
from storage.model.task import Task
from storage.scheduling.ahead import OwnersJobs
from storage.scheduling.costs import Estimate, FinishedJob, Work
from storage.scheduling.queue_rates import SAMPLES_KEPT, Sample, Totals
from storage.scheduling.work_sums import LEVELS, MICROSECONDS, Point, Sums, key_of

_FINISHED = TypeAdapter(FinishedJob)
_SAMPLE = TypeAdapter(Sample)
_REFUSED = "refused:"  # what the names of refusals' totals begin with


class RedisQueue(RedisScripts):
    """A QueueStore on Redis."""

    def issue(self, *, plans: int, tasks: int) -> tuple[Task, ...]:
        """See QueueStore.issue."""
        keys = [redis_keys.WAITING, redis_keys.PLANS, redis_keys.TARGETS, redis_keys.HANDED, redis_keys.ACTIVE]
        handed = self._run_alone("issue", keys, plans, tasks)
        return tuple(self._readable(handed, task_of))

    def counts(self) -> QueueCounts:
        """See QueueStore.counts."""
        waiting, unfinished = self._run_alone("counts", [redis_keys.WAITING, redis_keys.UNFINISHED])
        return QueueCounts(waiting, unfinished - waiting)

    def places(self, starts: Mapping[str, float]) -> dict[str, int]:
        """See QueueStore.places."""
        if not starts:
            return {}
        asked = (part for job_id, start in starts.items() for part in (job_id, f"{start:.6f}"))
        found = self._run_alone("places", [redis_keys.WAITING, redis_keys.UNBEGUN], *asked)
        return dict(zip(starts, map(int, found), strict=True))

    def unfinished(self, limit: int = UNFINISHED_READ, *, behind: int = 0) -> tuple[str, ...]:
        """See QueueStore.unfinished."""
        last = behind + limit - 1
        return tuple(self._redis.call(lambda: self._client.zrange(redis_keys.UNFINISHED, behind, last)))

    def works(self, job_ids: Sequence[str]) -> tuple[Work, ...]:
        """See QueueStore.works."""
        if not job_ids:
            return ()
        found = ((job_id, kept) for job_id, *kept in self._run_alone("works", [], *job_ids[:WORKS_READ]))
        return tuple(self._readable(found, lambda job_id, kept: work_of_record(job_id, *kept)))

    def active(self) -> tuple[str, ...]:
        """See QueueStore.active."""
        return tuple(sorted(self._redis.call(lambda: self._client.srandmember(redis_keys.ACTIVE, ACTIVE_READ))))

    def last_planned(self, limit: int) -> tuple[str, ...]:
        """See QueueStore.last_planned."""
        return tuple(self._redis.call(lambda: self._client.zrange(redis_keys.PLANNED, -limit, -1)))

    def estimate(self, job_id: str, estimate: Estimate | None) -> bool:
        """See QueueStore.estimate."""
        told = ("", 0, 0, 0, 0) if estimate is None else ("1", *astuple(estimate))
        return bool(self._run("estimate", job_id, *told))

    def figures(self) -> QueueFigures:
        """See QueueStore.figures."""
        work, waiting_work, waiting, unfinished = self._run_alone(
            "figures", [redis_keys.WORK, redis_keys.FIGURES, redis_keys.UNFINISHED]
        )
        return QueueFigures(int(work) / MICROSECONDS, int(waiting_work) / MICROSECONDS, waiting, unfinished)

    def sums(self, points: Sequence[Point]) -> tuple[Sums, ...]:
        """See QueueStore.sums."""
        parts = (points[at : at + POINTS_READ] for at in range(0, len(points), POINTS_READ))
        return tuple(sums for part in parts for sums in self._sums(part))

    def _sums(self, points: Sequence[Point]) -> Iterator[Sums]:
        keys = [key for point in points for key in redis_keys.trees_of(point.owner)]
        found = self._run_alone("sums", keys, *(f"{key_of(point.target):0{LEVELS}x}" for point in points))
        return (Sums.of(*map(int, one)) for one in found)

    def owners_over(self, seconds: float) -> tuple[str, ...]:
        """See QueueStore.owners_over."""
        if seconds == inf:
            return ()
        least = f"({seconds * MICROSECONDS:.0f}"
        found = self._redis.call(
            lambda: self._client.zrange(
                redis_keys.OWNERS, "+inf", least, desc=True, byscore=True, offset=0, num=OWNERS_READ
            )
        )
        return tuple(found)

    def owners_jobs(self, owner: str) -> OwnersJobs:
        """See QueueStore.owners_jobs."""
        count, latest = self._run_alone("owners_jobs", [redis_keys.of_owner("starts", owner)])
        return OwnersJobs(int(count), float(latest) if latest else None)

    def first_of(self, owner: str) -> str | None:
        """See QueueStore.first_of."""
        found = self._redis.call(lambda: self._client.zrange(redis_keys.of_owner("starts", owner), 0, 0))
        return found[0] if found else None

    def recent_finished(self) -> tuple[FinishedJob, ...]:
        """See QueueStore.recent_finished."""
        texts = self._redis.call(lambda: self._client.lrange(redis_keys.FINISHED, 0, -1))
        return tuple(
            self._readable((("", text) for text in texts), lambda _, text: plain(_FINISHED.validate_json(text)))
        )

    def announce(
        self, worker: str, slots: int, *, seconds: float, pause: Pause | None = None, lacks: Sequence[Layer] = ()
    ) -> None:
        """See QueueStore.announce."""
        self._run_alone("slots", [redis_keys.SLOTS], worker, slots, seconds, pause or "", ",".join(lacks))

    def workers(self) -> dict[str, int]:
        """See QueueStore.workers."""
        return {worker: int(slots) for worker, slots, _, _ in self._announced()}

    def pauses(self) -> dict[str, Pause]:
        """See QueueStore.pauses."""
        found = ((worker, pause) for worker, _, pause, _ in self._announced() if pause)
        return dict(self._readable(found, lambda worker, pause: (worker, Pause(pause))))

    def lacking(self) -> dict[str, tuple[Layer, ...]]:
        """See QueueStore.lacking."""
        found = ((worker, lacks) for worker, _, _, lacks in self._announced() if lacks)
        return dict(self._readable(found, lambda worker, lacks: (worker, tuple(map(Layer, lacks.split(","))))))

    def slots(self) -> int:
        """See QueueStore.slots."""
        return sum(self.workers().values())

    def totals(self) -> Totals:
        """See QueueStore.totals."""
        found = self._redis.call(lambda: self._client.hgetall(redis_keys.TOTALS))
        return Totals(
            arrived=int(found.get("arrived", 0)),
            ended=int(found.get("ended", 0)),
            stayed=float(found.get("stayed", 0)),
            delivered=float(found.get("delivered", 0)),
            refused={name.removeprefix(_REFUSED): int(n) for name, n in found.items() if name.startswith(_REFUSED)},
        )

    def count_refusals(self, codes: Mapping[str, int]) -> None:
        """See QueueStore.count_refusals."""
        for code, count in codes.items():
            self._redis.call(lambda: self._client.hincrby(redis_keys.TOTALS, f"{_REFUSED}{code}", count))  # noqa: B023 - called at once

    def record_sample(self, sample: Sample) -> None:
        """See QueueStore.record_sample."""
        text = _SAMPLE.dump_json(sample).decode()
        self._run_alone("sample", [redis_keys.SAMPLES], text, SAMPLES_KEPT)

    def samples(self, limit: int) -> tuple[Sample, ...]:
        """See QueueStore.samples."""
        texts = self._redis.call(lambda: self._client.lrange(redis_keys.SAMPLES, 0, limit - 1))
        found = (("", text) for text in reversed(texts))
        return tuple(self._readable(found, lambda _, text: plain(_SAMPLE.validate_json(text))))

    def _announced(self) -> Iterator[tuple[str, str, str, str]]:
        held = self._run_alone("slots", [redis_keys.SLOTS], "", 0, 0, "", "")
        return zip(held[::4], held[1::4], held[2::4], held[3::4], strict=True)
