"""Files of subtitles that come beside a video: from bytes to strict WebVTT, linear in their size. Pure."""

from __future__ import annotations

import re

from storage.captions.charsets import decoded
from storage.captions.cues import on_timeline
from storage.captions.reading import Format, cues_of
from storage.captions.webvtt import subtitles_vtt
from storage.subtitle_errors import SubtitleTooLargeError, SubtitleUnreadableError

# Of a file: live captions of twelve hours take 3 MB. Four megabytes of whatever are read within seconds, and a film's
# subtitles in a hundredth of one, so the web service reads them by itself.
LONGEST_FILE = 4 * 1024**2
_LATEST = 100 * 3600.0  # seconds: what a cue may say where nobody knows yet how long the video is
_HEAD = 4096  # characters in which a format shows
_TTML = re.compile(r"<(?:[\w.-]{1,32}:)?tt[\s>]", re.ASCII)
_ASS = re.compile(r"^(?:\[(?:Script Info|V4\+? Styles|Events)\]|Dialogue:)", re.MULTILINE | re.IGNORECASE)


def converted(data: bytes, language: str) -> bytes:
    """Return the file as strict WebVTT; `language` (a BCP 47 tag, or empty) tells of its characters.

    Raises SubtitleUnreadableError where there is not one cue, SubtitleTooLargeError.
    """
    if len(data) > LONGEST_FILE:
        raise SubtitleTooLargeError
    text = decoded(data, language)
    cues = on_timeline(cues_of(text, format_of(text)), 0.0, _LATEST)
    if not cues:
        raise SubtitleUnreadableError
    return subtitles_vtt(cues)


def format_of(text: str) -> Format:
    """Return which format a text with subtitles is in; SubRip has no mark of its own."""
    head = text[:_HEAD].lstrip("\ufeff \t\r\n")
    if head.startswith("WEBVTT"):
        return Format.WEBVTT
    if head.startswith("<") and _TTML.search(head):
        return Format.TTML
    return Format.ASS if _ASS.search(head) else Format.SUBRIP
