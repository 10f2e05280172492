"""What a service of Compose can do that was taken over: its own work, and nothing of the others'."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.compose import ROOT, Stack

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1500)]

USERS = {
    "keys": "10000:10000",
    "rights": "10000:10000",
    "minio": "10001:10001",
    "nginx": "10002:10002",
    "web": "10003:10003",
    "control": "10004:10004",
    "janitor": "10005:10005",
    "encoder": "10006:10006",
    "redis": "10007:10007",
}
PORTS = {"nginx": 8080, "web": 8000, "redis": 6379, "minio": 9000}
MAY_REACH = {
    "nginx": {"web", "minio"},
    "web": {"nginx", "redis", "minio"},
    "control": {"redis", "minio"},
    "janitor": {"redis", "minio"},
    "encoder": {"redis", "minio"},
    "redis": {"minio"},  # on the networks of those who need both
}
# Who answers is told by what they say: some networks take a connection to any address.
SAYS = {"nginx": "nginx", "web": "nosniff", "redis": "NOAUTH", "minio": "MinIO"}
# Asks each address given for its health, as Redis or as HTTP, and prints it with letters and digits of the answer.
_ASK_IN_PYTHON = """
import socket, sys
for address in sys.argv[1:]:
    host, port = address.split(":")
    asked = "PING" if port == "6379" else "GET /healthz HTTP/1.0\\r\\nHost: localhost\\r\\n"
    try:
        with socket.create_connection((host, port), 2) as connection:
            connection.sendall(asked.encode() + b"\\r\\n")
            connection.settimeout(2)
            answer = b""
            while len(answer) < 2000 and b"NOAUTH" not in answer and (more := connection.recv(2000)):
                answer += more
    except OSError:
        continue
    print(address, "".join(filter(str.isalnum, answer.decode(errors="replace"))))
"""
_ASK_IN_BASH = r"""
for at; do
  asked='GET /healthz HTTP/1.0\r\nHost: localhost\r\n'
  [ "${at#*:}" = 6379 ] && asked=PING
  ask="exec 3<>/dev/tcp/${at/://}; printf '$asked\r\n' >&3; cat <&3"
  echo "$at $(timeout 2 bash -c "$ask" 2>/dev/null | tr -dc '[:alnum:]')"
done
"""
# Tells what became of the attempt by the name of its error.
_FLUSH = """
from redis import Redis
from redis.exceptions import NoPermissionError
with open("/keys/redis_url") as file:
    client = Redis.from_url(file.read())
for command in ("FLUSHALL", "CONFIG GET requirepass", "KEYS *", "ACL LIST", "SHUTDOWN"):
    try:
        print(client.execute_command(*command.split()))
    except NoPermissionError:
        print("refused")
"""
_DELETE = """
import sys
from storage.errors import ObjectStoreDownError
from storage.objects import keys
from storage.services.connect import open_objects
from storage.settings import load_settings
objects = open_objects(load_settings(), patience=0)
for attempt in (
    lambda: objects.delete_prefix(keys.originals(sys.argv[1])),
    lambda: objects.put_bytes(keys.original(sys.argv[1]), b"", content_type="video/mp4"),
    lambda: b"".join(objects.read(keys.manifest(sys.argv[1]))),
):
    try:
        print(attempt())
    except ObjectStoreDownError as error:
        print(error.detail.rpartition(" ")[2])
