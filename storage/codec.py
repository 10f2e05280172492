"""Plans and jobs as text and back: the one place that knows how a record looks in Redis."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import TypeAdapter

from storage.errors import InvalidRequestError
from storage.job_store import Event
from storage.jobs import Changes, Job, JobError, JobState, Output, Stage, tasks_of
from storage.plan import Plan

_JOB = TypeAdapter(Job)
_PLAN = TypeAdapter(Plan)
_OUTPUTS = TypeAdapter(tuple[Output, ...])
_WARNINGS = TypeAdapter(tuple[str, ...])
_ERROR = TypeAdapter(JobError)

_INTAKE = ("id", "owner", "title", "filename", "size", "created_at", "webhook_url")
_TIMES = ("started_at", "encoding_at", "finished_at")
_REST = ("frames_done", "issued", "plan", "outputs", "warnings", "error")
_EVENT_ID = re.compile(r"\d{1,16}(-\d{1,16})?")
_CURSOR = re.compile(r"\d{17}:[0-9a-f]{32}")


def encode_plan(plan: Plan) -> str:
    """Return the plan as JSON."""
    return _PLAN.dump_json(plan).decode()


def decode_plan(text: str | bytes) -> Plan:
    """Return the plan that `encode_plan` wrote."""
    return _PLAN.validate_json(text)


def encode_job(job: Job) -> str:
    """Return the whole job as JSON."""
    return _JOB.dump_json(job).decode()


def decode_job(text: str | bytes) -> Job:
    """Return the job that `encode_job` wrote."""
    return _JOB.validate_json(text)


def fields_of_changes(changes: Changes) -> dict[str, str]:
    """Return the record's fields that a move writes; the plan's length and duration stand beside it for the scripts."""
    fields: dict[str, str] = {}
    if changes.plan is not None:
        fields["plan"] = encode_plan(changes.plan)
        fields["frames"] = str(changes.plan.frames)
        fields["duration"] = repr(changes.plan.duration)
    if changes.outputs is not None:
        fields["outputs"] = _OUTPUTS.dump_json(changes.outputs).decode()
    if changes.warnings is not None:
        fields["warnings"] = _WARNINGS.dump_json(changes.warnings).decode()
    if changes.error is not None:
        fields["error"] = _ERROR.dump_json(changes.error).decode()
    return fields


def fields_of_job(job: Job) -> dict[str, str]:
    """Return the record of a job: one JSON text for what never changes, one field for each thing that does."""
    intake = {name: getattr(job, name) for name in _INTAKE}
    times = {name: repr(getattr(job, name)) for name in _TIMES if getattr(job, name) is not None}
    changes = Changes(plan=job.plan, outputs=job.outputs, warnings=job.warnings, error=job.error)
    return {
        "intake": json.dumps(intake),
        "owner": job.owner,
        "cursor": cursor_of(job),
        "state": job.state.value,
        "frames_done": str(job.frames_done),
        **({"has_poster": "true"} if job.has_poster else {}),
        **({"playable": "true"} if job.playable else {}),
        **times,
        **fields_of_changes(changes),
    }


def job_of_fields(fields: dict[str, str]) -> Job:
    """Return the job whose record this is."""
    record: dict[str, Any] = json.loads(fields["intake"])
    record["state"] = fields["state"]
    record |= {name: fields.get(name) == "true" for name in ("has_poster", "playable")}
    record |= {name: json.loads(fields[name]) for name in (*_TIMES, *_REST) if name in fields}
    return _JOB.validate_python(record)


def wanted_frames(plan: Plan, job_id: str) -> dict[str, int]:
    """Return the fields of the plan's tasks with the output frames each makes (0 for those that make none)."""
    frames = {segment.index: segment.frames for segment in plan.segments}
    return {task.field: frames[task.index] if task.stage is Stage.SEGMENT else 0 for task in tasks_of(plan, job_id)}


def event_data_of_state(state: JobState) -> dict[str, Any]:
    """Return the data of `created` and `state` events."""
    return {"state": state.value}


def event_of_fields(event_id: str, fields: dict[str, str]) -> Event:
    """Return the event that a stream entry holds."""
    return Event(event_id, fields["job"], fields["type"], json.loads(fields["data"]))


def cursor_of(job: Job) -> str:
    """Return the job's place in the list: text that sorts by creation (microseconds), then by id."""
    return f"{round(job.created_at * 1_000_000):017d}:{job.id}"


def checked_cursor(text: str) -> str:
    """Return the cursor; raise InvalidRequestError for text that no page gave."""
    if not _CURSOR.fullmatch(text):
        raise InvalidRequestError("This cursor was not given by a page of jobs.")
    return text


def checked_event_id(text: str) -> str:
    """Return the id in full (`0` becomes `0-0`); raise InvalidRequestError for what is no event id."""
    if not _EVENT_ID.fullmatch(text):
        raise InvalidRequestError("This is not the id of an event.")
    return text if "-" in text else f"{text}-0"


def event_order(event_id: str) -> tuple[int, int]:
    """Return what event ids sort by."""
    milliseconds, sequence = event_id.split("-")
    return int(milliseconds), int(sequence)
