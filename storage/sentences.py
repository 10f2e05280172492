"""Sentences that people read: marked for translation where they stand, and filled with numbers in English. Pure.

A sentence has a stable code. `%(name)s` marks a number, or a name that no language translates; `at_clock` is the
number `at` as players show it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypedDict

PLACE, CLOCK = "at", "at_clock"  # a place in the video in seconds, and the same as players show it: 72.4 s are 1:12
_SEPARATED = 10_000  # numbers of four digits are read without a separator


Values = Mapping[str, float | str]


class Told(TypedDict):
    """An error as JSON has it: its English sentence, and what it takes to say it in another language."""

    code: str
    message: str
    values: dict[str, float]


class ToldWarning(TypedDict):
    """A warning as JSON has it."""

    code: str
    message: str
    values: Values


def mark(sentence: str) -> str:
    """Return the sentence. Imported as `_`, this is the name by which gettext finds what is to be translated."""
    return sentence


def number(value: float) -> str:
    """Return a number in English with one decimal place at most, such as `12.5`, `1920` or `48,000`."""
    text = f"{value:,.1f}" if value >= _SEPARATED else f"{value:.1f}"
    return text.removesuffix(".0")


def shown(values: Values, written: Callable[[float], str] = number) -> dict[str, str]:
    """Return the numbers and names of a sentence as it shows them."""
    place = values.get(PLACE)
    clocks = {} if place is None or isinstance(place, str) else {CLOCK: clock(place)}
    return {name: value if isinstance(value, str) else written(value) for name, value in values.items()} | clocks


def filled(sentence: str, values: Values) -> str:
    """Return the English sentence with its numbers and names. Raises KeyError for one that is not given."""
    return sentence % shown(values)


def clock(seconds: float) -> str:
    """Return a place in a video as players show it, such as `1:05` or `2:00:31`."""
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
