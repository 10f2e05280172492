"""`/api/jobs/<id>/subtitles`: files of subtitles that are added to a job, replaced and removed; live at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, jsonify, url_for
from spectree import Response as Answers

from storage.captions.side_files import LONGEST_FILE
from storage.errors import BusyError, ConflictError, InvalidRequestError
from storage.model.job import Job, JobState
from storage.model.languages import language_tag
from storage.model.shown_text import clean_text
from storage.model.timed_text import SubtitleTrack
from storage.services.subtitles import add_subtitles, remove_subtitles, replace_subtitles
from storage.subtitle_errors import SubtitleTooLargeError
from web.context import Web, current
from web.http.connection import SUBTITLES, UPLOAD_PATH, ask_for_body
from web.http.openapi import Problem, checked_query, spec
from web.routes.owned import owned_job
from web.routes.uploading import close_if_refused
from web.schemas.tracks import SubtitleQuery, SubtitleTracks
from web.schemas.tracks import SubtitleTrack as PublicTrack
from web.upload.body_reader import body_reader

_READ_BYTES = 256 * 1024  # at most, at once, as of an upload
_YES = "true"
_OF_JOB = f"{UPLOAD_PATH}/<job_id>/{SUBTITLES}"
# What keeps a file from being taken.
_REFUSED = {f"HTTP_{status}": Problem for status in (404, 409, 413, 415, 503)}

blueprint = Blueprint("subtitles", __name__)
blueprint.after_request(close_if_refused)


@blueprint.get(_OF_JOB)
@spec.validate(resp=Answers(HTTP_200=SubtitleTracks, HTTP_404=Problem, HTTP_503=Problem), tags=["jobs"])
def list_subtitles(job_id: str) -> Response:
    """List the subtitles of a job: those of its file, then those that were added."""
    web = current()
    return jsonify({"subtitles": web.views.of(owned_job(web, job_id))["subtitles"]})


@blueprint.post(_OF_JOB)
@spec.validate(
    query=SubtitleQuery,
    resp=Answers(HTTP_201=PublicTrack, **_REFUSED),
    tags=["jobs"],
)
def add(job_id: str) -> Response:
    """Add a file of subtitles (SubRip, WebVTT, ASS, TTML), which is the body; it can be watched at once.

    In whichever characters it is written. Downloads of a job that is ready stay as they are.
    """
    web = current()
    job = _job(web, job_id)
    told = _told("")
    with _received(web) as data:
        track = add_subtitles(web.services, web.views.whole(job), told, data)
    answer = jsonify(_shown(web, job_id, track.id))
    answer.status_code = HTTPStatus.CREATED
    answer.headers["Location"] = url_for("subtitles.replace", job_id=job_id, track_id=track.id)
    return answer


@blueprint.put(f"{_OF_JOB}/<track_id>")
@spec.validate(
    query=SubtitleQuery,
    resp=Answers(HTTP_200=PublicTrack, **_REFUSED),
    tags=["jobs"],
)
def replace(job_id: str, track_id: str) -> Response:
    """Put another file in the place of subtitles that were added, with what the query says of it."""
    web = current()
    job = _job(web, job_id)
    told = _told(track_id)
    with _received(web) as data:
        replace_subtitles(web.services, job, told, data)
    return jsonify(_shown(web, job_id, track_id))


@blueprint.delete(f"{_OF_JOB}/<track_id>")
@spec.validate(resp=Answers(HTTP_204=None, HTTP_404=Problem, HTTP_503=Problem), tags=["jobs"])
def remove(job_id: str, track_id: str) -> Response:
    """Remove subtitles that were added."""
    web = current()
    owned_job(web, job_id)
    remove_subtitles(web.services, job_id, track_id)
    return Response(status=HTTPStatus.NO_CONTENT)


def _job(web: Web, job_id: str) -> Job:
    """Return the caller's job, of which the whole file is there. Raises ConflictError for another one."""
    job = owned_job(web, job_id)
    if job.incomplete or job.state is JobState.UPLOADING:
        raise ConflictError(reason="still_uploading")
    return job


def _told(track_id: str) -> SubtitleTrack:
    """Return what the query says of the track. Raises InvalidRequestError."""
    query = checked_query(SubtitleQuery)
    language = language_tag(query.language)
    if query.language and not language:
        raise InvalidRequestError(reason="language_tag")
    return SubtitleTrack(
        id=track_id,
        language=language,
        title=clean_text(query.label),
        default=query.default == _YES,
        forced=query.forced == _YES,
        sdh=query.sdh == _YES,
    )


@contextmanager
def _received(web: Web) -> Iterator[bytes]:
    """Give the body, whole; hold one of the few places for those that are read, until it is written as WebVTT too."""
    if not web.subtitles.acquire(blocking=False):
        raise BusyError(reason="subtitles")
    try:
        web.gate.go_on(web.services.objects.free_bytes())
        ask_for_body()
        read, data = body_reader(kept=False), bytearray()
        while piece := read(_READ_BYTES):
            data += piece
            if len(data) > LONGEST_FILE:
                raise SubtitleTooLargeError
        yield bytes(data)
    finally:
        web.subtitles.release()


def _shown(web: Web, job_id: str, track_id: str) -> dict[str, Any]:
    tracks: list[dict[str, Any]] = web.views.by_id(job_id)["subtitles"]
    return next((track for track in tracks if track["id"] == track_id), {})
