"""Cues: what is shown when, and what bounds them. Pure.

Whoever wrote a file decides how much is in it. So there are limits for a track's cues and its text, and one for how
long a cue is shown: each segment of a stream repeats those that reach into it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from storage.subtitle_errors import SubtitleTooLargeError

# A film has 2,000, live captions of twelve hours 30,000.
MOST_CUES = 50_000
_MOST_READ = 2 * MOST_CUES  # layers of ASS say the same twice
LONGEST_MILLISECONDS = 300_000  # a sign that stands in a picture stands for seconds, a notice for a minute


@dataclass(frozen=True, slots=True)
class Cue:
    """A text from `start` to `end`, in milliseconds; `text` is strict WebVTT. `top` tells that it stands above."""

    start: int
    end: int
    text: str
    top: bool = False


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
