"""The keys of the containers: each service's in a folder of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infra.make_keys import make_keys
from infra.rights.redis_users import password_hash
from infra.rights.roles import ENCODER, ROLES, WEB
from storage.settings import load_settings

FOLDERS = ("admin", "minio", "redis", *(role.name for role in ROLES))


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folders that are volumes in Compose; all groups are this process's here."""
    for name in FOLDERS:
        (tmp_path / name).mkdir()
    monkeypatch.setattr(os, "fchown", lambda *_: None)
    return tmp_path


def contents(folder: Path) -> dict[str, str]:
    """Return all files below by their names."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_keys_are_made_once_and_read_as_settings(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second run changes nothing, and SECRETS_DIR makes settings of a role's folder."""
    make_keys(keys)
    first = contents(keys)
    make_keys(keys)
    assert contents(keys) == first
    for path in keys.rglob("*"):
        assert path.is_dir() or path.stat().st_mode & 0o777 == (0o400 if path.parent.name == "admin" else 0o440)

    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("SECRETS_DIR", str(keys / "encoder"))
    settings = load_settings()
    assert settings.object_store_access_key == "rungs-encoder"
    assert settings.object_store_secret_key.get_secret_value() == first["encoder/object_store_secret_key"]
    assert settings.redis_url.get_secret_value() == first["encoder/redis_url"]
    assert first["encoder/redis_url"].startswith("redis://encoder:")


def test_a_key_that_was_removed_is_made_anew_and_no_other(keys: Path) -> None:
    """So keys are exchanged; Redis' users follow."""
    make_keys(keys)
    first = contents(keys)
    (keys / "encoder/redis_url").unlink()
    make_keys(keys)
    changed = {name for name, text in contents(keys).items() if first[name] != text}
    assert changed == {"encoder/redis_url", "redis/users.acl"}


def test_no_service_sees_the_key_of_another(keys: Path) -> None:
    """Passwords differ, and Redis' own file has nothing but hashes of them."""
    make_keys(keys)
    found = contents(keys)
    secrets = {name: text.split(":")[-1].partition("@")[0] for name, text in found.items() if "acl" not in name}
    own = [text for name, text in found.items() if name.endswith(("secret_key", "redis_url", "redis_password"))]
    assert len(own) == len(set(own)) == 2 * len(ROLES) + 2
    password = found["web/redis_url"].split(":")[2].partition("@")[0]
    assert f"user web on {password_hash(password)} " in found["redis/users.acl"]
    assert not [name for name, text in secrets.items() if len(text) > 20 and text in found["redis/users.acl"]]


def test_each_installation_has_its_own_keys(keys: Path, tmp_path: Path) -> None:
    """Two runs in two places share nothing but the names of the roles."""
    make_keys(keys)
    other = tmp_path / "other"
    for name in FOLDERS:
        (other / name).mkdir(parents=True)
    make_keys(other)
    for role in (WEB, ENCODER):
        for name in ("object_store_secret_key", "redis_url"):
            assert (keys / role.name / name).read_text() != (other / role.name / name).read_text()
