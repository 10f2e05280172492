"""What the job store on Redis knows of the queue as a whole: its work, its workers, its figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import TypeAdapter

from storage.job_store import redis_keys
from storage.job_store.codec import work_of_record
from storage.job_store.queue_contract import Pause, QueueCounts
from storage.job_store.redis_scripts import RedisScripts
from storage.model.layers import Layer
from storage.model.record_checks import plain, task_of
from storage.model.task import Task
from storage.scheduling.costs import FinishedJob, Work
from storage.scheduling.queue_rates import SAMPLES_KEPT, Sample, Totals

_FINISHED = TypeAdapter(FinishedJob)
_SAMPLE = TypeAdapter(Sample)
_REFUSED = "refused:"  # what the names of refusals' totals begin with


class RedisQueue(RedisScripts):
    """A QueueStore on Redis."""

    def issue(self, *, plans: int, tasks: int) -> tuple[Task, ...]:
        """See QueueStore.issue."""
        keys = [redis_keys.WAITING, redis_keys.PLANS, redis_keys.TARGETS, redis_keys.HANDED]
        handed = self._run_alone("issue", keys, plans, tasks)
        return tuple(self._readable(handed, task_of))

    def position(self, job_id: str) -> int | None:
        """See QueueStore.position."""
        rank = self._redis.call(lambda: self._client.zrank(redis_keys.WAITING, job_id))
        return None if rank is None else int(rank) + 1

    def counts(self) -> QueueCounts:
        """See QueueStore.counts."""
        waiting, unfinished = self._run_alone("counts", [redis_keys.WAITING, redis_keys.UNFINISHED])
        return QueueCounts(waiting, unfinished - waiting)

    def unfinished(self) -> tuple[str, ...]:
        """See QueueStore.unfinished."""
        return tuple(self._redis.call(lambda: self._client.zrange(redis_keys.UNFINISHED, 0, -1)))

    def backlog(self) -> tuple[Work, ...]:
        """See QueueStore.backlog."""
        found = ((job_id, kept) for job_id, *kept in self._run_alone("backlog", [redis_keys.UNFINISHED]))
        return tuple(self._readable(found, lambda job_id, kept: work_of_record(job_id, *kept)))

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
