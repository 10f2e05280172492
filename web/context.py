"""What one web process works with, kept with its Flask app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import BoundedSemaphore

from flask import Flask, current_app

from storage.services import Services
from storage.settings import Settings
from web.admission.gate import Gate
from web.admission.shares import Shares
from web.read.event_hub import Hub
from web.read.job_views import JobViews
from web.read.metrics import Metrics
from web.read.queue_snapshot import QueueSnapshot

_KEY = "rungs"


@dataclass(frozen=True, slots=True)
class Web:
    """The parts of the web room behind one app."""

    settings: Settings
    services: Services
    gate: Gate
    queue: QueueSnapshot
    views: JobViews
    clock: Callable[[], float]
    hub: Hub
    metrics: Metrics
    deliveries: BoundedSemaphore
    shares: Shares  # of the deliveries
    subtitles: BoundedSemaphore  # files of subtitles that are received and read


def attach(app: Flask, web: Web) -> None:
    """Keep the parts with the app."""
    app.extensions[_KEY] = web


def of_app(app: Flask) -> Web:
    """Return the parts kept with this app."""
    web: Web = app.extensions[_KEY]
    return web


def current() -> Web:
    """Return the parts of the app that answers the present request."""
    return of_app(current_app)
