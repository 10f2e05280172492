"""Garbage: what a hostile client, or somebody who may write to a store, could put in the place of what is right."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

TEXTS = (
    *("", " ", "\0", "\n", "\r\nSet-Cookie: a=b", "..", "../../etc/passwd", "/etc/shadow", "~", "a" * 3000),
    *(
        "\ud800",
        "\u202e",
        "\uffff",
        "\u0661\u0662",
        "\u00b2",
        "\U0001f4a3",
        "1e999",
        "nan",
        "-1",
        "0",
        "00",
        "9" * 5000,
    ),
    *("+", "(", "%00", "%2e%2e", "'", '"', "\\", ";", ",", "=", ":", "[", "$(id)", "`id`", "<script>", "{{7*7}}"),
    *("=?utf-8?b?/w==?=", "=?x?q?=?=", "filename*=utf-8''%ff", "filename*=utf-7''+2AA-", "bytes=", "bytes=-", "0-,1-"),
    *("http://[", "http://a:b@c", "http://a:99999999", "file:///etc/passwd", "segment:", "segment:-1", "audio:0"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, 0.5, -0.0, 1e300, float("inf"), float("nan")),
    *([], {}, [[]], {"": None}),
    *TEXTS,
)


def text(random: Random, right: str) -> str:
    """Return garbage made of what would be right: changed at a few places, or nothing of it."""
    if random.random() < 0.1:
        return random.choice(TEXTS)
    found = right
    for _ in range(random.randint(1, 3)):
        at, length = random.randint(0, len(found)), random.choice((0, 0, 1, 3, 20))
        put = random.choice(
            (random.choice(TEXTS), chr(random.choice((random.randrange(128), random.randrange(0xD800)))))
        )
        found = found[:at] + put + found[at + length :]
    return found


def value(random: Random, right: Any) -> Any:
    """Return a copy of the JSON with something in it that is wrong."""
    found = copy.deepcopy(right)
    for _ in range(random.randint(1, 2)):
        found = _changed(random, found)
    return found


def _changed(random: Random, right: Any) -> Any:
    if isinstance(right, dict) and right and random.random() < 0.95:
        name = random.choice(list(right))
        match random.randrange(20):
            case 0:
                del right[name]
            case 1:
                right[random.choice(TEXTS)] = right.pop(name)
            case _:
                right[name] = _changed(random, right[name])
        return right
    if isinstance(right, list) and right and random.random() < 0.95:
        place = random.randrange(len(right))
        match random.randrange(10):
            case 0:
                del right[place]
            case 1:
                right.append(copy.deepcopy(right[place]))
            case _:
                right[place] = _changed(random, right[place])
        return right
    if isinstance(right, str) and random.random() < 0.5:
        return text(random, right)
    if isinstance(right, int | float) and random.random() < 0.5:
        return random.choice((-right, right + 1, right * 10**6, str(right)))
    return random.choice(VALUES)


def as_json(random: Random, right: Any) -> str:
    """Return the JSON with something wrong in it, or no JSON any more."""
    if random.random() < 0.2:
        return text(random, json.dumps(right))
    return json.dumps(value(random, right))
