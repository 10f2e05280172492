"""Jobs and segments as text and back: the one place that knows how a record looks in Redis."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from pydantic import TypeAdapter

from storage.errors import InvalidRequestError, JobNotFoundError
from storage.job_store.contract import CURSOR
from storage.job_store.packed import pack, unpack
from storage.job_store.slim_codec import is_slim, job_of_slim, named_after
from storage.model.job import Changes, Job, JobError, JobState, Priority
from storage.model.job_fields import FIELDS, Kind, named
from storage.model.plan import Plan, Segment
from storage.model.record_checks import check_job, check_result, check_segment, expect, number_of, spoiled, task_of
from storage.model.task import wanted_tasks
from storage.scheduling.costs import Work, nominal_cost

_JOB = TypeAdapter(Job)
_CHANGES = TypeAdapter(Changes)
_SEGMENT = TypeAdapter(Segment)
_PLAN = TypeAdapter(Plan)
_ERROR = TypeAdapter(JobError)

_INTAKE, _TEXTS, _JSON = named(Kind.INTAKE), named(Kind.TEXT), named(Kind.JSON)
_BESIDE = frozenset({"id", "owner", "size", "created_at"})  # of the intake: in the key, or in a field of its own
_json = partial(json.dumps, separators=(",", ":"))


def encode_segment(segment: Segment) -> str:
    """Return the segment as JSON."""
    return _SEGMENT.dump_json(segment, exclude_defaults=True).decode()


def decode_segment(text: str | bytes) -> Segment:
    """Return the segment that `encode_segment` wrote."""
    return _SEGMENT.validate_json(text)


def encode_plan(plan: Plan) -> str:
    """Return the plan packed, without what it has by default: it would be most of a waiting job's record."""
    return pack(_PLAN.dump_json(plan, exclude_defaults=True).decode())


def decode_plan(text: str) -> Plan:
    """Return the plan that `encode_plan` wrote."""
    return _PLAN.validate_json(unpack(text))


def encode_reason(reason: JobError) -> str:
    """Return why a job or an attempt failed, as JSON."""
    return _ERROR.dump_json(reason).decode()


def fields_of_changes(changes: Changes) -> dict[str, str]:
    """Return the record's fields that a move writes; what they have by default is left out of a record."""
    written = _CHANGES.dump_python(changes, mode="json", exclude={"segments", "plan"})
    changed = [field.name for field in FIELDS if getattr(changes, field.name, None) not in (None, field.default)]
    fields = {name: _json(written[name]) for name in changed if name in written}
    if changes.after_start:
        fields["after_start"] = repr(changes.after_start)
    return fields | _of_plan(changes.plan)


def fields_of_job(job: Job) -> dict[str, str]:
    """Return the record of a job: one JSON text for what never changes, one field for each thing that does."""
    record = _JOB.dump_python(job, mode="json", exclude={"plan"})
    changed = [field for field in FIELDS if field.kind is Kind.JSON and getattr(job, field.name) != field.default]
    return {
        **fields_of_intake(job),
        **{name: record[name] for name in _TEXTS},
        **{field.name: _json(record[field.name]) for field in changed if field.name in record},
        # What scripts read of every record.
        "issued": str(job.issued),
        "in_flight": repr(job.in_flight),
        **_of_plan(job.plan),
    }


def fields_of_intake(job: Job) -> dict[str, str]:
    """Return what came with the upload, as whole records have it: it never changes."""
    kept = {name: getattr(job, name) for name in _INTAKE if name not in _BESIDE}
    if job.title == named_after(job.filename):
        del kept["title"]
    for name in ("webhook_url", "loudness"):
        if kept[name] is None:
            del kept[name]
    # Beside it, what scripts read of every record.
    own = {"owner": job.owner, "size": str(job.size), "created_at": repr(job.created_at)}
    return {"intake": _json(kept), **own}


def _of_plan(plan: Plan | None) -> dict[str, str]:
    """Return the plan, and beside it its length and cost for the scripts."""
    if plan is None:
        return {}
    return {"plan": encode_plan(plan), "frames": str(plan.frames), "nominal": repr(nominal_cost(plan))}


