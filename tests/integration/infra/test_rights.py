"""The rights of the roles at a real Redis and a real MinIO: what each needs works, what would hurt is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from pydantic import SecretStr

from infra.rights.grant import grant
from infra.rights.redis_users import acl_file
from infra.rights.roles import CONTROL, ENCODER, JANITOR, ROLES, WEB, Role
from storage.errors import ObjectStoreDownError
from storage.objects import keys
from storage.objects.s3 import S3ObjectStore
from storage.services.connect import connect
from storage.settings import Settings
from tests.support.missing import require
from tests.support.servers import MINIO_PASSWORD, MINIO_USER, MinioServer, RedisServer, find_minio

BUCKET = "rungs"
JOB = "0" * 26
PASSWORDS = {role: f"password-of-{role.name}" for role in ROLES}


class GuardedRedis(RedisServer):
    """redis-server with the users of Compose."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        lines = acl_file(PASSWORDS, admin="password-of-default")
        # Redis 7.0 of Debian 12 does not know that command; clients live without it.
        (folder / "users.acl").write_text(lines.replace(" +client|setinfo", ""))

    def command(self) -> list[str]:
        """See RedisServer.command."""
        return [*super().command(), "--aclfile", str(self.folder / "users.acl")]

    def answers(self) -> bool:
        """See RedisServer.answers."""
        try:
            with redis.Redis(port=self.port, username="health", password="none") as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def url_of(self, name: str) -> str:
        """Return the address at which a user connects."""
        return f"redis://{name}:password-of-{name}@127.0.0.1:{self.port}/0"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedRedis]:
    """Start a Redis with the users of Compose."""
    server = GuardedRedis(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


DANGEROUS = (
    "FLUSHALL",
    "FLUSHDB",
    "CONFIG GET *",
    "KEYS *",
    "SCAN 0",
    "SHUTDOWN",
    "MONITOR",
    "ACL LIST",
    "SCRIPT FLUSH",
)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_no_role_may_harm_redis(role: Role, guarded: GuardedRedis) -> None:
    """Neither directly nor through a script."""
    with redis.Redis.from_url(guarded.url_of(role.name)) as client:
        for command in DANGEROUS:
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command.split())
            inside = ",".join(f"'{word}'" for word in command.split())
            with pytest.raises(redis.exceptions.RedisError):
                client.eval(f"return redis.call({inside})", 0)


def test_without_a_password_redis_only_says_that_it_is_there(guarded: GuardedRedis) -> None:
    """For its health check."""
    with redis.Redis(port=guarded.port) as client, pytest.raises(redis.exceptions.AuthenticationError):
        client.ping()
    with redis.Redis(port=guarded.port, username="health", password="none") as client:
        assert client.ping()
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.get("rungs:job:1")


def test_a_restart_keeps_what_roles_wrote_in_transactions(tmp_path: Path) -> None:
    """Redis replays a transaction of its file as the default user, and would skip what that user may not do."""
    server = GuardedRedis(tmp_path).start()
    try:
        with redis.Redis.from_url(server.url_of("web")) as client:
            client.eval("redis.call('HSET', KEYS[1], 'a', 1) redis.call('SADD', KEYS[2], 'b')", 2, "rungs:1", "rungs:2")
        server.kill()
        server.start()
        with redis.Redis.from_url(server.url_of("web")) as client:
            assert client.hget("rungs:1", "a") == b"1"
            assert client.smembers("rungs:2") == {b"b"}
    finally:
        server.stop()


@pytest.mark.parametrize("role", [WEB, JANITOR], ids=lambda role: role.name)
def test_only_consumers_may_take_messages(role: Role, guarded: GuardedRedis) -> None:
    """Web publishes, the janitor looks; an encoder cannot take what is meant for control."""
    for name, queue in ((role.name, "encode"), ("encoder", "control")):
        with redis.Redis.from_url(guarded.url_of(name)) as client:
            client.lpush(queue, "x")
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.brpop([queue], timeout=1)


@pytest.fixture(scope="module")
def store_of(
    tmp_path_factory: pytest.TempPathFactory, guarded: GuardedRedis
) -> Iterator[Callable[[Role], S3ObjectStore]]:
    """Start MinIO and grant the rights as Compose does; give a function that opens the store as a role."""
    binary = find_minio()
    if binary is None:
        require("minio", "infra/setup.sh dev builds it")
    folder = tmp_path_factory.mktemp("keys")
    for role in ROLES:
        (folder / role.name).mkdir()
        (folder / role.name / "object_store_access_key").write_text(role.access_key)
        (folder / role.name / "object_store_secret_key").write_text(PASSWORDS[role])
    server = MinioServer(tmp_path_factory.mktemp("minio"), str(binary)).start()
    settings = Settings(
        object_store_url=f"s3://{server.endpoint}/{BUCKET}",
        object_store_access_key=MINIO_USER,
        object_store_secret_key=SecretStr(MINIO_PASSWORD),
    )
    for _ in range(2):  # as at each start
        grant(settings, folder, redis_url=guarded.url_of("default"))

    def open_as(role: Role) -> S3ObjectStore:
        pair = (role.access_key, PASSWORDS[role])
        return S3ObjectStore(
            endpoint=server.endpoint, bucket=BUCKET, keys=pair, region="us-east-1", secure=False, patience=0
        )

    yield open_as
    server.stop()


