"""WebVTT as text: times and blocks of cues. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from storage.model.timed_text import Chapter

CHAPTERS = "chapters.vtt"  # its name among what was made
_MILLI = 1000  # WebVTT counts in milliseconds
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def stamp(seconds: Fraction | float) -> str:
    """Return a time as WebVTT has it."""
    whole, milliseconds = divmod(round(seconds * _MILLI), _MILLI)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{milliseconds:03d}"


def webvtt(blocks: Iterable[str]) -> str:
    """Return a file of these blocks; each holds no empty line."""
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def block(start: Fraction | float, end: Fraction | float, text: str) -> str:
    """Return a cue; its text is WebVTT already and holds no empty line."""
    return f"{stamp(start)} --> {stamp(end)}\n{text}"


def escaped(text: str) -> str:
    """Return the text such that no reader of WebVTT takes any of it for markup."""
    return text.translate(_ESCAPED)


def chapters_vtt(chapters: Iterable[Chapter]) -> str:
    """Return the chapters as players read them; one without a title has its number."""
    numbered = enumerate(chapters, 1)
    return webvtt(block(one.start, one.end, escaped(one.title) or str(number)) for number, one in numbered)