def job_of_fields(fields: Mapping[str, str], job_id: str) -> Job:
    """Return the job of this id, whose record this is.

    Raises JobNotFoundError where there is no record any more, RecordError where it is not what was written.
    """
    if not fields:
        raise JobNotFoundError(detail=job_id)
    with spoiled(job_id):
        job = job_of_slim(fields, job_id) if is_slim(fields) else _job_of_whole(fields, job_id)
        expect(job.id == job_id, "id")
    check_job(job)
    return job


def _job_of_whole(fields: Mapping[str, str], job_id: str) -> Job:
    record: dict[str, Any] = {"id": job_id, "owner": fields["owner"], "size": int(fields["size"])}
    if "created_at" in fields:
        record["created_at"] = float(fields["created_at"])
    record |= json.loads(fields["intake"])
    record.setdefault("title", named_after(record["filename"]))
    record |= {name: fields[name] for name in _TEXTS}
    record |= {
        name: json.loads(unpack(fields[name]) if name == "plan" else fields[name]) for name in _JSON if name in fields
    }
    return _JOB.validate_python(record)


def segment_of_record(text: str, job_id: str, index: int) -> Segment:
    """Return the job's segment of this index. Raises RecordError where the text is not what was written."""
    with spoiled(job_id):
        segment = decode_segment(text)
        expect(segment.index == index, "index")
    check_segment(segment, job_id)
    return segment


def result_of_record(job_id: str, field: str, text: str) -> dict[str, Any]:
    """Return the result of the job's task of this field. Raises RecordError where it is not what was written."""
    with spoiled(job_id):
        result: dict[str, Any] = json.loads(text)
    check_result(task_of(job_id, field), result)
    return result


def work_of_record(job_id: str, values: Sequence[Any], held: Sequence[str], out: Sequence[Any]) -> Work:
    """Return a job's work, as works.lua reads it. Raises RecordError where it is not what was written."""
    owner, state, size, nominal, *counts, measured, in_flight, priority = values[:-5]
    start_target, target, cost, start_cost, told = values[-5:]
    with spoiled(job_id):
        segments, frames, frames_done, frames_finished = (number_of(job_id, count or "0") for count in counts)
        work = Work(
            job_id=job_id,
            owner=str(owner),
            state=JobState(state),
            size=number_of(job_id, size),
            nominal=None if nominal is None else _amount(nominal),
            segments=segments,
            frames=frames,
            frames_done=frames_done,
            frames_finished=frames_finished,
            measured=_amount(measured or 0),
            in_flight=_amount(in_flight),
            priority=Priority(priority),
            start_target=_finite(start_target),
            target=_finite(target),
            cost=_amount(cost or 0),
            start_cost=_amount(start_cost or 0),
            told=_amount(told or 0),
            held=tuple(sorted(zip(held[::2], held[1::2], strict=True))),
            out=tuple(sorted(zip(out[::2], map(int, out[1::2]), strict=True))),
        )
        for field, _ in (*work.held, *work.out):
            task_of(job_id, field)
    return work


def _amount(text: str | float) -> float:
    amount = _finite(text)
    expect(amount >= 0, "number")
    return amount


def _finite(text: str | float) -> float:
    number = float(text)
    expect(math.isfinite(number), "number")
    return number


def fields_of_wanted(plan: Plan | None, segments: tuple[Segment, ...], job_id: str) -> dict[str, str]:
    """Return the tasks of encoding by field, each with its segment as JSON, `{}` where it makes none."""
    wanted = {} if plan is None else wanted_tasks(plan, segments, job_id)
    return {field: "{}" if segment is None else encode_segment(segment) for field, segment in wanted.items()}


def cursor_of(job: Job) -> str:
    """Return the job's place in the list: text that sorts by creation (microseconds), then by id."""
    return f"{round(job.created_at * 1_000_000):017d}:{job.id}"


def checked_cursor(text: str) -> str:
    """Return the cursor; raise InvalidRequestError for text that no page gave."""
    if re.fullmatch(CURSOR, text) is None:
        raise InvalidRequestError(reason="cursor")
    return text
