"""The description of the API (OpenAPI), and how queries and small bodies are checked against its models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError
from spectree import SpecTree
from spectree.plugins.flask_plugin import FlaskPlugin

from storage.errors import InvalidRequestError

BODY_BYTES = 4096  # of JSON that is sent to us: a few short fields
_ModelT = TypeVar("_ModelT", bound=BaseModel)


class NoQuery(BaseModel):
    """The query of a route that takes no parameters: one that is there was meant for something."""

    model_config = ConfigDict(extra="forbid")


class AnyQuery(BaseModel):
    """The query of a page: people come by links to which others have added parameters."""


class _QueryOnly(FlaskPlugin):
    """Spectree without its checks but that of the query.

    They would read a whole upload into memory and a whole stream before answering.
    """

    def validate(self, func: Callable[..., Any], query: type[BaseModel] | None, *_checks: Any, **path: Any) -> Any:
        """Call the view; Flask gives it the path's parameters by name. Raises InvalidRequestError by the query."""
        checked_query(query or NoQuery)
        return func(**path)


spec = SpecTree(
    backend=_QueryOnly,
    title="Rungs",
    version="1",
    description="Upload a video, get 1080p, 720p and 480p. Errors are RFC 9457 problem documents.",
    annotations=False,
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda _parent, child: child,
)


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="A stable name of the error, for programs.")
    values: dict[str, float] = Field(description="The numbers in `detail`, by name.")
    instance: str
    retry_after: int | None = Field(default=None, description="Seconds to wait, with 429 and 503.")
    turn: str | None = Field(
        default=None,
        description="With `queue_full`: room is reserved for a client that then sends this in the header `Rungs-Turn`.",
    )


class Page(RootModel[str]):
    """A page for people."""


class Events(RootModel[str]):
    """Server-Sent Events."""


class MetricsText(RootModel[str]):
    """Figures in Prometheus' text format."""


class MediaFile(RootModel[str]):
    """A file that was made of a job, or a part of it."""


class Words(BaseModel):
    """JSON for the scripts of this installation's own pages; it changes with them."""

    model_config = ConfigDict(extra="allow")


def checked_query(model: type[_ModelT]) -> _ModelT:
    """Return the present request's query parameters; raise InvalidRequestError naming what is wrong with them."""
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated and model is not AnyQuery:
        raise InvalidRequestError(reason="query_twice", values={"name": repeated[0]})
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise InvalidRequestError(reason="query", values={"issues": _issues(error)}) from error


def checked_body(model: type[_ModelT]) -> _ModelT:
    """Return the present request's JSON body; raise InvalidRequestError naming what is wrong with it."""
    if (request.content_length or BODY_BYTES + 1) > BODY_BYTES:
        raise InvalidRequestError(reason="no_json", values={"limit": BODY_BYTES})
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as error:
        raise InvalidRequestError(reason="body", values={"issues": _issues(error)}) from error


def _issues(error: ValidationError) -> str:
    places = ((".".join(map(str, issue["loc"])) or "it", issue["msg"]) for issue in error.errors())
    return "; ".join(f"`{place}`: {message}" for place, message in places)
