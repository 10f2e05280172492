"""What Redis keeps of the work after a job's end, of roles, and of repairs made."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from storage.errors import JobNotFoundError, RecordError
from storage.faults import note_fault
from storage.job_store import redis_keys
from storage.job_store.codec import job_of_fields
from storage.job_store.contract import Leftovers, Notice
from storage.job_store.redis_scripts import Read, RedisScripts, pairs
from storage.job_store.slim_codec import pieces_of
from storage.model.job import Job
from storage.model.record_checks import number_of


class RedisUpkeep(RedisScripts):
    """An UpkeepStore on Redis."""

    def hold(self, name: str, holder: str, *, seconds: float) -> bool:
        """See UpkeepStore.hold."""
        milliseconds = max(int(seconds * 1000), 1)
        return bool(self._run_alone("hold", [redis_keys.role(name)], holder, milliseconds))

    def due_notices(self, limit: int) -> tuple[Notice, ...]:
        """See UpkeepStore.due_notices."""
        return tuple(self._due(redis_keys.NOTICES, limit, _notice))

    def postpone_notice(self, notice: Notice, *, seconds: float, failed: bool) -> None:
        """See UpkeepStore.postpone_notice."""
        self._run_notice(notice, seconds, "1" if failed else "")

    def end_notice(self, notice: Notice) -> None:
        """See UpkeepStore.end_notice."""
        self._run_notice(notice, "", "")

    def leftovers(self, limit: int) -> tuple[str, ...]:
        """See UpkeepStore.leftovers."""
        return tuple(self._run_alone("leftovers", [redis_keys.LEFTOVERS], limit))

    def begin_clearing(self, job_id: str, *, seconds: float) -> Leftovers | None:
        """See UpkeepStore.begin_clearing."""
        keys = [redis_keys.LEFTOVERS, redis_keys.of_job("job", job_id)]
        answer = self._run_alone("clear", keys, job_id, seconds)
        return Leftovers(answer) if answer else None

    def end_clearing(self, job_id: str, *, gone: bool) -> None:
        """See UpkeepStore.end_clearing."""
        if gone:
            self._redis.call(lambda: self._client.zrem(redis_keys.LEFTOVERS, job_id))
        else:
            now = self._redis.now()
            self._redis.call(lambda: self._client.zadd(redis_keys.LEFTOVERS, {job_id: now}, xx=True))

    def unsaved(self, limit: int) -> tuple[Job, ...]:
        """See UpkeepStore.unsaved."""
        return tuple(self._due(redis_keys.UNSAVED, limit, job_of_fields))

    def saved(self, job: Job) -> bool:
        """See UpkeepStore.saved."""
        return bool(self._run("saved", job.id, repr(job.finished_at), *pieces_of(job)))

    def count_repair(self, name: str) -> None:
        """See UpkeepStore.count_repair."""
        self._redis.call(lambda: self._client.hincrby(redis_keys.REPAIRS, name, 1))

    def repairs(self) -> dict[str, int]:
        """See UpkeepStore.repairs."""
        return {
            name: int(count)
            for name, count in self._redis.call(lambda: self._client.hgetall(redis_keys.REPAIRS)).items()
        }

    def faults(self) -> dict[str, int]:
        """See UpkeepStore.faults."""
        counted = self._redis.call(lambda: self._client.hgetall(redis_keys.FAULTS))
        return {place: int(count) for place, count in counted.items()}

    def _due(self, key: str, limit: int, read: Callable[[dict[str, str], str], Read]) -> Iterator[Read]:
        """Yield the jobs of a list that are due. One that cannot be read leaves it: it would be due for ever."""
        for job_id, record in self._run_alone("due", [key], limit):
            try:
                yield read(pairs(record), job_id)
            except RecordError as error:
                note_fault("record", job_id, error, self.count_fault)
                self._redis.call(lambda: self._client.zrem(key, job_id))  # noqa: B023 - called at once
            except JobNotFoundError:
                self._redis.call(lambda: self._client.zrem(key, job_id))  # noqa: B023 - called at once

    def _run_notice(self, notice: Notice, *arguments: str | float) -> None:
        self._run("notice", notice.job.id, repr(notice.job.finished_at), notice.tries, *arguments)


def _notice(fields: dict[str, str], job_id: str) -> Notice:
    return Notice(job_of_fields(fields, job_id), number_of(job_id, fields.get("tries", "0")))
