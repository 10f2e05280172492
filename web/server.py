"""Gunicorn around the app: one process of many threads, configured by our settings alone."""

from __future__ import annotations

import logging
import os
import resource
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.util import write_nonblock

from storage.errors import BusyError
from storage.model.job import Job
from storage.objects.contract import ObjectStore
from storage.settings import Settings
from web.admission.decision import share_of
from web.admission.shares import client_threads
from web.context import Web, of_app
from web.http.addresses import TrustedProxies
from web.http.connection import is_upload, leave_unasked, linger
from web.http.head_first import ClientConnection, HeadFirstWorker
from web.http.pace import FormPace, Pace, PacedSocket, UploadPace
from web.http.problems import code_of
from web.http.refusals import is_for_people, status_of, written
from web.upload.finishing import finish_in_rounds, finish_whole
from web.words.plain_page import plain_page

GRACEFUL_SECONDS = 25  # uploads under way may finish; compose and supervisor wait 30
KEEPALIVE_SECONDS = 75  # longer than nginx keeps its idle connections, so that it is never us who cut one
HEARTBEAT_SECONDS = 120  # the main thread only accepts and polls: silent for so long, it is stuck
CONNECTIONS_ABOVE_THREADS = 500  # idle kept-alive connections, which hold no thread
PREPARE_PAUSE_SECONDS = 2.0
_ANSWERED = "rungs_answered"
_QUIET_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})

_log = structlog.get_logger(__name__)


class WebWorker(HeadFirstWorker):
    """A worker that lets no client hold a thread by its silence, from the first byte to the last."""

    def handle(self, conn: ClientConnection) -> Any:
        """Serve the connection; if it is to be closed, linger here.

        Gunicorn lingers in its main thread, where one silent client would keep all others from being accepted.
        """
        keep = super().handle(conn)
        if keep is False:
            linger(conn.sock)
        return keep

    def handle_error(self, req: Any, client: socket.socket, addr: tuple[str, int] | None, exc: BaseException) -> None:
        """Answer what never became a request of the app, as the app answers errors; gunicorn's own answers say 500."""
        status = status_of(exc)
        if status is HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("a request failed outside the app", exc_info=exc)
        else:
            _log.info("no valid request", status=status.value, client=(addr or ("",))[0], error=str(exc))
        if getattr(req, _ANSWERED, False):
            return  # what is wrong came behind a body that nobody read
        of_app(self.wsgi).metrics.count("", None, status.value)
        page = plain_page(status, code_of(status)) if is_for_people(status) else None
        with suppress(OSError):
            write_nonblock(client, written(status, page))

    def _keepalive_after(self, conn: ClientConnection, keepalive: bool) -> Any:  # noqa: FBT001 - gunicorn's
        """Discard what is left of the body with gunicorn's own deadline: nobody would answer for a pace any more."""
        conn.parser.unreader.sock = conn.sock
        return super()._keepalive_after(conn, keepalive)


class Log(Logger):  # type: ignore[misc] # gunicorn ships no types
    """Gunicorn's logs through ours: its own messages as they are, one compact line for each request."""

    def setup(self, cfg: Any) -> None:
        """Leave all handling to the root logger."""
        self.cfg = cfg
        for own in (self.error_log, self.access_log):
            own.handlers.clear()
            own.propagate = True
            own.setLevel(logging.NOTSET)

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> None:
        """Log one answered request; probes only when debugging."""
        path = req.path or ""  # as it was sent: percent-encoded, so without spaces
        write = _log.debug if path in _QUIET_PATHS else _log.info
        write(
            f"{req.method} {path}",
            status=int(str(resp.status).split(maxsplit=1)[0]) if resp.status else None,
            bytes=resp.sent,
            ms=round(request_time.total_seconds() * 1000),
            client=environ.get("REMOTE_ADDR", ""),
        )

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log a failure; a client that stalled is none of ours."""
        if isinstance(sys.exception(), TimeoutError | BlockingIOError):
            _log.info("client stalled, connection closed")
        else:
            super().exception(msg, *args, **kwargs)


class Server(BaseApplication):  # type: ignore[misc] # gunicorn ships no types
    """The web service; `make_app` is called in the worker process, so nothing connects before the fork."""

    def __init__(self, settings: Settings, make_app: Callable[[], Flask]) -> None:
        self.head_seconds = settings.client_request_seconds
        self._settings = settings
        self._proxies = TrustedProxies(settings.trusted_proxies)
        self._make_app = make_app
        os.environ.pop("SCRIPT_NAME", None)  # a web server's of CGI; gunicorn would refuse every path outside it
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its options; its own files and environment are not read."""
        for name, value in options(self._settings).items():
            self.cfg.set(name, value)

    def connections_of(self, client: str) -> int:
        """Return how many connections this client may have open."""
        total = connections(self._settings)
        return self._share(total, share_of(total, self._settings.address_share), client)

    def threads_of(self, client: str) -> int:
        """Return how many threads may work for this client at once; what it asks above them waits for its own."""
        return self._share(self._settings.web_threads, client_threads(self._settings), client)

    def _share(self, total: int, each: int, client: str) -> int:
        # A proxy asks for everybody, and counts its clients itself.
        return total if self._proxies.may_be(client) else each

    def load(self) -> Flask:
        """Make the app in the worker process and prepare the object store beside it."""
        _allow_files()
        app = self._make_app()
        objects = of_app(app).services.objects
        threading.Thread(target=prepare, args=(objects,), name="prepare", daemon=True).start()
        return app


