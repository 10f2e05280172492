"""Whatever would keep an installation from working is said in one line before anything starts."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from infra.local import preflight
from infra.local.supervisor_conf import REDIS_URL_FILE, RUN_FOLDER
from infra.local.up import base_url, part_environment
from storage.settings import Settings, SettingsError

EVERYWHERE = "0.0.0.0"  # noqa: S104 (a value to look at, nothing binds to it)


def test_a_port_in_use_is_refused() -> None:
    """The message names address, reason and another port to try."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"^PORT: cannot listen on 127.0.0.1:{port}: .*PORT={port + 1}$"):
            preflight.check_port("127.0.0.1", port)


def test_a_free_port_is_taken() -> None:
    """A port nobody listens on passes."""
    preflight.check_port("127.0.0.1", preflight.free_port())


def test_an_address_of_another_machine_is_refused() -> None:
    """HOST must belong to this machine."""
    with pytest.raises(SettingsError, match=r"192\.0\.2\.1"):
        preflight.check_port("192.0.2.1", preflight.free_port())


def test_an_unusable_data_dir_is_refused(tmp_path: Path) -> None:
    """DATA_DIR that is a file gives one line."""
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SettingsError, match=r"^DATA_DIR: .*cannot be used"):
        preflight.make_folders(file)


def test_only_one_installation_runs_in_a_data_dir(tmp_path: Path) -> None:
    """The second one is refused while the first runs, and welcome after it."""
    preflight.make_folders(tmp_path)
    first, second, third = (preflight.only_one(tmp_path) for _ in range(3))
    with first, pytest.raises(SettingsError, match="already runs"), second:
        pass
    with third:
        pass


def test_the_redis_of_a_running_installation_is_found(tmp_path: Path) -> None:
    """Its URL is read while the installation runs, and refused before and after it."""
    for _ in range(2):
        with pytest.raises(SettingsError, match=r"^DATA_DIR: no installation runs in .*REDIS_URL$"):
            preflight.running_redis(tmp_path)
        preflight.make_folders(tmp_path)
        (tmp_path / RUN_FOLDER / REDIS_URL_FILE).write_text("redis://:secret@127.0.0.1:1/0")
        with preflight.only_one(tmp_path):
            assert preflight.running_redis(tmp_path) == "redis://:secret@127.0.0.1:1/0"


def test_missing_programs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the programs and Debian's packages of them."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        SettingsError,
        match=r"ffmpeg, ffprobe, setpriv, redis-server not found; .*install ffmpeg redis-server util-linux$",
    ):
        preflight.check_tools(own_redis=True)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("localhost", True), (EVERYWHERE, False), ("x", False)],
)
def test_loopback_is_told_from_the_network(host: str, loopback: bool) -> None:  # noqa: FBT001 (parametrized)
    """Only addresses that nobody else reaches count as loopback."""
    assert preflight.is_loopback(host) is loopback


def test_a_redis_that_was_named_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """REDIS_URL in the environment means that no Redis is started."""
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert preflight.own_redis(Settings())
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere:6379/0")
    assert not preflight.own_redis(Settings())


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:1"), (EVERYWHERE, "http://127.0.0.1:1"), ("::", "http://[::1]:1")],
)
def test_the_address_shown_can_be_opened(host: str, url: str) -> None:
    """Addresses that only listen are shown as ones a browser can open."""
    assert base_url(host, 1) == url


def test_parts_inherit_everything_and_absolute_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings given reach the parts as they are; DATA_DIR holds wherever they run."""
    monkeypatch.chdir(tmp_path)
    settings = Settings(data_dir=Path("some data"))
    environment = part_environment(settings, {"ATTEMPTS": "7", "PATH": "/bin"}, "redis://own")
    assert environment["ATTEMPTS"] == "7"
    assert environment["DATA_DIR"] == str(tmp_path / "some data")
    assert environment["REDIS_URL"] == "redis://own"
    assert environment["PATH"].endswith(f"{os.pathsep}/bin")
    assert "REDIS_URL" not in part_environment(settings, {}, None)


def test_data_dir_is_closed_to_other_users(tmp_path: Path) -> None:
    """Its folders too, and those that an earlier start left open; a folder that holds other things stays as it is."""
    data_dir = tmp_path / "data"
    (data_dir / "objects").mkdir(parents=True)
    (data_dir / "objects").chmod(0o755)
    (data_dir / "photos").mkdir(mode=0o755)
    data_dir.chmod(0o755)
    preflight.make_folders(data_dir)
    assert {
        path.name: path.stat().st_mode & 0o777 for path in data_dir.iterdir() if path.name != "photos"
    } == dict.fromkeys(("run", "logs", "redis", "objects"), 0o700)
    assert data_dir.stat().st_mode & 0o777 == 0o755
    (data_dir / "photos").rmdir()
    preflight.make_folders(data_dir)
    assert data_dir.stat().st_mode & 0o777 == 0o700


def test_a_port_of_root_is_refused_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next number would be no better, so it is not offered."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(SettingsError, match=r"^PORT: only root may listen on port 80, .*PORT=8000$"):
        preflight.check_port("127.0.0.1", 80)
