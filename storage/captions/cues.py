"""Cues: what is shown when, and what bounds them. Pure.

Whoever wrote a file decides how much is in it. So there are limits for a track's cues and its text, and one for how
long a cue is shown: each segment of a stream repeats those that reach into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter

from storage.subtitle_errors import SubtitleTooLargeError

# A film has 2,000, live captions of twelve hours 30,000.
MOST_CUES = 50_000
_MOST_READ = 2 * MOST_CUES  # layers of ASS say the same twice
LONGEST_MILLISECONDS = 300_000  # a sign that stands in a picture stands for seconds, a notice for a minute
# Texts that stand at once, where a container has room for one: two people and a sign, and some more.
_MOST_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Cue:
    """A text from `start` to `end`, in milliseconds; `text` is strict WebVTT. `top` tells that it stands above."""

    start: int
    end: int
    text: str
    top: bool = False


def milliseconds_of(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> int:
    """Return a time that stands in a file in four parts, the first and the last of which may be left out."""
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + int((fraction or "").ljust(3, "0"))


def on_timeline(cues: Iterable[Cue], start: float, duration: float) -> tuple[Cue, ...]:
    """Return the cues on a timeline that begins at `start` of their clock and lasts for `duration`, both in seconds.

    They are in the order of time, without what lies outside, shows nothing or is there twice. Raises
    SubtitleTooLargeError for more than MOST_CUES.
    """
    shift, latest = round(start * 1000), round(duration * 1000)
    shown: dict[Cue, None] = {}
    for count, cue in enumerate(cues):
        if count > _MOST_READ:
            raise SubtitleTooLargeError
        begin = max(0, cue.start - shift)
        end = min(latest, cue.end - shift, begin + LONGEST_MILLISECONDS)
        if cue.text and begin < end:
            shown[Cue(begin, end, cue.text, cue.top)] = None
            if len(shown) > MOST_CUES:
                raise SubtitleTooLargeError
    return tuple(sorted(shown, key=attrgetter("start", "end")))


def one_at_a_time(cues: Sequence[Cue]) -> Iterator[Cue]:
    """Yield the same as cues of which no two overlap, for MP4; `cues` are sorted by their start.

    What is shown at once is one text, at most _MOST_AT_ONCE of them; places are given up.
    """
    edges = sorted({edge for cue in cues for edge in (cue.start, cue.end)})
    shown: list[Cue] = []
    at = 0
    for begin, end in pairwise(edges):
        shown = [cue for cue in shown if cue.end > begin]
        while at < len(cues) and cues[at].start <= begin:
            shown += [cues[at]] if len(shown) < _MOST_AT_ONCE else []
            at += 1
        if shown:
            yield Cue(begin, end, "\n".join(dict.fromkeys(cue.text for cue in shown)))
