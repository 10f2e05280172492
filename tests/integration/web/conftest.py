"""The app in this process with the twin of the broker, and the real service over a real Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storage.job_store.contract import JobStore
from storage.services import Services
from storage.settings import Settings
from tests.support.servers import RedisServer
from tests.support.web_server import WebServer
from web.app import create_app

MAX_UPLOAD_BYTES = 512 * 1024 * 1024
IDLE_SECONDS = 3
MEMORY_LIMIT = 64 * 1024 * 1024  # what the process may grow by, whatever passes through it


@pytest.fixture
def web_settings(settings: Settings) -> Settings:
    """Give settings of a small installation: uploads of at most 10 kB, two at once."""
    limits = {
        "max_upload_bytes": 10_000,
        "max_uploads": 2,
        "free_space_reserve": 0,
        "web_threads": 8,
        "address_share": 100,
    }
    return settings.model_copy(update=limits)


@pytest.fixture
def make_app(web_settings: Settings) -> Callable[..., Flask]:
    """Give a factory of apps: `make_app(services, setting=value)`."""

    def make(services: Services, **changes: object) -> Flask:
        return create_app(web_settings.model_copy(update=changes), services)

    return make


@pytest.fixture
def app(make_app: Callable[..., Flask], own_services: Services) -> Flask:
    """Give the app over parts of the test's own."""
    return make_app(own_services)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Give a client of that app."""
    return app.test_client()


@pytest.fixture(scope="session")
def web_server(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[WebServer]:
    """Run the real service for the session; it drops a client that is silent for IDLE_SECONDS."""
    settings = {
        "CLIENT_IDLE_SECONDS": str(IDLE_SECONDS),
        "CLIENT_REQUEST_SECONDS": str(IDLE_SECONDS),
        "UPLOAD_LEAST_RATE": "500",
        "MAX_UPLOAD_BYTES": str(MAX_UPLOAD_BYTES),
    }
    server = WebServer(tmp_path_factory.mktemp("web"), redis_server.url, **settings).start()
    yield server
    server.stop()


@pytest.fixture
def jobs(services: Services, web_server: WebServer) -> JobStore:
    """Give the job store of the running service, empty."""
    assert web_server.pid
    return services.jobs