def test_each_role_can_do_its_work_at_the_store(store_of: Callable[[Role], S3ObjectStore]) -> None:
    """What an upload, a plan, a segment, a package, a webhook's job and a deletion do, in their order."""
    web, control, encoder, janitor = (store_of(role) for role in (WEB, CONTROL, ENCODER, JANITOR))
    web.prepare()
    for store in (web, control, encoder, janitor):
        store.ping()
    assert web.free_bytes()
    large = b"x" * (9 * 1024 * 1024)  # more than a part
    web.put_bytes(keys.original(JOB), large, content_type="video/mp4")
    with web.writer(keys.original("1" * 26), content_type="video/mp4") as unfinished:
        unfinished.write(large)
    web.put_bytes(keys.manifest(JOB), b"{}", content_type="application/json")
    web.put_bytes(keys.upload_record(JOB), b"{}", content_type="application/json")
    with web.incoming.go_on(JOB, part_bytes=8 * 1024 * 1024, may_go_on=lambda: None, may_keep=lambda: True) as incoming:
        incoming.write(large)
    web.incoming.cut(JOB, len(large) - 1)
    assert janitor.incoming.arrived(JOB).size == len(large) - 1
    assert b"".join(janitor.read(keys.upload_record(JOB))) == b"{}"
    assert web.incoming.finish(JOB, keys.original(JOB), content_type="video/mp4").size == len(large) - 1
    assert janitor.delete_prefix(keys.upload(JOB)) == 2
    for store in (control, encoder):
        assert b"".join(store.read(keys.original(JOB))) == large[:-1]
        store.put_bytes(keys.planned(JOB), b"{}", content_type="application/json")
        store.put_bytes(keys.segment(JOB, "480p", 0), large, content_type="video/mp4")
    encoder.put_bytes(keys.rendition(JOB, "poster.jpg"), b"poster", content_type="image/jpeg")
    encoder.put_bytes(keys.early_poster(JOB), b"poster", content_type="image/jpeg")
    assert control.delete_prefix(keys.early_poster(JOB)) == 1
    for store in (control, encoder):
        assert store.delete_prefix(keys.fragments(JOB)) == 1
        store.put_bytes(keys.segment(JOB, "480p", 0), large, content_type="video/mp4")
    assert encoder.delete_prefix(keys.track(JOB, "480p")) == 1
    control.put_bytes(keys.rendition(JOB, "480p.mp4"), large, content_type="video/mp4")
    assert list(control.keys(keys.ORIGINALS))
    assert web.stat(keys.rendition(JOB, "480p.mp4")).size == len(large)
    assert web.redirect_path(keys.rendition(JOB, "480p.mp4"), seconds=60)
    janitor.put_bytes(keys.ended(JOB), b"{}", content_type="application/json")
    assert janitor.stat(keys.original(JOB)).size == len(large) - 1
    janitor.sweep_unfinished(older_than=0)
    assert web.delete_prefix(keys.planned(JOB)) == 1
    assert janitor.delete_prefix(keys.renditions(JOB)) == 2
    assert list(janitor.folders(keys.PARTS)) == [JOB]
    assert janitor.delete_prefix(keys.upload_parts(JOB)) == 2
    assert janitor.delete_prefix(keys.originals(JOB)) == 3


@pytest.mark.parametrize(
    ("role", "what"),
    [
        (ENCODER, "delete an original"),
        (ENCODER, "write an original"),
        (ENCODER, "read a manifest"),
        (ENCODER, "delete a video"),
        (ENCODER, "write a video"),
        (ENCODER, "read a video"),
        (ENCODER, "see free space"),
        (CONTROL, "delete an original"),
        (CONTROL, "write an original"),
        (CONTROL, "delete a video"),
        (JANITOR, "write an original"),
        (JANITOR, "write a video"),
        (WEB, "write a video"),
    ],
    ids=lambda value: value.name if isinstance(value, Role) else value.replace(" ", "-"),
)
def test_no_role_may_do_more_at_the_store(role: Role, what: str, store_of: Callable[[Role], S3ObjectStore]) -> None:
    """What would cost videos, or show them where nobody needs them."""
    web, store = store_of(WEB), store_of(role)
    web.put_bytes(keys.original(JOB), b"film", content_type="video/mp4")
    web.put_bytes(keys.manifest(JOB), b"{}", content_type="application/json")
    store_of(CONTROL).put_bytes(keys.rendition(JOB, "480p.mp4"), b"video", content_type="video/mp4")
    tries: dict[str, Callable[[], object]] = {
        "delete an original": lambda: store.delete_prefix(keys.originals(JOB)),
        "write an original": lambda: store.put_bytes(keys.original(JOB), b"x", content_type="video/mp4"),
        "read a manifest": lambda: b"".join(store.read(keys.manifest(JOB))),
        "delete a video": lambda: store.delete_prefix(keys.rendition(JOB, "480p.mp4")),
        "write a video": lambda: store.put_bytes(keys.rendition(JOB, "480p.mp4"), b"x", content_type="video/mp4"),
        "read a video": lambda: b"".join(store.read(keys.rendition(JOB, "480p.mp4"))),
        "see free space": lambda: _must(store.free_bytes()),
    }
    with pytest.raises(ObjectStoreDownError):
        tries[what]()
    assert b"".join(web.read(keys.original(JOB))) == b"film"
    assert b"".join(web.read(keys.rendition(JOB, "480p.mp4"))) == b"video"


def _must(free: int | None) -> None:
    if free is None:
        raise ObjectStoreDownError


def test_addresses_with_passwords_are_masked(guarded: GuardedRedis) -> None:
    """No repr that may come into a log or a traceback shows a password."""
    url = guarded.url_of("web")
    settings = Settings(redis_url=SecretStr(url), broker_url=SecretStr(url))
    services = connect(settings, patience=0)
    publisher: Any = services.publisher
    app, client = publisher._app, publisher._redis.client
    connection = app.connection_for_write()
    shown = [settings, services, publisher, vars(publisher), client, client.connection_pool, app, connection]
    said = [*map(repr, shown), connection.as_uri(), app.conf.humanize(with_defaults=False)]
    assert not [text for text in said if "password-of-web" in text]
