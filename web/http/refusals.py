"""Answers to what never becomes a request of the app: heads that cannot be read, and bodies that are not framed."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from flask import json
from gunicorn.http import errors

from storage.error_sentences import SENTENCES
from storage.errors import BusyError
from web.http.problems import MEDIA_TYPE, STATUS_OF, Status, code_of, document
from web.http.security import HEADERS

_STATUS_OF: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (errors.LimitRequestLine, HTTPStatus.REQUEST_URI_TOO_LONG),
    (errors.LimitRequestHeaders, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    (errors.ExpectationFailed, HTTPStatus.EXPECTATION_FAILED),
    (errors.UnsupportedTransferCoding, HTTPStatus.NOT_IMPLEMENTED),
    # What the app answers and what is set up wrong is nothing that a client could mend.
    (errors.InvalidResponseHeader, HTTPStatus.INTERNAL_SERVER_ERROR),
    (errors.InvalidResponseHeaderName, HTTPStatus.INTERNAL_SERVER_ERROR),
    (errors.ConfigurationProblem, HTTPStatus.INTERNAL_SERVER_ERROR),
    (errors.ParseException, HTTPStatus.BAD_REQUEST),
)
# A browser sends these by itself: a long address that somebody pasted, a jar full of cookies. All else tools send.
_FOR_PEOPLE = frozenset({HTTPStatus.REQUEST_URI_TOO_LONG, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE})


def status_of(error: BaseException) -> HTTPStatus:
    """Return the status that answers an error of gunicorn's; 500 for one that is not the client's."""
    return next((status for kind, status in _STATUS_OF if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)


def is_for_people(status: HTTPStatus) -> bool:
    """Tell whether a person is likely to see it: who asks is not known, as the head was not read."""
    return status in _FOR_PEOPLE


def problem_of(status: HTTPStatus) -> str:
    """Return the problem document of this status, as JSON; the path is not known."""
    code = code_of(status)
    return json.dumps(document({"code": code, "message": SENTENCES[code], "values": {}}, status, instance=""))


def written(status: HTTPStatus, page: str | None) -> bytes:
    """Return a whole HTTP answer, with the page, or else the problem document; the connection ends with it."""
    return _whole(status, page or problem_of(status), "text/html; charset=utf-8" if page else MEDIA_TYPE)


def bare_refusal(error: BusyError) -> bytes:
    """Return the whole answer to a request that no route has seen, after which the connection is closed."""
    status = STATUS_OF[type(error)]
    problem = document(error.told, status, instance="", retry_after=error.retry_after)
    return _whole(status, json.dumps(problem), MEDIA_TYPE, {"Retry-After": str(error.retry_after)})


def _whole(status: Status, text: str, kind: str, further: Mapping[str, str] = MappingProxyType({})) -> bytes:
    body = text.encode()
    headers = {
        **HEADERS,
        "Content-Type": kind,
        "Content-Length": str(len(body)),
        **further,
        "Cache-Control": "no-store",
        "Connection": "close",
    }
    lines = (f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status.value} {status.phrase}\r\n{''.join(lines)}\r\n".encode() + body
