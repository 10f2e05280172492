"""Plans, segments and jobs as text and back: the one place that knows how a record looks in Redis."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import TypeAdapter

from storage.errors import InvalidRequestError
from storage.model.damage import Damage
from storage.model.job import Changes, FailedAttempt, Job, JobError, JobState, Output, Promise
from storage.model.job_warnings import Warnings
from storage.model.plan import Plan, Segment
from storage.model.task import wanted_tasks
from storage.scheduling.costs import nominal_cost

_JOB = TypeAdapter(Job)
_PLAN = TypeAdapter(Plan)
_SEGMENT = TypeAdapter(Segment)
_OUTPUTS = TypeAdapter(tuple[Output, ...])
_WARNINGS = TypeAdapter(Warnings)
_DAMAGE = TypeAdapter(tuple[Damage, ...])
_ERROR = TypeAdapter(JobError)
_PROMISE = TypeAdapter(Promise)
_FAILED_ATTEMPTS = TypeAdapter(tuple[FailedAttempt, ...])

_INTAKE = ("id", "owner", "title", "filename", "size", "created_at", "webhook_url")
_TEXTS = ("state", "priority")
_TIMES = ("started_at", "encoding_at", "begun_at", "finished_at")
_COUNTS = ("frames_done", "issued", "encoder_seconds", "in_flight", "start_target", "target")
_REST = ("plan", "outputs", "has_storyboard", "warnings", "damage", "error", "failed_attempts", "promise")
_CURSOR = re.compile(r"\d{17}:[0-9a-f]{32}")


def encode_plan(plan: Plan) -> str:
    """Return the plan as JSON."""
    return _PLAN.dump_json(plan).decode()


def decode_plan(text: str | bytes) -> Plan:
    """Return the plan that `encode_plan` wrote."""
    return _PLAN.validate_json(text)


def encode_segment(segment: Segment) -> str:
    """Return the segment as JSON."""
    return _SEGMENT.dump_json(segment).decode()


def decode_segment(text: str | bytes) -> Segment:
    """Return the segment that `encode_segment` wrote."""
    return _SEGMENT.validate_json(text)


def encode_reason(reason: JobError) -> str:
    """Return why a job or an attempt failed, as JSON."""
    return _ERROR.dump_json(reason).decode()


def fields_of_changes(changes: Changes) -> dict[str, str]:
    """Return the record's fields that a move writes; the plan's length and cost stand beside it for the scripts."""
    fields: dict[str, str] = {}
    if changes.plan is not None:
        fields["plan"] = encode_plan(changes.plan)
        fields["frames"] = str(changes.plan.frames)
        fields["nominal"] = repr(nominal_cost(changes.plan))
    if changes.after_start is not None:
        fields["after_start"] = repr(changes.after_start)
    if changes.promise is not None:
        fields["promise"] = _PROMISE.dump_json(changes.promise).decode()
    if changes.outputs is not None:
        fields["outputs"] = _OUTPUTS.dump_json(changes.outputs).decode()
    if changes.has_storyboard is not None:
        fields["has_storyboard"] = json.dumps(changes.has_storyboard)
    if changes.warnings is not None:
        fields["warnings"] = _WARNINGS.dump_json(changes.warnings).decode()
    if changes.damage is not None:
        fields["damage"] = _DAMAGE.dump_json(changes.damage).decode()
    if changes.error is not None:
        fields["error"] = encode_reason(changes.error)
    return fields


def fields_of_job(job: Job) -> dict[str, str]:
    """Return the record of a job: one JSON text for what never changes, one field for each thing that does."""
    intake = {name: getattr(job, name) for name in _INTAKE}
    times = {name: repr(getattr(job, name)) for name in _TIMES if getattr(job, name) is not None}
    kept = ("plan", "promise", "outputs", "has_storyboard", "warnings", "damage", "error")
    changes = Changes(**{name: getattr(job, name) for name in kept})
    return {
        "intake": json.dumps(intake),
        "owner": job.owner,
        "cursor": cursor_of(job),
        "state": job.state.value,
        "priority": job.priority.value,
        "frames_done": str(job.frames_done),
        "issued": str(job.issued),
        "size": str(job.size),
        "encoder_seconds": repr(job.encoder_seconds),
        "in_flight": str(job.in_flight),
        **({"has_poster": "true"} if job.has_poster else {}),
        **({"playable": "true"} if job.playable else {}),
        **({"failed_attempts": _encode_failed(job)} if job.failed_attempts else {}),
        **({"target": repr(job.target)} if job.target else {}),
        **times,
        **fields_of_changes(changes),
    }


def _encode_failed(job: Job) -> str:
    return _FAILED_ATTEMPTS.dump_json(job.failed_attempts).decode()


def job_of_fields(fields: dict[str, str]) -> Job:
    """Return the job whose record this is."""
    record: dict[str, Any] = json.loads(fields["intake"])
    record |= {name: fields[name] for name in _TEXTS}
    record |= {name: fields.get(name) == "true" for name in ("has_poster", "playable")}
    record |= {name: json.loads(fields[name]) for name in (*_TIMES, *_COUNTS, *_REST) if name in fields}
    return _JOB.validate_python(record)


def fields_of_wanted(plan: Plan | None, segments: tuple[Segment, ...], job_id: str) -> dict[str, str]:
    """Return the tasks of encoding by field, each with its segment as JSON, `{}` where it makes none."""
    wanted = {} if plan is None else wanted_tasks(plan, segments, job_id)
    return {field: "{}" if segment is None else encode_segment(segment) for field, segment in wanted.items()}


def event_data_of_state(state: JobState) -> dict[str, Any]:
    """Return the data of `created` and `state` events."""
    return {"state": state.value}


def cursor_of(job: Job) -> str:
    """Return the job's place in the list: text that sorts by creation (microseconds), then by id."""
    return f"{round(job.created_at * 1_000_000):017d}:{job.id}"


def checked_cursor(text: str) -> str:
    """Return the cursor; raise InvalidRequestError for text that no page gave."""
    if not _CURSOR.fullmatch(text):
        raise InvalidRequestError("This cursor was not given by a page of jobs.")
    return text