def options(settings: Settings) -> dict[str, Any]:
    """Return gunicorn's options."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return {
        "bind": f"{host}:{settings.port}",
        "workers": 1,  # watchers, limits and metrics are counted in one process
        "worker_class": WebWorker,
        "threads": settings.web_threads,
        "worker_connections": connections(settings),
        "keepalive": KEEPALIVE_SECONDS,
        "graceful_timeout": GRACEFUL_SECONDS,
        "timeout": HEARTBEAT_SECONDS,
        "logger_class": Log,
        "accesslog": "-",
        "control_socket_disable": True,  # nobody uses it, and it would be a file in somebody's home
        "proc_name": "rungs-web",
        "post_worker_init": _stop_with,
        "pre_request": _bound_waits,
        "post_request": _note_answer,
        # TRUSTED_PROXIES says whose word is believed, and `web.http.addresses` believes it.
        "forwarded_allow_ips": "",
        "secure_scheme_headers": {},
        "forwarder_headers": "",  # no header becomes a key of WSGI's own, such as SCRIPT_NAME
    }


def connections(settings: Settings) -> int:
    """Return how many connections may be open at once."""
    return settings.web_threads + CONNECTIONS_ABOVE_THREADS


def pace_of(request: Any, settings: Settings) -> Pace:
    """Return what is asked of the client that sends this request's body."""
    if is_upload(request):
        return UploadPace(settings.upload_least_rate, settings.client_idle_seconds)
    return FormPace(settings.client_request_seconds)


def prepare(objects: ObjectStore) -> None:
    """Create what the object store needs, again and again until it answers; uploads are refused meanwhile."""
    while True:
        try:
            objects.prepare()
        except BusyError as error:
            _log.warning("object store not prepared yet", error=str(error))
            threading.Event().wait(PREPARE_PAUSE_SECONDS)
        else:
            return


def _stop_with(worker: WebWorker) -> None:
    """When the worker stops, end event streams, which would hold it until it is killed, and take no more uploads."""
    web = of_app(worker.wsgi)
    web.hub.stop_when(lambda: not worker.alive)
    web.gate.drain_when(lambda: not worker.alive)
    finish = partial(_finish, web)
    threading.Thread(target=finish_in_rounds, args=(finish, lambda: not worker.alive), daemon=True).start()


def _finish(web: Web) -> Iterator[Job]:
    """Make jobs of whole uploads whose web process died."""
    now = web.clock()
    return finish_whole(
        web.services,
        now=now,
        promise=lambda owner, size: web.queue.promise(owner, size, now),
        estimate=web.queue.estimate,
    )


def _bound_waits(worker: WebWorker, request: Any) -> None:
    """Let no read of a request's body, and no write of its answer, wait longer for the client."""
    settings, unreader = of_app(worker.wsgi).settings, request.unreader
    sock = unreader.sock
    sock.settimeout(settings.client_idle_seconds)
    unreader.sock = PacedSocket(sock, pace_of(request, settings), write_seconds=settings.client_idle_seconds)
    leave_unasked(request)


def _note_answer(_worker: WebWorker, request: Any, _environ: dict[str, Any], response: Any) -> None:
    """Keep in mind that an answer has begun: a second one would be taken for that to the client's next request."""
    setattr(request, _ANSWERED, response is not None and response.headers_sent)


def _allow_files() -> None:
    """Take as many open files as this user may have: gunicorn's worker ends where one is wanting for a connection."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
