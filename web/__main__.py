"""`python -m web`: the web service."""

from __future__ import annotations

import sys

from flask import Flask

from storage.logs import configure_logging
from storage.services.connect import connect
from storage.settings import SettingsError, load_settings
from web.app import create_app
from web.server import Server

# A browser that waits longer for Redis than this is better told to come back.
PATIENCE_SECONDS = 1.5


def main() -> int:
    """Serve until stopped; return the exit status."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    configure_logging(settings, "web")

    def make_app() -> Flask:
        return create_app(settings, connect(settings, patience=PATIENCE_SECONDS))

    Server(settings, make_app).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
