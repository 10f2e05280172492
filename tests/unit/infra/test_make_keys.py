"""The keys that the containers share."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.make_keys import make_keys
from storage.settings import load_settings


def test_keys_are_made_once_and_read_as_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second run changes nothing, and SECRETS_DIR makes settings of the files."""
    make_keys(tmp_path)
    first = {path.name: path.read_text() for path in tmp_path.iterdir()}
    make_keys(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == first
    assert all(path.stat().st_mode & 0o777 == 0o400 for path in tmp_path.iterdir())

    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    settings = load_settings()
    assert settings.object_store_access_key == first["object_store_access_key"]
    assert settings.object_store_secret_key.get_secret_value() == first["object_store_secret_key"]


def test_each_installation_has_its_own_keys(tmp_path: Path) -> None:
    """Two runs in two folders share nothing."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        make_keys(tmp_path / name)
    assert (tmp_path / "one/object_store_secret_key").read_text() != (
        tmp_path / "two/object_store_secret_key"
    ).read_text()
