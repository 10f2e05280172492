"""What the job store on Redis knows of the queue as a whole: its work, its workers, its figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from storage.job_store import redis_keys
from storage.job_store.queue_contract import Pause, QueueCounts
from storage.job_store.redis_scripts import RedisScripts
from storage.model.job import JobState, Priority
from storage.model.layers import Layer
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
        return tuple(Task.of_field(job_id, field) for job_id, field in handed)

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
        return tuple(_work(*found) for found in self._run_alone("backlog", [redis_keys.UNFINISHED]))

    def recent_finished(self) -> tuple[FinishedJob, ...]:
        """See QueueStore.recent_finished."""
        texts = self._redis.call(lambda: self._client.lrange(redis_keys.FINISHED, 0, -1))
        return tuple(_FINISHED.validate_json(text) for text in texts)

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
        return {worker: Pause(pause) for worker, _, pause, _ in self._announced() if pause}

    def lacking(self) -> dict[str, tuple[Layer, ...]]:
        """See QueueStore.lacking."""
        return {worker: tuple(map(Layer, lacks.split(","))) for worker, _, _, lacks in self._announced() if lacks}

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
        return tuple(_SAMPLE.validate_json(text) for text in reversed(texts))

    def _announced(self) -> Iterator[tuple[str, str, str, str]]:
        held = self._run_alone("slots", [redis_keys.SLOTS], "", 0, 0, "", "")
        return zip(held[::4], held[1::4], held[2::4], held[3::4], strict=True)


def _work(job_id: str, values: list[Any], held: list[str], out: list[Any]) -> Work:
    owner, state, size, nominal, *counts, measured, in_flight, priority, start_target, target = values
    segments, frames, frames_done, frames_finished = (int(count or 0) for count in counts)
    return Work(
        job_id=job_id,
        owner=owner,
        state=JobState(state),
        size=int(size),
        nominal=None if nominal is None else float(nominal),
        segments=segments,
        frames=frames,
        frames_done=frames_done,
        frames_finished=frames_finished,
        measured=float(measured or 0),
        in_flight=float(in_flight),
        priority=Priority(priority),
        start_target=float(start_target),
        target=float(target),
        held=tuple(sorted(zip(held[::2], held[1::2], strict=True))),
        out=tuple(sorted(zip(out[::2], map(int, out[1::2]), strict=True))),
    )
