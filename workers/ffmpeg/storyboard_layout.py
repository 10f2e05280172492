"""The storyboard: pictures of the whole timeline on one sheet, and cues that say which shows when. Pure.

Only first pictures of fragments are taken: they are keyframes at known times, so nothing else need be decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from storage.captions.webvtt import block, webvtt
from storage.model.plan import Rung
from storage.public.hls import Fragment
from workers.planning.ladder import even

SHEET = "storyboard.jpg"
CUES = "storyboard.vtt"

LONG_SIDE = 160  # pixels of a picture; what players expect, and enough to find a scene by
COLUMNS = 10
# With COLUMNS no sheet is larger than 1600x3840: its sides are below 4096, the largest texture that every phone has, it
# takes 25 MB decoded and about a megabyte to load. Longer videos have longer cues: in two hours 32 s.
MAX_PICTURES = 240


@dataclass(frozen=True, slots=True)
class Preview:
    """A stretch of the job's timeline and when the picture that stands for it shows; seconds, exact."""

    start: Fraction
    end: Fraction
    picture: Fraction


@dataclass(frozen=True, slots=True)
class Sheet:
    """The pictures in rows: how many columns and rows, and a picture's size in pixels."""

    columns: int
    rows: int
    width: int
    height: int


def cues_of(fragments: Sequence[Fragment]) -> tuple[Preview, ...]:
    """Return the cues over a rung's fragments (one or more): they tile the timeline, each moment near its picture."""
    every = -(-len(fragments) // MAX_PICTURES)
    pictures = [fragment.start for fragment in fragments[::every]]
    borders = [fragments[0].start, *((one + next_one) / 2 for one, next_one in pairwise(pictures)), fragments[-1].end]
    return tuple(
        Preview(start, end, picture) for (start, end), picture in zip(pairwise(borders), pictures, strict=True)
    )


def sheet_of(rung: Rung, count: int) -> Sheet:
    """Return the sheet for so many pictures of the rung, which keep its shape and are never larger than it."""
    scale = min(Fraction(1), Fraction(LONG_SIDE, max(rung.width, rung.height)))
    columns = min(COLUMNS, count)
    return Sheet(columns, -(-count // columns), even(rung.width * scale), even(rung.height * scale))


def cues_text(cues: Sequence[Preview], sheet: Sheet) -> str:
    """Return the cues as players read them: WebVTT, each naming its part of the sheet as a media fragment."""
    return webvtt(block(cue.start, cue.end, _place(number, sheet)) for number, cue in enumerate(cues))


def _place(number: int, sheet: Sheet) -> str:
    row, column = divmod(number, sheet.columns)
    return f"{SHEET}#xywh={column * sheet.width},{row * sheet.height},{sheet.width},{sheet.height}"
