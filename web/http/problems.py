"""Errors as RFC 9457 problem documents: one table from the tree of storage.errors to HTTP, and Flask's own errors."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, current_app, json, render_template, request
from jinja2 import TemplateNotFound
from werkzeug.exceptions import ClientDisconnected, HTTPException

from storage import errors, media_errors, subtitle_errors, upload_errors
from storage.error_sentences import SENTENCES
from storage.sentences import Told
from web.http.connection import close_after_answer

MEDIA_TYPE = "application/problem+json"
TURN = "Rungs-Turn"  # the header of a refusal's token, in the answer and in the client's next try
PAGE = "error.html"  # the pages' template; it is given the document as `problem`


class TusStatus(IntEnum):
    """Statuses that tus has beside those of HTTP."""

    CHECKSUM_MISMATCH = 460

    @property
    def phrase(self) -> str:
        """What stands behind the number."""
        return self.name.replace("_", " ").title()


Status = HTTPStatus | TusStatus
STATUS_OF: dict[type[errors.RungsError], Status] = {
    errors.RungsError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.RequestError: HTTPStatus.BAD_REQUEST,
    errors.InvalidRequestError: HTTPStatus.BAD_REQUEST,
    errors.CrossSiteError: HTTPStatus.FORBIDDEN,
    errors.UploadIncompleteError: HTTPStatus.BAD_REQUEST,
    errors.UploadEmptyError: HTTPStatus.BAD_REQUEST,
    errors.UploadTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    upload_errors.UploadError: HTTPStatus.BAD_REQUEST,
    upload_errors.UploadNotFoundError: HTTPStatus.NOT_FOUND,
    upload_errors.UploadEndedError: HTTPStatus.GONE,
    upload_errors.UploadOffsetError: HTTPStatus.CONFLICT,
    upload_errors.UploadIndexError: HTTPStatus.CONFLICT,
    upload_errors.UploadChecksumError: TusStatus.CHECKSUM_MISMATCH,
    upload_errors.UploadTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    upload_errors.UploadVersionError: HTTPStatus.PRECONDITION_FAILED,
    upload_errors.UploadTakenError: HTTPStatus.LOCKED,
    subtitle_errors.SubtitleError: HTTPStatus.BAD_REQUEST,
    subtitle_errors.SubtitleUnreadableError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    subtitle_errors.SubtitleTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    subtitle_errors.SubtitleNotFoundError: HTTPStatus.NOT_FOUND,
    subtitle_errors.SubtitlesFullError: HTTPStatus.CONFLICT,
    errors.JobNotFoundError: HTTPStatus.NOT_FOUND,
    errors.ObjectNotFoundError: HTTPStatus.NOT_FOUND,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.TransitionError: HTTPStatus.CONFLICT,
    errors.JobExistsError: HTTPStatus.CONFLICT,
    errors.BusyError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.TooManyUploadsError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StorageFullError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.QueueFullError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.OwnerShareError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.AddressShareError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.RequestTooSlowError: HTTPStatus.REQUEST_TIMEOUT,
    errors.UploadTooSlowError: HTTPStatus.REQUEST_TIMEOUT,
    errors.HighShareError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.DrainingError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.UploadPausedError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ObjectStoreDownError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.JobStoreDownError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.BrokerDownError: HTTPStatus.SERVICE_UNAVAILABLE,
    media_errors.MediaError: HTTPStatus.UNPROCESSABLE_ENTITY,
    media_errors.NotMediaError: HTTPStatus.UNPROCESSABLE_ENTITY,
    media_errors.AudioOnlyError: HTTPStatus.UNPROCESSABLE_ENTITY,
    media_errors.PictureOnlyError: HTTPStatus.UNPROCESSABLE_ENTITY,
    media_errors.SubtitlesOnlyError: HTTPStatus.UNPROCESSABLE_ENTITY,
    media_errors.TextOnlyError: HTTPStatus.UNPROCESSABLE_ENTITY,
    media_errors.PlaylistOnlyError: HTTPStatus.UNPROCESSABLE_ENTITY,
    media_errors.CodecUnsupportedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    media_errors.TooComplexError: HTTPStatus.UNPROCESSABLE_ENTITY,
    media_errors.NoFramesError: HTTPStatus.UNPROCESSABLE_ENTITY,
    media_errors.TooLargePictureError: HTTPStatus.UNPROCESSABLE_ENTITY,
    media_errors.TooSmallPictureError: HTTPStatus.UNPROCESSABLE_ENTITY,
    media_errors.TooLongError: HTTPStatus.UNPROCESSABLE_ENTITY,
    media_errors.DolbyVisionError: HTTPStatus.UNPROCESSABLE_ENTITY,
    media_errors.EncryptedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    media_errors.AnimatedPictureError: HTTPStatus.UNPROCESSABLE_ENTITY,
    media_errors.TooMuchWorkError: HTTPStatus.UNPROCESSABLE_ENTITY,
    media_errors.TooCostlyError: HTTPStatus.UNPROCESSABLE_ENTITY,
    media_errors.DecodeError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UploadExpiredError: HTTPStatus.GONE,
    errors.RecordError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.ManifestError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.AttemptError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.ToolError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.ToolTimeoutError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.OutputMismatchError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.LeaseLostError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.AttemptsSpentError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.WorkerLostError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.StalledError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.UnforeseenError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

# Python renames some phrases from version to version; codes stay.
_HTTP_CODES = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "request_too_large",
    HTTPStatus.REQUEST_URI_TOO_LONG: "address_too_long",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "range_not_satisfiable",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "headers_too_large",
    HTTPStatus.INTERNAL_SERVER_ERROR: errors.UnforeseenError.code,
}
_CODE = "rungs.problem"
_REASON = "rungs.reason"
_log = structlog.get_logger(__name__)


def code_of(status: HTTPStatus) -> str:
    """Return the stable code of an error that HTTP has, and not the service."""
    return _HTTP_CODES.get(status, status.name.lower())


def document(told: Told, status: Status, *, instance: str, retry_after: int | None = None) -> dict[str, Any]:
    """Return a problem document; `instance` is the path asked for, `retry_after` seconds or None."""
    problem: dict[str, Any] = {
        "type": f"urn:rungs:problem:{told['code']}",
        "title": status.phrase,
        "status": status.value,
        "detail": told["message"],
        "code": told["code"],
        "values": told["values"],
        "instance": instance,
    }
    return problem if retry_after is None else {**problem, "retry_after": retry_after}


def prefers_html() -> bool:
    """Tell whether a person navigates: browsers name text/html then, scripts and tools do not."""
    accepted = request.accept_mimetypes
    return "text/html" in accepted.values() and accepted["text/html"] >= accepted["application/json"]


def init_problems(app: Flask, on_problem: Callable[[str], None], reason: Callable[[Told], str]) -> None:
    """Answer every error of the app with a problem document, or the pages' error page where a person looks.

    `on_problem` is told the code of each; `reason` words one in the language of the request.
    """

    def count(response: Response) -> Response:
        code = request.environ.get(_CODE)
        if code is not None:
            on_problem(code)
        return response

    app.extensions[_REASON] = reason
    app.after_request(count)
    app.register_error_handler(errors.RungsError, _expected)
    app.register_error_handler(HTTPException, _of_flask)
    app.register_error_handler(Exception, _unknown)


def _expected(error: errors.RungsError) -> Response:
    status = STATUS_OF[type(error)]
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("failed", path=request.path, code=error.code, error=error.message, detail=error.detail)
    if status is HTTPStatus.REQUEST_TIMEOUT:
        close_after_answer()  # the rest of the body may come for hours
    retry_after = error.retry_after if isinstance(error, errors.BusyError) else None
    problem = document(error.told, status, instance=request.path, retry_after=retry_after)
    turn = error.turn if isinstance(error, errors.QueueFullError) else None
    return _answer(problem if turn is None else {**problem, "turn": turn})


def _of_flask(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or 500)
    code = code_of(status)
    said = error.description or ""
    # What Werkzeug says by itself is for programmers; a description of our own is more precise than the sentence.
    message = SENTENCES.get(code, said) if said == type(error).description else said
    told: Told = {"code": code, "message": message, "values": {}}
    if isinstance(error, ClientDisconnected):
        close_after_answer()  # nobody knows where its next request would begin
    answer = _answer(document(told, status, instance=request.path))
    # Allow of 405 and Content-Range of 416 belong to the answer.
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            answer.headers.setdefault(name, value)
    return answer


def _unknown(error: Exception) -> Response:
    _log.error("unexpected error", method=request.method, path=request.path, exc_info=error)
    return _answer(document(errors.UnforeseenError().told, HTTPStatus.INTERNAL_SERVER_ERROR, instance=request.path))


def _answer(problem: dict[str, Any]) -> Response:
    request.environ[_CODE] = problem["code"]
    page = _page(problem) if prefers_html() else None
    answer = Response(
        page or json.dumps(_worded(problem)), problem["status"], mimetype="text/html" if page else MEDIA_TYPE
    )
    if "retry_after" in problem:
        answer.headers["Retry-After"] = str(problem["retry_after"])
    if "turn" in problem:
        answer.headers[TURN] = problem["turn"]
    answer.headers["Cache-Control"] = "no-store"
    answer.vary.add("Accept")
    return answer


def _worded(problem: dict[str, Any]) -> dict[str, Any]:
    told: Told = {"code": problem["code"], "message": problem["detail"], "values": problem["values"]}
    return {**problem, "detail": current_app.extensions[_REASON](told)}


def _page(problem: dict[str, Any]) -> str | None:
    try:
        return render_template(PAGE, problem=problem)
    except TemplateNotFound:
        return None
