"""The Flask app of the web room: only wiring."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import BoundedSemaphore

from flask import Flask, Response, request

from storage.services import Services
from storage.settings import Settings
from web.admission.decision import Limits
from web.admission.gate import Gate
from web.admission.shares import Shares, client_threads
from web.context import Web, attach
from web.http.addresses import TrustedProxies, behind
from web.http.body import with_body
from web.http.connection import closing
from web.http.opening import FORM_BYTES
from web.http.overridden import with_method
from web.http.problems import init_problems
from web.http.security import init_security
from web.read.event_hub import Hub
from web.read.job_views import JobViews
from web.read.metrics import Metrics
from web.read.queue_snapshot import QueueSnapshot
from web.routes import events, health, jobs, media, pages, queue, subtitles, tus, uploads
from web.words.job_words import reason
from web.words.language import init_i18n

# Each holds some megabytes, and a core for a moment. A slow client that holds a place is one of few from its address.
SUBTITLES_AT_ONCE = 8


def create_app(settings: Settings, services: Services, *, clock: Callable[[], float] = time.time) -> Flask:
    """Return the app over these parts; `clock` returns Unix seconds. Nothing connects before the first request."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = FORM_BYTES
    web = _parts(settings, services, clock)
    attach(app, web)
    init_security(app, settings.trusted_hosts)
    init_problems(app, lambda code: web.metrics.problems.labels(code).inc(), reason)
    init_i18n(app)
    for room in (uploads, tus, jobs, subtitles, queue, events, media, health):
        app.register_blueprint(room.blueprint)
    app.register_blueprint(pages.blueprint)
    app.after_request(_counting(web))
    proxies = TrustedProxies(settings.trusted_proxies)
    app.wsgi_app = closing(behind(proxies, with_method(with_body(app.wsgi_app))))  # type: ignore[assignment,method-assign] # Flask's own way
    return app


def _parts(settings: Settings, services: Services, clock: Callable[[], float]) -> Web:
    metrics = Metrics(services.jobs)
    queue = QueueSnapshot(
        services.jobs,
        settings.encoders,
        max_wait=settings.admission_max_wait_seconds,
        owner_jobs=settings.owner_max_jobs,
    )
    views = JobViews(services.jobs, services.objects, queue, clock)
    gate = Gate(_limits(settings))
    own = client_threads(settings)
    hub = Hub(
        services.jobs,
        views.present,
        views.present_listed,
        limit=watchers_of(settings.web_threads),
        each=watchers_of(own),
        count_fault=services.jobs.count_fault,
    )
    metrics.gauge("rungs_uploads_active", "Uploads being received.", lambda: gate.active)
    metrics.gauge("rungs_turns", "Refused uploads for which room is kept.", lambda: gate.turns)
    metrics.gauge("rungs_watchers", "Event streams open.", lambda: hub.watchers)
    return Web(
        settings=settings,
        services=services,
        gate=gate,
        queue=queue,
        views=views,
        clock=clock,
        hub=hub,
        metrics=metrics,
        deliveries=BoundedSemaphore(deliveries_of(settings.web_threads)),
        shares=Shares(deliveries_of(own)),
        subtitles=BoundedSemaphore(SUBTITLES_AT_ONCE),
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        uploads=settings.max_uploads,
        upload_bytes=settings.max_upload_bytes,
        pending_bytes=settings.max_pending_bytes,
        reserve=settings.free_space_reserve,
        wait=settings.admission_max_wait_seconds,
        owner_jobs=settings.owner_max_jobs,
        address_share=settings.address_share,
    )


def watchers_of(threads: int) -> int:
    """Return how many of so many threads event streams may hold: a quarter stays for everything else."""
    return max(1, threads * 3 // 4)


def deliveries_of(threads: int) -> int:
    """Return how many of so many threads files on their way to players may hold, or 8 of a small server.

    Where no nginx delivers them, a slow line takes a thread, and of an S3 store a connection, for as long as a film.
    """
    return max(8, threads // 10)


def _counting(web: Web) -> Callable[[Response], Response]:
    def count(response: Response) -> Response:
        route = None if request.url_rule is None else request.url_rule.rule
        web.metrics.count(request.method, route, response.status_code)
        return response

    return count
