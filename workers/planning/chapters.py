"""Chapters: what ffprobe says of them, and what becomes of it on the job's timeline. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage.model.plan import ClockPiece
from storage.model.shown_text import clean_text
from storage.model.timed_text import MOST_CHAPTERS, Chapter

# A shorter one is none that anybody could choose: two in one place, or one cut off by an end of the timeline.
LEAST_SECONDS = 0.1
# Of all titles together. A thousand chapters have twenty each; each event of the job carries them.
TITLES_LENGTH = 20_000
_AHEAD_SECONDS = 1.0  # by which a recording's first chapter may begin before its first picture
_MILLISECONDS = 3  # decimals: players count in thousandths


@dataclass(frozen=True, slots=True)
class ToldChapter:
    """A chapter as the container declares it, in seconds on its own clock; the title is an upload's text."""

    start: float
    end: float
    title: str


def told_chapters(items: Iterable[Mapping[str, Any]]) -> tuple[ToldChapter, ...]:
    """Return the chapters of ffprobe's JSON that have times."""
    told = (ToldChapter(_seconds(item, "start_time"), _seconds(item, "end_time"), _title(item)) for item in items)
    return tuple(one for one in told if math.isfinite(one.start) and math.isfinite(one.end))


def _seconds(item: Mapping[str, Any], name: str) -> float:
    try:
        return float(item.get(name, math.nan))
    except ValueError:
        return math.nan


def _title(item: Mapping[str, Any]) -> str:
    return next((str(text) for name, text in item.get("tags", {}).items() if name.lower() == "title"), "")


def on_joined_clock(told: Sequence[ToldChapter], pieces: Sequence[ClockPiece]) -> tuple[ToldChapter, ...]:
    """Return the chapters at the times that they have once the pieces are joined; as they are for a steady clock.

    One belongs to the first piece that has its time, which is where players go; it ends with that at the latest. Those
    of no piece are left out.
    """
    if not pieces:
        return tuple(told)
    found = ((one, _piece_of(one, pieces)) for one in told)
    return tuple(
        ToldChapter(max(one.start, piece.start) - piece.shift, min(one.end, piece.end) - piece.shift, one.title)
        for one, piece in found
        if piece is not None
    )


def _piece_of(chapter: ToldChapter, pieces: Sequence[ClockPiece]) -> ClockPiece | None:
    return next((piece for piece in pieces if piece.start - _AHEAD_SECONDS <= chapter.start < piece.end), None)


def chapters_of(told: Iterable[ToldChapter], start: float, duration: float) -> tuple[Chapter, ...]:
    """Return the chapters on a timeline that begins at `start` of the source's clock and lasts for `duration`, seconds.

    They follow each other, each ends where the next one begins at the latest, and there are at most MOST_CHAPTERS. A
    file may list them in any order, over each other, or outside of the timeline.
    """
    shown = sorted((one.start - start, one.end - start, one.title) for one in told)
    apart = list(_apart((max(0.0, begin), min(end, duration), title) for begin, end, title in shown))
    latest = [*(begin for begin, _, _ in apart[1:]), duration]
    left, chapters = TITLES_LENGTH, []
    for (begin, end, title), next_one in zip(apart, latest, strict=False):
        clean = clean_text(title)
        clean = clean if len(clean) <= left else ""
        left -= len(clean)
        chapters.append(Chapter(round(begin, _MILLISECONDS), round(min(end, next_one), _MILLISECONDS), clean))
    return tuple(chapters)


def _apart(chapters: Iterable[tuple[float, float, str]]) -> Iterator[tuple[float, float, str]]:
    """Yield those that last, and that begin behind the beginning of the one before; MOST_CHAPTERS at most."""
    last, count = -LEAST_SECONDS, 0
    for begin, end, title in chapters:
        if end - begin >= LEAST_SECONDS and begin - last >= LEAST_SECONDS and count < MOST_CHAPTERS:
            last, count = begin, count + 1
            yield begin, end, title
