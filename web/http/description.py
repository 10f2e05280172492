"""What spectree leaves out of the API's description: media types, and the answers that any route may give. Pure."""

from __future__ import annotations

from copy import deepcopy
from http import HTTPStatus
from typing import Any

from web.http.problems import Status, TusStatus

PROBLEM = "Problem"
# The media types of what is not JSON, by the name of its model. Problems are pages where a person looks.
_MEDIA_TYPES: dict[str, tuple[str, ...]] = {
    "Page": ("text/html",),
    "Events": ("text/event-stream",),
    "MetricsText": ("text/plain",),
    "MediaFile": (
        "video/mp4",
        "video/iso.segment",
        "image/jpeg",
        "text/vtt",
        "application/vnd.apple.mpegurl",
        "application/json",
    ),
}
_PROBLEM_TYPES = ("application/problem+json", "text/html")
_FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")
_SAFE = frozenset({"get", "head", "options"})
# A request that is not valid HTTP, too slow, too long, or not for this host, is refused before its route is known, and
# so is a client that holds its share of connections.
_OF_EVERY_ROUTE = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.EXPECTATION_FAILED,
    HTTPStatus.MISDIRECTED_REQUEST,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    HTTPStatus.NOT_IMPLEMENTED,
)
_UNPROCESSABLE = str(HTTPStatus.UNPROCESSABLE_ENTITY.value)  # spectree promises it of every route, and none gives it

Document = dict[str, Any]


def completed(document: Document, patterns: dict[str, str]) -> Document:
    """Return the description as it is true; `patterns` are those of path parameters, by name."""
    whole = deepcopy(document)
    for methods in whole["paths"].values():
        for method, operation in methods.items():
            _complete(operation, safe=method in _SAFE, patterns=patterns)
    for name in (*_MEDIA_TYPES, "ValidationError", "ValidationErrorElement"):
        whole["components"]["schemas"].pop(name, None)
    return whole


def _complete(operation: Document, *, safe: bool, patterns: dict[str, str]) -> None:
    responses = operation["responses"]
    if _model_of(responses.get(_UNPROCESSABLE, {})) != PROBLEM:
        responses.pop(_UNPROCESSABLE, None)
    always = [*_OF_EVERY_ROUTE, *(() if safe else (HTTPStatus.FORBIDDEN,))]
    for status in always:
        responses.setdefault(str(status.value), _problem(status))
    if "uploads" in operation["tags"] and not safe:
        # A status of tus alone, which spectree takes for none.
        responses[str(TusStatus.CHECKSUM_MISMATCH.value)] = _problem(TusStatus.CHECKSUM_MISMATCH)
    for response in responses.values():
        _type(response)
    for parameter in operation["parameters"]:
        _narrow(parameter, patterns)
    content = operation.get("requestBody", {}).get("content", {})
    if "pages" in operation["tags"] and _FORM_TYPES[0] in content:
        content |= dict.fromkeys(_FORM_TYPES, content[_FORM_TYPES[0]])


def _problem(status: Status) -> Document:
    schema = {"$ref": f"#/components/schemas/{PROBLEM}"}
    return {"description": status.phrase, "content": {"application/json": {"schema": schema}}}


def _model_of(response: Document) -> str:
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _type(response: Document) -> None:
    """Give the response the media types that its model really comes in."""
    model = _model_of(response)
    if model == PROBLEM:
        first, *others = _PROBLEM_TYPES
        document = response["content"]["application/json"]
        response["content"] = {first: document, **{other: {"schema": {"type": "string"}} for other in others}}
    elif model in _MEDIA_TYPES:
        response["content"] = {kind: {"schema": {}} for kind in _MEDIA_TYPES[model]}


def _narrow(parameter: Document, patterns: dict[str, str]) -> None:
    """Say which texts a parameter takes; one of a query that is left out is not null."""
    schema = parameter["schema"]
    if parameter["in"] == "path":
        parameter["schema"] = {"type": "string", "pattern": f"^(?:{patterns[parameter['name']]})$"}
        return
    kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    for kind in kinds:
        schema |= kind
    if schema.get("default", "") is None:
        del schema["default"]
