"""BROKER_URL: what names a broker, and that its password is never shown."""

from __future__ import annotations

import pytest

from storage.settings import SettingsError, load_settings


@pytest.mark.parametrize(
    ("url", "on_rabbitmq"),
    [
        ("redis://h/0", False),
        ("rediss://h/0", False),
        ("unix:///run/redis.sock", False),
        ("amqp://u:p@h:5672/vhost", True),
        ("amqps://h", True),
    ],
)
def test_a_broker_is_redis_or_rabbitmq(monkeypatch: pytest.MonkeyPatch, url: str, on_rabbitmq: bool) -> None:  # noqa: FBT001
    """The scheme says which."""
    monkeypatch.setenv("BROKER_URL", url)
    settings = load_settings()
    assert (settings.broker, settings.on_rabbitmq) == (url, on_rabbitmq)


def test_without_a_broker_redis_is_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """REDIS_URL serves for both."""
    monkeypatch.setenv("REDIS_URL", "redis://h:1/2")
    settings = load_settings()
    assert (settings.broker, settings.on_rabbitmq) == ("redis://h:1/2", False)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("kafka://u:hunter22@h", "must begin with redis://, rediss://, unix://, amqp:// or amqps://"),
        ("amqp://", "must name a host"),
        ("amqp://u:hunter22@/vhost", "must name a host"),
    ],
)
def test_what_is_no_broker_is_refused(monkeypatch: pytest.MonkeyPatch, url: str, wanted: str) -> None:
    """One line names the variable and what is wanted, without the value."""
    monkeypatch.setenv("BROKER_URL", url)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith("BROKER_URL: ")
    assert wanted in str(caught.value)
    assert "hunter22" not in str(caught.value)


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by the settings as a whole nor by the one."""
    monkeypatch.setenv("BROKER_URL", "amqp://u:hunter22@h/vhost")
    settings = load_settings()
    assert "hunter22" not in f"{settings!r} {settings} {settings.broker_url!r}"
