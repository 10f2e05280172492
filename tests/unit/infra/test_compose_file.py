"""docker-compose.yml passes on what can be set and shows nothing to the outside but nginx."""

from __future__ import annotations

import re
from pathlib import Path

from storage.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text()
ON_RABBITMQ = (ROOT / "infra" / "docker" / "rabbitmq.yml").read_text()
# Not passed on, because Compose decides: the keys come from a volume, and the broker is the one Redis, unless
# infra/docker/rabbitmq.yml is laid over it.
_FIXED = {"object_store_access_key", "object_store_secret_key", "broker_url"}


def test_every_setting_can_be_set_for_the_containers() -> None:
    """A setting the compose file forgets would be ignored without a word."""
    named = {name.lower() for name in re.findall(r"^ +([A-Z][A-Z_]+):", TEXT, re.MULTILINE)}
    assert set(Settings.model_fields) - _FIXED <= named


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
