"""How soon a worker comes back to a broker that was away."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from storage.settings import Settings
from workers.app import make_worker
from workers.process.reconnect import RECONNECT_SECONDS

TRIES = 3  # kombu would pause for 2, 4 and 6 s after them


class EnoughError(Exception):
    """Ends the tries."""


def test_the_pauses_between_tries_do_not_grow(settings: Settings) -> None:
    """The connection that a worker consumes by is tried again every few seconds, as long as nobody listens there."""
    away = settings.model_copy(update={"broker_url": SecretStr("redis://127.0.0.1:1/0")})
    app = make_worker(away, "encode", alive_file=settings.scratch_dir / "alive", slots=1)
    pauses: list[float] = []

    def note(error: Exception, pause: float) -> None:
        assert "refused" in str(error)
        pauses.append(pause)
        if len(pauses) == TRIES:
            raise EnoughError

    with pytest.raises(EnoughError):
        app.connection_for_read().ensure_connection(note, None)
    assert max(pauses) <= RECONNECT_SECONDS
