"""From a text with subtitles to its cues, in time and memory that are bounded. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import partial

from storage.captions import timed_lines
from storage.captions.ass import ass
from storage.captions.cues import Cue
from storage.captions.ttml import ttml
from storage.subtitle_errors import SubtitleTooLargeError

MOST_LINES = 500_000  # of a file: as many cues as a track may have take half of it


class Format(StrEnum):
    """What a file of subtitles is written in."""

    SUBRIP = "srt"
    WEBVTT = "vtt"
    ASS = "ass"
    TTML = "ttml"
    DECODED = "decoded.ass"  # by ffmpeg, whose readers of text make ASS of it and leave braces as they are


_READERS: Mapping[Format, Callable[[Iterable[str]], Iterator[Cue]]] = {
    Format.SUBRIP: timed_lines.subrip,
    Format.WEBVTT: timed_lines.webvtt,
    Format.ASS: ass,
    Format.TTML: ttml,
    Format.DECODED: partial(ass, has_comments=False),
}


def cues_of(text: str, written: Format) -> Iterator[Cue]:
    """Yield the cues of a text in this format, in its own order and on its own clock; what is none is passed over.

    Raises SubtitleTooLargeError, on the way, for more than MOST_LINES.
    """
    return _READERS[written](_lines(text))


def _lines(text: str) -> Iterator[str]:
    """Yield the lines: as a file system ends them, not where Unicode would."""
    if text.count("\n") + text.count("\r") > 2 * MOST_LINES:  # one line may end with both
        raise SubtitleTooLargeError
    yield from text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
