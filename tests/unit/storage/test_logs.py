"""No secret reaches a log line, and nobody but us begins one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from storage.logs import MASK, escaped, masked, masking, secrets_of
from storage.settings import Settings


def test_passwords_of_urls_and_keys_are_secrets() -> None:
    """The passwords of Redis and broker and the secret key are found; short ones would mask everything."""
    settings = Settings(
        redis_url=SecretStr("redis://:first-secret@h:1/0"),
        broker_url=SecretStr("redis://u:abc@h:1/0"),
        object_store_secret_key=SecretStr("second-secret"),
        webhook_secret=SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    )
    ours = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    assert secrets_of(settings) == {"first-secret", "second-secret", *ours}


def test_secrets_are_masked_wherever_they_stand() -> None:
    """Text, nested values and unknown URLs' passwords are masked; numbers stay numbers."""
    line = {"event": "with hunter22 inside", "deep": {"key": ["hunter22"]}, "count": 3, "none": None}
    shown = masking(frozenset({"hunter22"}))(None, "info", line)
    assert shown == {"event": f"with {MASK} inside", "deep": f"{{'key': ['{MASK}']}}", "count": 3, "none": None}
    assert masked("redis://user:other@host/0", ()) == f"redis://user:{MASK}@host/0"


ROOT = Path(__file__).parents[3]
# A line end of every kind, a terminal's escapes, a turn of direction, and half a character.
NASTY = "a\n12:00:00 [error] forged\r\x1b[31m\x9b2J\x85\u2028\u202ex\u2066\x7f\ud800 level=info status=200"
LOGGING = f"""
import logging, structlog
from storage.logs import configure_logging
from storage.settings import load_settings
configure_logging(load_settings(), "web")
nasty = {NASTY!r}
log = structlog.get_logger()
log.info("said", error=nasty, deep=[nasty])
log.warning(nasty)
logging.getLogger("gunicorn.error").warning("Invalid: %s", nasty)
try:
    raise ValueError(nasty)
except ValueError:
    log.exception("failed", detail=nasty)
    logging.getLogger("celery").exception("failed")
"""


def logged(form: str) -> list[str]:
    """Return the lines that a process writes which logs nasty texts in every way there is."""
    environment = {**os.environ, "LOG_FORMAT": form, "PYTHONPATH": str(ROOT)}
    said = subprocess.run([sys.executable, "-c", LOGGING], env=environment, capture_output=True, check=True, timeout=60)
    text = said.stderr.decode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", text)
    return text.splitlines()


def test_nobody_forges_a_line_for_people() -> None:
    """Five lines begin, whatever the texts hold; lines of a traceback are set back, and a value stands in quotes."""
    lines = logged("console")
    assert len([line for line in lines if not line.startswith("    ")]) == 5
    assert all(re.match(r"\d\d:\d\d:\d\d \[", line) for line in lines if not line.startswith("    "))
    assert f"error={escaped(NASTY)!r}" in lines[0]


def test_nobody_forges_a_line_for_machines() -> None:
    """Each line is an object, and no text in it is more than data, even after it was read."""
    read = [json.loads(line) for line in logged("json")]
    assert [line["level"] for line in read] == ["info", "warning", "warning", "error", "error"]
    assert read[0]["error"] == escaped(NASTY)
    texts = (text for line in read for text in line.values() if isinstance(text, str))
    assert not any(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202a-\u202e\ud800]", text) for text in texts)


@pytest.mark.parametrize("text", ["Ferien 日本 🎬", "a/b c=d", "\\x1b"])
def test_what_is_no_danger_stays(text: str) -> None:
    """Letters of all scripts, spaces and signs are as they were."""
    assert escaped(text) == text
