"""Coming back to a broker that was away: within seconds, however long it was."""

from __future__ import annotations

from typing import Any, Self

from celery import Celery
from kombu.connection import Connection

# Celery has no setting for it, and kombu's pauses between tries grow to 30 s: after an outage of a minute the workers
# stood still for up to 16 s more.
RECONNECT_SECONDS = 3.0


def reconnect_soon(app: Celery) -> None:
    """Make the app's workers try again every RECONNECT_SECONDS."""
    app.amqp.Connection = _PromptConnection


class _PromptConnection(Connection):
    def ensure_connection(self, *args: Any, **options: Any) -> Self:
        """See kombu, with shorter pauses."""
        connected: Self = super().ensure_connection(*args, interval_max=RECONNECT_SECONDS, **options)  # type: ignore[no-untyped-call] # kombu has no types
        return connected
