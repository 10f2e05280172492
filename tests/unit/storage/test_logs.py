"""No secret reaches a log line."""

from __future__ import annotations

from pydantic import SecretStr

from storage.logs import MASK, masked, masking, secrets_of
from storage.settings import Settings


def test_passwords_of_urls_and_keys_are_secrets() -> None:
    """The passwords of Redis and broker and the secret key are found; short ones would mask everything."""
    settings = Settings(
        redis_url=SecretStr("redis://:first-secret@h:1/0"),
        broker_url=SecretStr("redis://u:abc@h:1/0"),
        object_store_secret_key=SecretStr("second-secret"),
    )
    assert secrets_of(settings) == {"first-secret", "second-secret"}


def test_secrets_are_masked_wherever_they_stand() -> None:
    """Text, nested values and unknown URLs' passwords are masked; numbers stay numbers."""
    line = {"event": "with hunter22 inside", "deep": {"key": ["hunter22"]}, "count": 3, "none": None}
    shown = masking(frozenset({"hunter22"}))(None, "info", line)
    assert shown == {"event": f"with {MASK} inside", "deep": f"{{'key': ['{MASK}']}}", "count": 3, "none": None}
    assert masked("redis://user:other@host/0", ()) == f"redis://user:{MASK}@host/0"
