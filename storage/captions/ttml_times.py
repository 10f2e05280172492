"""Times of TTML: of clocks and of offsets, in frames and ticks, as a document says they are counted. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

_CLOCK = re.compile(r"(\d{1,4}):(\d{1,2}):(\d{1,2})(?:[.,](\d{1,9})|:(\d{1,4})(?:\.(\d{1,4}))?)?", re.ASCII)
_OFFSET = re.compile(r"(\d{1,12})(?:\.(\d{1,9}))?(h|ms|m|s|f|t)", re.ASCII)
_LONGEST = 40  # characters of a time
_COUNT = re.compile(r"\d{1,9}", re.ASCII)
_MULTIPLIER = re.compile(r"(\d{1,9})[ :]+(\d{1,9})", re.ASCII)
_FRAME_RATE = 30  # where a document says nothing (TTML2, 7.2.5)
_DROPPED = 2  # numbers that `dropNTSC` leaves out at the beginning of each minute but every tenth
_SECONDS = {"h": Fraction(3600), "m": Fraction(60), "s": Fraction(1), "ms": Fraction(1, 1000)}


@dataclass(frozen=True, slots=True)
class Counting:
    """How a document counts: `frames` a second by number, `rate` of them in fact, `parts` of each, `ticks` a second.

    With `smpte` whole times are numbers of frames, of which some are left out where it `drops`.
    """

    frames: int = _FRAME_RATE
    rate: Fraction = Fraction(_FRAME_RATE)
    parts: int = 1
    ticks: int = 1
    smpte: bool = False
    drops: bool = False

    def milliseconds(self, text: str) -> int | None:
        """Return the time of an attribute, None for what is none."""
        short = text.strip()
        if not short or len(short) > _LONGEST:
            return None
        if (clock := _CLOCK.fullmatch(short)) is not None:
            return self._of_clock(*clock.groups())
        return None if (offset := _OFFSET.fullmatch(short)) is None else self._of_offset(*offset.groups())

    def _of_clock(
        self, hours: str, minutes: str, seconds: str, fraction: str | None, frames: str | None, parts: str | None
    ) -> int:
        whole_minutes = int(hours) * 60 + int(minutes)
        whole = whole_minutes * 60 + int(seconds)
        if fraction is not None:
            return whole * 1000 + round(_decimals(fraction) * 1000)
        shown = int(frames or 0) + Fraction(int(parts or 0), self.parts)
        if not self.smpte or frames is None:
            return round((whole + shown / self.rate) * 1000)
        left_out = _DROPPED * (whole_minutes - whole_minutes // 10) if self.drops else 0
        return round((whole * self.frames - left_out + shown) / self.rate * 1000)

    def _of_offset(self, count: str, fraction: str | None, metric: str) -> int:
        number = int(count) + (_decimals(fraction) if fraction else 0)
        lasts = {"f": 1 / self.rate, "t": Fraction(1, self.ticks)}
        return round(number * _SECONDS.get(metric, lasts.get(metric, Fraction(0))) * 1000)


def counting_of(told: Mapping[str, str]) -> Counting:
    """Return how a document counts, by the attributes of its first element."""
    frames, parts = _count(told, "frameRate", _FRAME_RATE), _count(told, "subFrameRate", 1)
    found = _MULTIPLIER.fullmatch(told.get("frameRateMultiplier", "").strip())
    numerator, denominator = (int(found[1]) or 1, int(found[2]) or 1) if found else (1, 1)
    return Counting(
        frames,
        frames * Fraction(numerator, denominator),
        parts,
        _count(told, "tickRate", frames * parts if "frameRate" in told else 1),
        smpte=told.get("timeBase") == "smpte",
        drops=told.get("dropMode") == "dropNTSC",
    )


def _count(told: Mapping[str, str], name: str, usual: int) -> int:
    text = told.get(name, "").strip()
    return (int(text) or usual) if _COUNT.fullmatch(text) else usual


def _decimals(digits: str) -> Fraction:
    return Fraction(int(digits), 10 ** len(digits))
