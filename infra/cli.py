"""The command `rungs`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from infra.up import up
from storage.settings import SettingsError, load_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code, 1 with one line for each wrong setting."""
    parser = argparse.ArgumentParser(prog="rungs", description="Self-hosted video encoding with backpressure.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="run a whole installation in the foreground; settings come from the environment")
    parser.parse_args(arguments)
    try:
        return up(load_settings(), os.environ)
    except SettingsError as error:
        for line in str(error).splitlines():
            print(f"rungs: {line}", file=sys.stderr)  # noqa: T201 (the terminal is the interface)
        return 1


if __name__ == "__main__":
    sys.exit(main())
