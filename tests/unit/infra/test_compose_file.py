"""docker-compose.yml passes on what can be set and shows nothing to the outside but nginx."""

from __future__ import annotations

import re
from pathlib import Path

from infra.rights.roles import REDIS_GID, ROLES, STORE_GID
from storage.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text()
ON_RABBITMQ = (ROOT / "infra" / "docker" / "rabbitmq.yml").read_text()
DOCKERFILE = (ROOT / "infra" / "docker" / "Dockerfile").read_text()
# Not passed on, because Compose decides: keys and the address of Redis, with its password, come from a volume, and the
# broker is the one Redis, unless infra/docker/rabbitmq.yml is laid over it.
_FIXED = {"object_store_access_key", "object_store_secret_key", "redis_url", "broker_url"}
_SERVICE = re.compile(r"^  ([a-z]+):\n((?:    .*\n|\n)+)", re.MULTILINE)
SERVICES = dict(_SERVICE.findall(TEXT.partition("\nservices:\n")[2].partition("\nnetworks:\n")[0]))


def test_every_setting_can_be_set_for_the_containers() -> None:
    """A setting the compose file forgets would be ignored without a word."""
    named = {name.lower() for name in re.findall(r"^ +([A-Z][A-Z_]+):", TEXT, re.MULTILINE)}
    assert set(Settings.model_fields) - _FIXED <= named


def test_every_service_has_a_user_of_its_own_and_limits() -> None:
    """Only the two that hold all keys anyway are one user; the numbers are those of the images and of the key files."""
    users = {name: re.findall(r"^    user: \"(\d+):\1\"$", text, re.MULTILINE)[0] for name, text in SERVICES.items()}
    assert len(users) == 9
    assert users.pop("rights") == users["keys"]
    assert len(set(users.values())) == len(users)
    for name, user in users.items():
        assert f"{name}:{user}" in DOCKERFILE
    groups = {role.name: role.gid for role in ROLES} | {"minio": STORE_GID, "redis": REDIS_GID}
    assert groups.items() <= {name: int(user) for name, user in users.items()}.items()
    for text in SERVICES.values():
        assert "    mem_limit: " in text
        assert "    pids_limit: " in text


def test_each_service_sees_its_own_keys_only() -> None:
    """All keys are mounted where they are made and granted, and nowhere else."""
    seen = {name: set(re.findall(r"keys-([a-z]+)", text)) for name, text in SERVICES.items()}
    assert {name: keys for name, keys in seen.items() if name not in {"keys", "rights"}} == {
        "nginx": set(),
        **{name: {name} for name in ("web", "control", "janitor", "encoder", "redis", "minio")},
    }


def test_only_nginx_publishes_a_port() -> None:
    """Redis and MinIO stay inside."""
    assert len(re.findall(r"^ +ports:", TEXT, re.MULTILINE)) == 1


def test_no_key_stands_in_the_file() -> None:
    """MinIO's keys are files of a volume."""
    assert not re.search(r"MINIO_ROOT_(USER|PASSWORD):", TEXT)


def test_with_rabbitmq_every_part_of_the_queue_is_told() -> None:
    """All that publish or take messages get its address, it has no port to the outside, and no password stands here."""
    for part in ("web", "control", "janitor", "encoder"):
        assert f"  {part}:\n    <<: *on_rabbitmq\n" in ON_RABBITMQ
    assert "ports:" not in ON_RABBITMQ
    assert re.findall(r"PASS(?:WORD)?: (.*)", ON_RABBITMQ) == ["${RABBITMQ_PASSWORD}"]
