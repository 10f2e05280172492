"""What all commands of a user share: the options for server, token and JSON, and how they end."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from web.client import lines, texts
from web.client.failures import ClientError, Exit, InterruptedByUser, NotAllError
from web.client.screen import complain
from web.client.server import RemoteServer

DEFAULT_SERVER = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a command works for: the server that is asked, and whether JSON is wanted."""

    server: RemoteServer
    as_json: bool


def _common(
    server: Annotated[str, typer.Option(envvar="RUNGS_SERVER", metavar="URL", help="The server.")] = DEFAULT_SERVER,
    token: Annotated[
        SecretStr | None,
        typer.Option(
            envvar="RUNGS_TOKEN", metavar="TOKEN", parser=SecretStr, help="Sent as a bearer token.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,  # noqa: FBT002
) -> None:
    """Have the options that every command has; never called."""


_OPTIONS = tuple(
    parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
    for parameter in inspect.signature(_common, eval_str=True).parameters.values()
)


def command(app: typer.Typer, name: str | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add a function to the app as a command of this name, or its own.

    It is given a Caller, then its own arguments and options.

    It returns when all is done. A ClientError that it raises is told in plain words, or as JSON, and gives the exit
    code.
    """

    def add(function: Callable[..., None]) -> Callable[..., None]:
        _, *own = inspect.signature(function, eval_str=True).parameters.values()

        def run(*, server: str, token: SecretStr | None, as_json: bool, **arguments: object) -> None:
            try:
                _interruptible(function, Caller(RemoteServer(server, token), as_json), arguments)
            except NotAllError as error:
                raise typer.Exit(error.exit) from error
            except ClientError as error:
                if as_json:
                    lines.write({"error": error.told})
                complain(error)
                raise typer.Exit(error.exit) from error

        parameters = [*own, *_OPTIONS]
        run.__name__, run.__doc__ = function.__name__, function.__doc__
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # what typer reads
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        app.command(name)(run)
        return run

    return add


def _interruptible(function: Callable[..., None], caller: Caller, arguments: dict[str, Any]) -> None:
    try:
        function(caller, **arguments)
    except KeyboardInterrupt as error:
        raise InterruptedByUser(texts.INTERRUPTED) from error


def finish(exits: Iterable[Exit]) -> None:
    """Raise NotAllError unless all of several things are done; its exit code is that of the first which is not."""
    code = next((code for code in exits if code), Exit.DONE)
    if code:
        raise NotAllError(code)
