"""Fixtures of every test: real servers, media, clips, and each contract's stores, the broker's twin."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest
import redis
import structlog
from pydantic import SecretStr

from storage.broker.contract import Publisher
from storage.job_store.contract import JobStore
from storage.objects.contract import ObjectStore
from storage.objects.local import LocalObjectStore
from storage.services import Services
from storage.services.connect import connect
from storage.settings import Settings
from tests.support.clips import make_clip
from tests.support.fenced import fence_tools
from tests.support.job_store import OwnJobStore
from tests.support.media import media_root
from tests.support.memory_publisher import MemoryPublisher
from tests.support.missing import MISSING, require
from tests.support.rabbitmq import RabbitMQServer, find_rabbitmq
from tests.support.servers import MINIO_PASSWORD, MINIO_USER, MinioServer, RedisServer, find_minio

# A slow example on a busy machine is no bug; what hangs is ended by pytest-timeout.
hypothesis.settings.register_profile("rungs", deadline=None)
hypothesis.settings.load_profile("rungs")

PATIENCE = 2.0  # seconds that the real stores of tests go on trying
BUCKET = "rungs"


@pytest.fixture(autouse=True)
def _logging_of_its_own() -> Iterator[None]:
    """Undo what a test sets of logging: the next ones capture what is logged, whatever ran before them."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session", autouse=True)
def _tools_of_this_machine() -> None:
    """Fence tools in as the environment says: `make test-ffmpeg7` brings some from an unusual place."""
    fence_tools()


def pytest_report_header() -> str:
    """Say which ffmpeg is tested: `make test-ffmpeg7` brings another one than the machine has."""
    if shutil.which("ffmpeg") is None:
        return "ffmpeg: none"
    said = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, check=True, timeout=60)
    return said.stdout.partition(" Copyright")[0]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that prints the summary which services were missing here, where several run tests."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["missing"] = dict(MISSING)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take over what a process that ran tests was missing."""
    MISSING.update(getattr(node, "workeroutput", {}).get("missing", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud which services were missing."""
    for service, reason in sorted(MISSING.items()):
        terminalreporter.write_line(f"MISSING SERVICE {service}: {reason}", red=True, bold=True)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Run one real redis-server for the session; tests that stop it must start it again."""
    if shutil.which("redis-server") is None:
        require("redis-server", "install Debian's package redis-server")
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """Give the URL of a real Redis that holds nothing."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture(scope="session")
def rabbitmq_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQServer]:
    """Run one real RabbitMQ for the session, as its start takes ten seconds; tests that stop it must start it again."""
    binary = find_rabbitmq()
    if binary is None:
        require("rabbitmq", "install Debian's package rabbitmq-server")
    server = RabbitMQServer(tmp_path_factory.mktemp("rabbitmq"), binary).start()
    yield server
    server.end()


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MinioServer]:
    """Run one real MinIO for the session; each test takes a bucket of its own or cleans up."""
    binary = find_minio()
    if binary is None:
        require("minio", "`make test` builds it with Go; or set RUNGS_MINIO to the binary")
    server = MinioServer(tmp_path_factory.mktemp("minio"), binary).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def media_dir() -> Path:
    """Give the folder of real videos beside the repository (or RUNGS_MEDIA)."""
    folder = media_root()
    if not folder.is_dir():
        require("media", "set RUNGS_MEDIA to the folder that holds happy/, nasty/ and bench/")
    return folder


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Give a factory of small clips: `clip("name.mp4", seconds=2, size="320x180", rate="30", audio=True)`."""
    if shutil.which("ffmpeg") is None:
        require("ffmpeg", "install Debian's package ffmpeg")
    folder = tmp_path_factory.mktemp("clips")

    def make(name: str, *, seconds: float = 2.0, size: str = "320x180", rate: str = "30", audio: bool = True) -> Path:
        return make_clip(folder / name, seconds=seconds, size=size, rate=rate, audio=audio)

    return make


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give settings whose data lie in the test's own folder; Redis is named but nothing connects."""
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def real_settings(settings: Settings, redis_url: str) -> Settings:
    """Give settings with a real Redis and local objects."""
    return settings.model_copy(update={"redis_url": SecretStr(redis_url)})


@pytest.fixture
def rabbitmq_settings(real_settings: Settings, rabbitmq_server: RabbitMQServer) -> Settings:
    """Give settings with a real RabbitMQ that holds nothing as broker, beside a real Redis."""
    rabbitmq_server.empty()
    return real_settings.model_copy(update={"broker_url": SecretStr(rabbitmq_server.url)})


@pytest.fixture
def s3_settings(settings: Settings, minio: MinioServer) -> Settings:
    """Give settings with a real MinIO and a bucket of the test's own."""
    bucket = f"{BUCKET}-{uuid4().hex}"
    return settings.model_copy(
        update={
            "object_store_url": f"s3://{minio.endpoint}/{bucket}",
            "object_store_access_key": MINIO_USER,
            "object_store_secret_key": SecretStr(MINIO_PASSWORD),
        }
    )


@pytest.fixture
def own_services(tmp_path: Path) -> Services:
    """Give a job store and local objects of the test's own, and the broker's twin, which the test delivers from."""
    objects = LocalObjectStore(tmp_path / "objects")
    objects.prepare()
    return Services(jobs=OwnJobStore(), objects=objects, publisher=MemoryPublisher())


@pytest.fixture
def services(real_settings: Settings) -> Services:
    """Give the real parts on a real Redis and local objects."""
    parts = connect(real_settings, patience=PATIENCE)
    parts.objects.prepare()
    return parts


@pytest.fixture
def job_store(real_settings: Settings) -> JobStore:
    """Give the job store on a Redis that runs as an installation's does."""
    return connect(real_settings, patience=PATIENCE).jobs


@pytest.fixture(params=["local", "s3"])
def object_store(request: pytest.FixtureRequest) -> ObjectStore:
    """Give each object store in turn, prepared and empty."""
    settings = request.getfixturevalue("settings" if request.param == "local" else "s3_settings")
    store = connect(settings, patience=PATIENCE).objects
    store.prepare()
    return store


@pytest.fixture(params=["memory", "redis", "rabbitmq"])
def broker_settings(request: pytest.FixtureRequest) -> Settings | None:
    """Give the settings of each broker in turn, None for the twin of all of them; it holds nothing."""
    if request.param == "memory":
        return None
    settings: Settings = request.getfixturevalue("real_settings" if request.param == "redis" else "rabbitmq_settings")
    return settings


@pytest.fixture
def publisher(broker_settings: Settings | None) -> Publisher:
    """Give the publisher of that broker."""
    return MemoryPublisher() if broker_settings is None else connect(broker_settings, patience=PATIENCE).publisher


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Give a function that prints a line past pytest's capturing, where one process runs all tests."""
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def line(text: str) -> None:
        if reporter is None:  # in one of several processes: it stands beside the test, if that fails
            print(text)
            return
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(text)

    return line
