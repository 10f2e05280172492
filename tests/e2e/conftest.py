"""Fixtures of the browser tests: a served app, and Debian's Chromium under watch."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from playwright.sync_api import Browser, ConsoleMessage, expect, sync_playwright
from werkzeug.serving import make_server
from werkzeug.wsgi import get_input_stream

from storage.services import Services
from storage.settings import Settings
from tests.e2e.browser import CHROMIUM_OPTIONS, PATIENCE_MS, Site, Visit
from tests.e2e.encoder import Encoder
from tests.e2e.uploading import MEGABYTE
from tests.support.job_store import OwnJobStore
from tests.support.missing import require
from web.app import create_app
from web.context import of_app
from web.words.language import TRANSLATIONS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def as_gunicorn(app: WSGIApplication) -> WSGIApplication:
    """Wrap the app so that a body ends where it ends, and an answer is closed when nobody reads on.

    Werkzeug's server, which only these tests use, gives the socket as it is. And it forgets to close where the reader
    went away in the middle (a page that is closed while its video or its scripts load). gunicorn does both; the web
    room's own tests watch that.
    """

    def wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"] = get_input_stream(environ)
        answer = app(environ, start_response)
        try:
            yield from answer
        finally:
            getattr(answer, "close", int)()

    return wrapped


@pytest.fixture(scope="session", autouse=True)
def catalogs() -> None:
    """Compile the translations, as setting up does, where they are missing or older than their source."""
    for source in TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"):
        compiled = source.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as texts, compiled.open("wb") as binary:
            write_mo(binary, read_po(texts))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Run Debian's Chromium for the session."""
    path = shutil.which("chromium")
    if path is None:
        require("chromium", "install Debian's package chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_OPTIONS))
        yield browser
        browser.close()


@pytest.fixture
def make_site(tmp_path: Path, own_services: Services) -> Iterator[Callable[..., Site]]:
    """Give a factory of served apps: `make_site(max_uploads=1)` with the settings to change."""
    stops: list[Callable[[], None]] = []

    def make(**changes: object) -> Site:
        settings = Settings(data_dir=tmp_path / "data", free_space_reserve=0).model_copy(update=changes)
        app = create_app(settings, own_services)
        server = make_server("127.0.0.1", 0, as_gunicorn(app), threaded=True)
        stopping = threading.Event()
        of_app(app).hub.stop_when(stopping.is_set)
        thread = threading.Thread(target=server.serve_forever, name="site")
        thread.start()

        def stop() -> None:
            stopping.set()
            server.shutdown()
            thread.join()
            server.server_close()

        stops.append(stop)
        assert isinstance(own_services.jobs, OwnJobStore)
        return Site(f"http://127.0.0.1:{server.server_port}", of_app(app), own_services.jobs)

    yield make
    for stop in stops:
        stop()


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """Give a served app with the usual settings."""
    return make_site()


@pytest.fixture
def visitors(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """Give a factory of visitors, each with a browser profile of its own: `visitors(locale="ko-KR")`.

    Afterwards nothing may have been written to a console: no script error, no broken rule of the content policy.
    """
    visits: list[Visit] = []

    def visit(**options: object) -> Visit:
        context = chromium.new_context(**{"locale": "en-US", **options})  # type: ignore[arg-type] # Playwright's own names
        context.set_default_timeout(PATIENCE_MS)
        made = Visit(context.new_page(), context)
        made.page.on("console", lambda message: _note(made, message))
        made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
        visits.append(made)
        return made

    yield visit
    for made in visits:
        made.context.close()
    assert [words for made in visits for words in made.unexpected()] == []


def _note(visit: Visit, message: ConsoleMessage) -> None:
    if message.type in {"error", "warning"}:
        visit.complaints.append(message.text)


@pytest.fixture
def visit(visitors: Callable[..., Visit]) -> Visit:
    """Give one visitor with an English browser."""
    return visitors()


@pytest.fixture
def encoder(own_services: Services, settings: Settings) -> Encoder:
    """Give an encoder that cuts for two slots."""
    return Encoder(own_services, settings.model_copy(update={"encoders": 2, "scratch_reserve": 0}))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Give a file of four megabytes, no two of which are alike."""
    path = tmp_path / "holiday film.mp4"
    path.write_bytes(Random(1).randbytes(4 * MEGABYTE))
    return path


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    """Give three smaller files."""
    paths = [tmp_path / f"{name}.mp4" for name in ("one", "two", "three")]
    for path in paths:
        path.write_bytes(path.name.encode() * 100_000)
    return paths