"""

_SIZE = """
import sys
from storage.objects import keys
from storage.services.connect import open_objects
from storage.settings import load_settings
print(open_objects(load_settings(), patience=0).stat(keys.original(sys.argv[1])).size)
"""


@pytest.fixture(scope="module")
def finished(stack: Stack, clip: Callable[..., Path]) -> str:
    """Give the id of a job that is ready."""
    job = stack.ended(stack.upload(clip("least.mp4", seconds=2, size="640x360", rate="25"))["id"])
    assert job["state"] == "ready", job["error"]
    return str(job["id"])


def test_nobody_was_refused_what_they_need(stack: Stack, finished: str) -> None:
    """Neither Redis nor MinIO refused anything in this and in the tests before it (Redis: since it last started)."""
    assert finished
    password = stack.compose("run", "--rm", "--no-deps", "keys", "cat", "/keys/admin/redis_password")
    command = ("exec", "-T", "-e", f"REDISCLI_AUTH={password}", "redis", "redis-cli", "--json", "ACL", "LOG")
    assert json.loads(stack.compose(*command)) == []
    assert "AccessDenied" not in stack.compose("logs", "--no-color", "web", "control", "janitor", "encoder")


def test_each_service_has_its_user_and_limits(stack: Stack) -> None:
    """A user of its own, a read-only root, no capability; memory, processes, logs and /tmp are bounded."""
    containers = stack.containers()
    assert {name: one["Config"]["User"] for name, one in containers.items()} == USERS
    for name, container in containers.items():
        host = container["HostConfig"]
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["Memory"] > 0, name
        assert host["PidsLimit"] > 0, name
        assert host["LogConfig"]["Config"]["max-size"] == "10m", name
        assert "size=" in host["Tmpfs"]["/tmp"], name  # noqa: S108 (the container's)


def test_services_reach_whom_they_need_and_nobody_else(stack: Stack) -> None:
    """By any address of any container: nobody but nginx reaches web, nginx does not reach Redis."""
    containers = stack.containers()
    at = {
        f"{network['IPAddress']}:{port}": name
        for name, port in PORTS.items()
        for network in containers[name]["NetworkSettings"]["Networks"].values()
    }
    found = {}
    for name in MAY_REACH:
        others = [address for address, service in at.items() if service != name]
        how = ("bash", "-c", _ASK_IN_BASH, "ask") if name in {"nginx", "redis"} else ("python", "-c", _ASK_IN_PYTHON)
        said = (line.partition(" ") for line in stack.inside(name, *how, *others).splitlines())
        found[name] = {at[address] for address, _, answer in said if SAYS[at[address]] in answer}
    assert found == MAY_REACH
    for address in (address for address, service in at.items() if service == "web"):
        said_to_minio = stack.inside(
            "minio", "sh", "-c", f"curl -s -i -m 2 -H Host:localhost http://{address}/healthz || true"
        )
        assert SAYS["web"] not in said_to_minio


def test_an_encoder_reaches_nothing_of_its_machine(stack: Stack) -> None:
    """What listens on all addresses of the host is not there for it, and no way leads out."""
    network = f"{stack.project}_encoder-servers"
    text = subprocess.run(["docker", "network", "inspect", network], capture_output=True, text=True, check=True).stdout
    gateways = [config["Gateway"] for config in json.loads(text)[0]["IPAM"]["Config"] if config.get("Gateway")]
    with socket.create_server(("", 0)) as listening:
        port = listening.getsockname()[1]
        addresses = [f"{host}:{port}" for host in (*gateways, "172.17.0.1", _address_of_this_machine())]
        assert stack.inside("encoder", "python", "-c", _ASK_IN_PYTHON, *addresses) == ""


def test_an_encoder_holds_its_own_keys_only_and_cannot_change_them(stack: Stack) -> None:
    """The folder of keys has three files of its own role, all read-only."""
    listed = stack.inside("encoder", "ls", "/keys").split()
    assert listed == ["object_store_access_key", "object_store_secret_key", "redis_url"]
    assert stack.inside("encoder", "cat", "/keys/object_store_access_key") == "rungs-encoder"
    assert stack.inside("encoder", "sh", "-c", "echo x 2>&1 >/keys/redis_url || echo refused").endswith("refused\n")


def test_an_encoders_user_of_redis_cannot_harm_it(stack: Stack, finished: str) -> None:
    """No FLUSHALL, CONFIG, KEYS, ACL or SHUTDOWN; the records are still there."""
    assert stack.inside("encoder", "python", "-c", _FLUSH).split() == ["refused"] * 5
    assert stack.job(finished)["state"] == "ready"


def test_an_encoders_key_of_the_store_cannot_touch_originals(stack: Stack, finished: str) -> None:
    """It can neither delete one, nor write over it, nor read who uploaded it."""
    said = stack.inside("encoder", "python", "-c", _DELETE, finished).split("\n")
    assert [line for line in said if line] == ["denied.", "AccessDenied", "AccessDenied"]
    assert int(stack.inside("web", "python", "-c", _SIZE, finished)) > 0


def test_the_variant_on_rabbitmq_is_valid_and_as_fenced_in() -> None:
    """Its file fits the other one: the broker has a user and bounds, and is where roles reach it."""
    files = ("-f", "docker-compose.yml", "-f", "infra/docker/rabbitmq.yml")
    command = ["docker", "compose", *files, "config", "--format", "json"]
    environment = {**os.environ, "RABBITMQ_PASSWORD": "x"}
    text = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    services = json.loads(text)["services"]
    broker = services["rabbitmq"]
    assert broker["user"] not in USERS.values()
    assert {"mem_limit", "pids_limit"} <= broker.keys()
    for name in ("web", "control", "janitor", "encoder"):
        assert services[name]["environment"]["BROKER_URL"].startswith("amqp://")
        assert set(services[name]["networks"]) & set(broker["networks"]) == {f"{name}-servers"}


def _address_of_this_machine() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing
        return str(probe.getsockname()[0])
