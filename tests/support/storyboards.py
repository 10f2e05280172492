"""Reading a storyboard as players do: WebVTT whose cues name parts of a picture."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_CUE = re.compile(r"\n\n(\S+) --> (\S+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)(?=\n|$)")


@dataclass(frozen=True)
class Preview:
    """What is shown from `start` to `end` (seconds): a part of the picture `name`, in pixels."""

    start: Fraction
    end: Fraction
    name: str
    x: int
    y: int
    width: int
    height: int


def read_storyboard(text: str) -> tuple[Preview, ...]:
    """Return the previews in order; fail where the text is anything but such WebVTT."""
    assert text.startswith("WEBVTT\n\n")
    found = _CUE.findall(text)
    assert len(found) == text.count("-->")
    return tuple(
        Preview(_seconds(start), _seconds(end), name, *(int(number) for number in place))
        for start, end, name, *place in found
    )


def _seconds(stamp: str) -> Fraction:
    matched = re.fullmatch(r"(\d{2,}):([0-5]\d):([0-5]\d\.\d{3})", stamp)
    assert matched, stamp
    hours, minutes, seconds = matched.groups()
    return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)
