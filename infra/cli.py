"""The command `rungs`: a user's commands, which need a server's address only, and those of whoever runs the server.

What a server consists of is imported by the latter alone, so that a user's machine needs none of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from web.client.commands import add_commands
from web.client.failures import Exit

if TYPE_CHECKING:
    from storage.settings import Settings

_INSTALLATION = "On the server"
_USER = "Anywhere"
_SIMULATE = "plan for more encoders or more uploads: how long jobs would wait, and how many would be refused"

app = typer.Typer(
    name="rungs",
    help="Self-hosted video encoding with backpressure.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,  # they show the values of variables, a token's among them
    rich_markup_mode=None,
)
add_commands(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code. Wrong usage ends the process itself, as argparse does, with code 2."""
    try:
        app(args=arguments, prog_name="rungs")
    except SystemExit as ended:
        if ended.code == Exit.USAGE:
            raise
        return int(ended.code or 0)
    return 0


@app.command("up")
def up_command() -> None:
    """Run a whole installation in the foreground.

    Settings come from the environment.
    """
    from infra.local.up import up  # noqa: PLC0415

    _run(up)


@app.command("doctor")
def doctor_command() -> None:
    """Say what this machine lacks, and which layers of the sandbox its kernel lends.

    Settings come from the environment.
    """
    from infra.local.doctor import doctor  # noqa: PLC0415

    _run(doctor)


@app.command("rebuild")
def rebuild_command() -> None:
    """Restore all jobs from the object store after Redis was lost.

    Settings come from the environment.
    """
    from infra.local.rebuild_command import rebuild  # noqa: PLC0415

    _run(rebuild)


@app.command(
    "simulate",
    help=f"{_SIMULATE.capitalize()}.",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
def simulate_command(options: Annotated[list[str] | None, typer.Argument(metavar="OPTIONS")] = None) -> None:
    """See the help above; argparse reads the options, which exclude each other in ways that it knows."""
    import argparse  # noqa: PLC0415

    from infra.simulation.command import simulate  # noqa: PLC0415
    from infra.simulation.options import add_options  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="rungs simulate", description=f"{_SIMULATE.capitalize()}.")
    add_options(parser)
    read = parser.parse_args(options or [])
    _run(lambda settings, _: simulate(read, settings))


def _run(command: Callable[[Settings, Mapping[str, str]], int]) -> None:
    """Run a command of the installation; exit with its code, with 1 and one line for each wrong setting."""
    from storage.settings import SettingsError, load_settings  # noqa: PLC0415

    try:
        code = command(load_settings(), os.environ)
    except SettingsError as error:
        for line in str(error).splitlines():
            print(f"rungs: {line}", file=sys.stderr)  # noqa: T201 (the terminal is the interface)
        code = Exit.LOCAL
    raise typer.Exit(code)


if __name__ == "__main__":
    sys.exit(main())
