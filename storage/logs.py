"""Logs of every part: one line each, coloured for people or JSON for machines, secrets never in them.

What clients and tools say is data in them: it can neither begin a line nor steer the reader's terminal.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from storage.settings import WEBHOOK_SECRET_PREFIX, Settings

MASK = "***"
# A shorter secret would mask innocent text all over the place, and protects nothing.
_SHORTEST_SECRET = 4
# What ends a line, steers a terminal or turns the direction of reading; and halves of characters, which none can write.
_UNSAFE = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
# The only values with lines of their own. Each is set back, so that none of them looks like the beginning of another.
_BLOCKS = frozenset({"exception", "stack"})
_SET_BACK = "    "
_URL_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")


def configure_logging(settings: Settings, part: str) -> None:
    """Send structlog's and the standard library's logs of this process to stderr; `part` names it in every line."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        _stamped(settings),
        _named(part),
        structlog.processors.StackInfoRenderer(),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            masking(secrets_of(settings)),
            escaping(for_people=settings.log_format == "console"),
            _renderer(settings),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level.upper())),
        cache_logger_on_first_use=False,
    )


def secrets_of(settings: Settings) -> frozenset[str]:
    """Return the texts that must not appear in any log line."""
    urls = (settings.redis_url.get_secret_value(), settings.broker)
    passwords = [urlsplit(url).password or "" for url in urls]
    # As they stand in the URL, and as the broker's library reads them.
    keys = (settings.object_store_secret_key.get_secret_value(), settings.webhook_secret.get_secret_value())
    found = {*passwords, *map(unquote, passwords), *keys, keys[1].removeprefix(WEBHOOK_SECRET_PREFIX)}
    return frozenset(secret for secret in found if len(secret) >= _SHORTEST_SECRET)


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return the text with every secret, and the password of every URL, replaced."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return _URL_PASSWORD.sub(rf"\g<1>{MASK}@", text)


def masking(secrets: frozenset[str]) -> Processor:
    """Return a structlog processor that masks all texts of a line, tracebacks too."""

    def mask(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        for key, value in line.items():
            if isinstance(value, int | float | bool | None):
                continue
            line[key] = masked(value if isinstance(value, str) else repr(value), secrets)
        return line

    return mask


def escaped(text: str) -> str:
    """Return the text on one line, with everything that is not to be seen as the escape that Python writes for it."""
    return _UNSAFE.sub(lambda found: ascii(found[0])[1:-1], text)


def escaping(*, for_people: bool) -> Processor:
    """Return a structlog processor that makes all texts of a line data; `for_people` it sets tracebacks back.

    Where a value ends is told by the renderers: they quote what has spaces.
    """

    def of(key: str, text: str) -> str:
        if key not in _BLOCKS:
            return escaped(text)
        return "\n".join(f"{_SET_BACK if for_people else ''}{escaped(line)}" for line in text.split("\n"))

    def escape(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        return {key: of(key, value) if isinstance(value, str) else value for key, value in line.items()}

    return escape


def _named(part: str) -> Processor:
    def name(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        line["part"] = part
        return line

    return name


def _stamped(settings: Settings) -> Processor:
    if settings.log_format == "json":
        return structlog.processors.TimeStamper(fmt="iso", utc=True)
    return structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)


def _renderer(settings: Settings) -> Processor:
    if settings.log_format == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0, pad_level=False)
