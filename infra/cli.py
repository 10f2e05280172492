"""The command `rungs`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from infra.local.doctor import doctor
from infra.local.rebuild_command import rebuild
from infra.local.up import up
from infra.simulation.command import simulate
from infra.simulation.options import add_options
from storage.settings import SettingsError, load_settings

_COMMANDS = {
    "up": (up, "run a whole installation in the foreground"),
    "doctor": (doctor, "say what this machine lacks, and which layers of the sandbox its kernel lends"),
    "rebuild": (rebuild, "restore all jobs from the object store after Redis was lost"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code, 1 with one line for each wrong setting."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings()
        if options.command == "simulate":
            return simulate(options, settings)
        command, _ = _COMMANDS[options.command]
        return command(settings, os.environ)
    except SettingsError as error:
        for line in str(error).splitlines():
            print(f"rungs: {line}", file=sys.stderr)  # noqa: T201 (the terminal is the interface)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rungs", description="Self-hosted video encoding with backpressure.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (_, purpose) in _COMMANDS.items():
        commands.add_parser(name, help=f"{purpose}; settings come from the environment")
    purpose = "plan for more encoders or more uploads: how long jobs would wait, and how many would be refused"
    add_options(commands.add_parser("simulate", help=purpose, description=f"{purpose.capitalize()}."))
    return parser


if __name__ == "__main__":
    sys.exit(main())
