"""The Flask app of the web room: only wiring."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import Flask, Response, request

from storage.services import Services
from storage.settings import Settings
from web import events, health, jobs, media, pages, uploads
from web.admission import Gate, Limits
from web.connection import closing
from web.context import Web, attach
from web.hub import Hub
from web.i18n import init_i18n
from web.metrics import Metrics
from web.problems import init_problems
from web.security import init_security
from web.views import JobViews

# Every body but an upload's is a small form.
FORM_LIMIT = 64 * 1024


def create_app(settings: Settings, services: Services, *, clock: Callable[[], float] = time.time) -> Flask:
    """Return the app over these parts; `clock` returns Unix seconds. Nothing connects before the first request."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = FORM_LIMIT
    web = _parts(settings, services, clock)
    attach(app, web)
    init_security(app, settings.trusted_hosts)
    init_problems(app, lambda code: web.metrics.problems.labels(code).inc())
    init_i18n(app)
    for room in (uploads, jobs, events, media, health):
        app.register_blueprint(room.blueprint)
    app.register_blueprint(pages.blueprint(settings, services))
    app.after_request(_counting(web))
    app.wsgi_app = closing(app.wsgi_app)  # type: ignore[assignment,method-assign] # Flask's own way to add middleware
    return app


def _parts(settings: Settings, services: Services, clock: Callable[[], float]) -> Web:
    metrics = Metrics(services.jobs)
    views = JobViews(services.jobs, clock)
    gate = Gate(Limits(settings.max_uploads, settings.max_upload_bytes, settings.free_space_reserve))
    hub = Hub(services.jobs, views.present, limit=watchers_of(settings.web_threads))
    metrics.gauge("rungs_uploads_active", "Uploads being received.", lambda: gate.active)
    metrics.gauge("rungs_watchers", "Event streams open.", lambda: hub.watchers)
    return Web(settings=settings, services=services, gate=gate, views=views, clock=clock, hub=hub, metrics=metrics)


def watchers_of(threads: int) -> int:
    """Return how many of the server's threads event streams may hold: a quarter stays for everything else."""
    return max(1, threads * 3 // 4)


def _counting(web: Web) -> Callable[[Response], Response]:
    def count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule is not None else "none"
        web.metrics.requests.labels(request.method, route, str(response.status_code)).inc()
        return response

    return count
