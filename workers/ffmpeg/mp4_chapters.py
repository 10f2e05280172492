"""Chapters of an MP4: the file in which ffmpeg is told of them, and the command that reads it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from storage.model.timed_text import Chapter
from workers.sandbox.allowed_inputs import own_text_arguments

_MILLI = 1000
_SPECIAL = re.compile(r"([=;#\\])")  # characters of ffmetadata that mean something
_NO_CHAPTERS = ["-map_chapters", "-1"]
_NO_METADATA = ["-map_metadata", "-1"]


def within(chapters: Iterable[Chapter], seconds: float) -> tuple[Chapter, ...]:
    """Return the chapters of a video of so many seconds: a damaged one may be shorter than planned."""
    return tuple(
        replace(one, end=min(one.end, seconds)) for one in chapters if round((seconds - one.start) * _MILLI) > 0
    )


def ffmetadata(chapters: Iterable[Chapter]) -> str:
    """Return the chapters as ffmpeg reads them. One without a title has its number, or ffmpeg would leave it out."""
    return "\n".join([";FFMETADATA1", *_lines(chapters)]) + "\n"


def with_chapters(command: Sequence[str], listed: str) -> list[str]:
    """Return the command of an MP4 with the chapters of the file at a path of ours.

    Other metadata of the inputs stay out; titles of chapters come along only where no option speaks of all metadata.
    """
    outputs = command.index("-map")
    count = command[:outputs].count("-i")
    rest = _replaced(list(command[outputs:]), _NO_CHAPTERS, ["-map_chapters", str(count)])
    rest = _replaced(rest, _NO_METADATA, ["-map_metadata:g", "-1", "-map_metadata:s", "-1"])
    # Only the track of chapters: the older list beside it holds 255 of them at most, and no reader needs both.
    told = own_text_arguments(listed, "ffmetadata")
    return [*command[:outputs], *told, *_replaced(rest, ["+faststart"], ["+faststart+disable_chpl"])]


def _replaced(arguments: list[str], old: list[str], new: list[str]) -> list[str]:
    at = next(at for at in range(len(arguments)) if arguments[at : at + len(old)] == old)
    return [*arguments[:at], *new, *arguments[at + len(old) :]]


def _lines(chapters: Iterable[Chapter]) -> Iterator[str]:
    for number, chapter in enumerate(chapters, 1):
        yield "[CHAPTER]"
        yield f"TIMEBASE=1/{_MILLI}"
        yield f"START={round(chapter.start * _MILLI)}"
        yield f"END={round(chapter.end * _MILLI)}"
        title = _SPECIAL.sub(r"\\\1", chapter.title)
        yield f"title={title or number}"
