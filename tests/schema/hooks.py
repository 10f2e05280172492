"""What schemathesis is told of this service, in its own process: what there is, and what never ends."""

from __future__ import annotations

import os
from typing import Any

import schemathesis
from pydantic import BaseModel, ValidationError

from storage.model.languages import language_tag
from web.schemas.jobs import EventsQuery
from web.schemas.tracks import SubtitleQuery

JOBS = "RUNGS_SCHEMA_JOBS"  # names jobs that have ended, separated by commas; the first is ready, and stays so
FILE = "720p.mp4"  # which each of them has
_EVENTS = "/api/events"
_EVENTS_OF_JOB = "/api/jobs/{job_id}/events"
_UPLOADS = "/api/uploads"
_SUBTITLES = "/api/jobs/{job_id}/subtitles"
_TUS = {
    "Tus-Resumable": "1.0.0",
    "Upload-Length": "1000",
    "Upload-Offset": "0",
    "Content-Type": "application/offset+octet-stream",
}
_FORMS = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Ask for a job and a file that there are in most cases, but delete none of them: ids are not guessed."""
    jobs = os.environ[JOBS].split(",")
    job_id = str((path_parameters or {}).get("job_id", ""))
    is_known = len(job_id) == len(jobs[0]) and job_id[0] not in "0123" and context.operation.method.upper() != "DELETE"
    if path_parameters is None or not is_known:
        return path_parameters
    known = {"job_id": jobs[hash(job_id) % len(jobs)]}
    return {**path_parameters, **known, **({"name": FILE} if "name" in path_parameters else {})}


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """Leave out what has no end, the stream of all events, and what cannot be said: a form's field that is no text."""
    if case.operation.path == _EVENTS:
        return not _is_valid(case.query)
    texts = case.body if case.media_type in _FORMS and isinstance(case.body, dict) else {}
    return all(isinstance(text, str | bytes) for text in texts.values())


@schemathesis.hook
def before_call(_context: Any, case: Any, kwargs: Any) -> None:
    """Watch only jobs that have ended: the stream of another waits for what nobody does here. Speak tus to uploads.

    The headers of tus are the protocol's, and the description leaves them to that; and an index has bytes, as a file
    of subtitles has.
    """
    if case.operation.path.startswith(_UPLOADS):
        case.headers.update(_TUS)
    if case.operation.path.startswith(_UPLOADS) and case.method == "PUT":
        kwargs["data"] = b"index"
    if case.operation.path.startswith(_SUBTITLES) and case.method in {"POST", "PUT"}:
        kwargs["data"] = b"00:01.000 --> 00:02.000\nHi"
        if _is_valid(case.query, SubtitleQuery) and not language_tag((case.query or {}).get("language", "")):
            case.query = {**(case.query or {}), "language": "ko"}  # a description cannot list all languages
    if case.operation.path == _EVENTS_OF_JOB and case.method == "GET" and _is_valid(case.query):
        case.path_parameters["job_id"] = os.environ[JOBS].partition(",")[0]


def _is_valid(query: Any, model: type[BaseModel] = EventsQuery) -> bool:
    try:
        model.model_validate(dict(query or {}))
    except ValidationError:
        return False
    return True
