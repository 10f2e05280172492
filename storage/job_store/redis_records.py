"""Job records in Redis, and the moves of their state machine."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from operator import attrgetter

from storage.errors import (
    BusyError,
    ConflictError,
    HighShareError,
    JobExistsError,
    JobNotFoundError,
    LeaseLostError,
    TransitionError,
)
from storage.job_store import redis_keys
from storage.job_store.codec import (
    checked_cursor,
    fields_of_changes,
    fields_of_intake,
    fields_of_job,
    fields_of_wanted,
    job_of_fields,
    segment_of_record,
)
from storage.job_store.contract import TOLD, JobPage
from storage.job_store.early_contract import WASTE_SECONDS
from storage.job_store.queue_contract import FINISHED_KEPT
from storage.job_store.redis_scripts import RedisScripts, pairs, spaced
from storage.job_store.slim_codec import fields_of_slim
from storage.model.job import ALLOWED_MOVES, TIME_OF_STATE, Changes, Job, JobState, Priority, checked_move
from storage.model.job_fields import FORGOTTEN
from storage.model.job_warnings import Warnings
from storage.model.plan import Plan, Segment
from storage.model.record_checks import task_of
from storage.model.task import Results, Stage, Task
from storage.scheduling.fairness import APART_SECONDS, HIGH_SHARE, LEAD_SECONDS, START_ALONE_SECONDS, STRETCH

# Moves that leave the leases alone: a plan goes on under the lease it was claimed with, and what a stopping attempt
# still holds shows that it may still write.
_KEEPS_LEASES = frozenset({JobState.PLANNING, JobState.FAILED, JobState.CANCELLED})
# How long attempts at a deleted job's tasks may still write: they renew their leases each second and stop when refused,
# but a write of theirs that is under way goes to its end.
LAST_WRITES_SECONDS = 15.0
_HIGH_RETRY_SECONDS = 60  # an urgent job is ready soon, and its owner may set it back at once
_CLEARING_RETRY_SECONDS = 2  # removing objects takes moments
_DELETED_EVENTS_SECONDS = 600  # time for open pages to come back and learn that their job was deleted
_FORGOTTEN = json.dumps(FORGOTTEN)
_LEADS = json.dumps(LEAD_SECONDS)
_ARRIVAL = (STRETCH * START_ALONE_SECONDS, _LEADS, APART_SECONDS)  # what scripts make a new job's start_target from


class RedisRecords(RedisScripts):
    """A RecordStore on Redis."""

    def create(self, job: Job, segments: tuple[Segment, ...] = ()) -> None:
        """See RecordStore.create."""
        made = self._create(job, segments, {}, queued_at="", tell=False, slim=False)
        if made < 0:
            raise TransitionError(detail=f"The upload of job {job.id} was ended.")
        if not made:
            raise JobExistsError(detail=job.id)

    def restore(
        self, job: Job, segments: tuple[Segment, ...], results: Results, *, tell: bool, accepted_at: float | None = None
    ) -> bool:
        """See RecordStore.restore."""
        told = tell and job.webhook_url is not None and job.state in TOLD
        slim = job.state.finished and job.finished_at is not None
        queued_at = repr(job.created_at if accepted_at is None else accepted_at)
        return self._create(job, segments, results, queued_at=queued_at, tell=told, slim=slim) > 0

    def _create(
        self, job: Job, segments: tuple[Segment, ...], results: Results, *, queued_at: str, tell: bool, slim: bool
    ) -> int:
        fields = json.dumps(fields_of_slim(job) if slim else fields_of_job(job))
        wanted = json.dumps(fields_of_wanted(job.plan, segments, job.id))
        rests = job.state.finished or job.state is JobState.UPLOADING
        times = ("1" if rests else "", repr(job.created_at))
        done = json.dumps({field: json.dumps(result) for field, result in results.items()})
        restored = (done, queued_at, "1" if tell else "")
        until = repr(self._redis.now() + self._redis.patience)
        return int(self._run("create", job.id, _new_call(), fields, wanted, *times, *restored, until, *_ARRIVAL))

    def get(self, job_id: str) -> Job:
        """See RecordStore.get."""
        fields = self._redis.call(lambda: self._client.hgetall(redis_keys.of_job("job", job_id)))
        if not fields:
            raise _not_found(job_id)
        return job_of_fields(fields, job_id)

    def records(self, job_ids: Sequence[str]) -> tuple[Job, ...]:
        """See RecordStore.records."""
        if not job_ids:
            return ()
        found = ((job_id, pairs(record)) for job_id, record in self._run_alone("records", [], *job_ids) if record)
        return tuple(self._readable(found, lambda job_id, fields: job_of_fields(fields, job_id)))

    def segment(self, job_id: str, index: int) -> Segment:
        """See RecordStore.segment."""
        task = Task(job_id, Stage.SEGMENT, index)
        text = self._redis.call(lambda: self._client.hget(redis_keys.of_job("wanted", job_id), task.field))
        if text is None:
            raise LeaseLostError(detail=f"{job_id} has no {task.field} any more.")
        return segment_of_record(text, job_id, index)

    def segments(self, job_id: str) -> tuple[Segment, ...]:
        """See RecordStore.segments."""
        wanted = self._redis.call(lambda: self._client.hgetall(redis_keys.of_job("wanted", job_id)))
        texts = {field: text for field, text in wanted.items() if field.startswith(Stage.SEGMENT)}
        found = [segment_of_record(text, job_id, task_of(job_id, field).index) for field, text in texts.items()]
        return tuple(sorted(found, key=attrgetter("index")))

    def page(self, *, owner: str, state: JobState | None, limit: int, cursor: str | None) -> JobPage:
        """See RecordStore.page."""
        bound = "+" if cursor is None else f"({checked_cursor(cursor)}"
        lists = [redis_keys.owned(owner, one) for one in (JobState if state is None else (state,))]
        records = self._run_alone("page", lists, bound, limit + 1)
        found = ((cursor.partition(":")[2], pairs(record)) for cursor, record in records[:limit])
        jobs = tuple(self._readable(found, lambda job_id, fields: job_of_fields(fields, job_id)))
        return JobPage(jobs, records[limit - 1][0] if len(records) > limit else None)

    def move(self, job_id: str, to: JobState, changes: Changes | None = None, *, if_in: JobState | None = None) -> Job:
        """See RecordStore.move."""
        written = changes or Changes()
        allowed = spaced(state for state in JobState if to in ALLOWED_MOVES[state] and if_in in {None, state})
        fields = fields_of_changes(written)
        if to is JobState.QUEUED:
            fields |= fields_of_intake(self.get(job_id))  # which a slim record has packed
        answer = self._run(
            "move",
            job_id,
            _new_call(),
            to.value,
            allowed,
            json.dumps(fields),
            json.dumps(fields_of_wanted(written.plan, written.segments, job_id)),
            TIME_OF_STATE.get(to, ""),
            "1" if to in _KEEPS_LEASES else "",
            FINISHED_KEPT,
            "1" if to in TOLD else "",
            *_ARRIVAL,
            _FORGOTTEN,
            HIGH_SHARE,
            "1" if written.keeps_early else "",
            WASTE_SECONDS,
        )
        match answer:
            case ["moved", record]:
                return job_of_fields(pairs(record), job_id)
            case ["clearing"]:
                raise _being_cleared()
            case ["incomplete"]:
                raise ConflictError(reason="no_original")
            case ["refused", present]:
                checked_move(JobState(present), to)
                raise TransitionError(detail=f"Job {job_id} is {present} and not {if_in}.")
        raise _not_found(job_id)

    def check_cleared(self, job_id: str) -> None:
        """See RecordStore.check_cleared."""
        until = self._redis.call(lambda: self._client.zscore(redis_keys.LEFTOVERS, job_id))
        if until is not None and until > self._redis.now():
            raise _being_cleared()

    def prioritise(self, job_id: str, priority: Priority) -> Job:
        """See RecordStore.prioritise."""
        match self._run("prioritise", job_id, priority.value, _LEADS, HIGH_SHARE):
            case ["set", record]:
                return job_of_fields(pairs(record), job_id)
            case ["full"]:
                raise HighShareError(retry_after=_HIGH_RETRY_SECONDS)
            case ["refused", present]:
                raise TransitionError(detail=f"The job is {present}, so its priority changes nothing.")
        raise _not_found(job_id)

    def replan(self, job_id: str, plan: Plan, segments: tuple[Segment, ...], warnings: Warnings) -> Job:
        """See RecordStore.replan."""
        fields = json.dumps(fields_of_changes(Changes(plan=plan, warnings=warnings)))
        wanted = json.dumps(fields_of_wanted(plan, segments, job_id))
        if not self._run("replan", job_id, _new_call(), fields, wanted):
            raise TransitionError(detail=f"Job {job_id}, in state {self.get(job_id).state}, cannot be planned anew.")
        return self.get(job_id)

    def delete(self, job_id: str) -> None:
        """See RecordStore.delete."""
        self._run("delete", job_id, _DELETED_EVENTS_SECONDS, LAST_WRITES_SECONDS)

    def ping(self) -> None:
        """See RecordStore.ping."""
        self._redis.call(self._client.ping)


def _new_call() -> str:
    """Return a name for one call of a script, so that it is known again where its answer was lost.

    A record keeps the names of its last calls, so it is short: 48 bits, unlike all others of one job.
    """
    return secrets.token_urlsafe(6)


def _not_found(job_id: str) -> JobNotFoundError:
    return JobNotFoundError(detail=job_id)


def _being_cleared() -> BusyError:
    return BusyError(reason="clearing", retry_after=_CLEARING_RETRY_SECONDS)
