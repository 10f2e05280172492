"""Files of text in a video's place: subtitles, playlists, screen text, web pages. Told by how they begin. Pure.

None of them is opened by a tool: ffmpeg would follow playlists, draw text as pictures, and list subtitles as streams.
"""

from __future__ import annotations

import codecs
import re

from storage.media_errors import MediaError, PictureOnlyError, PlaylistOnlyError, SubtitlesOnlyError, TextOnlyError

TEXT_BYTES = 4096  # looked at: what a file of text is stands in its first lines
LEAST_BYTES = 8  # fewer tell nothing, as any byte may be a letter
# No text has them, but tabs and ends of lines, form feeds, and what ends and colours text on old screens.
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1a\x1b")
_XML = r"(?:<\?xml[^>]*>\s*)?(?:(?:<!--.*?-->|<!doctype[^>\[]*(?:\[.*?\]\s*)?>)\s*)*<(?:\w+:)?"
_OTHERS = re.compile(r"YUV4MPEG2 |%PDF-")  # a video and documents, which begin with a line of text
_PLAYLIST = re.compile(
    r"#ext(?:m3u|-x-|inf)|ffconcat version|file\s+\S|\[playlist\]|\[reference\]|rtsptext|smiltext|<\?wpl"
    r"|v=0\r?\n[a-z]=|(?:https?|ftp|rtsp|rtmp|mmsh?|file)://"
    rf"|{_XML}(?:mpd|smoothstreamingmedia|playlist|asx|smil|compositionplaylist|assetmap|packinglist)\b",
    re.DOTALL,
)
_TIME = r"\d{1,2}:\d\d(?::\d\d)?[,.:;]\d{1,3}"
_SUBTITLES = re.compile(
    rf"webvtt|\[script info\]|dialogue:|(?:\d+\s*\n\s*)?{_TIME}\s*(?:-->|,)|\{{\d+\}}\{{\d*\}}|\[\d+\]\[\d*\]"
    r"|# vobsub|\[information\]|scenarist_scc|\[(?:ti|ar|al|by|offset|length|\d\d:\d\d[.:]\d\d)[\]:]|<window\b|#timeres"
    rf"|{_XML}(?:sami|tt)\b",
    re.DOTALL,
)
_DRAWING = re.compile(rf"{_XML}svg\b|p[1-6]\s", re.DOTALL)
# Not text, and yet text on a screen: XBIN and iCEDraw. The first drew files as pictures for whoever asked ffmpeg.
_SCREENS = (b"XBIN\x1a", b"\x041.4")
_PRESENTATION_GRAPHICS, _SEGMENTS = b"PG", frozenset({0x14, 0x15, 0x16, 0x17, 0x80})  # Blu-ray's subtitles in a file
_STL = re.compile(rb"\d{3}STL\d\d\.01")  # subtitles of broadcasters (EBU Tech 3264)


def text_refusal(data: bytes) -> type[MediaError] | None:
    """Return what a file that begins with these bytes is refused as, None if it may be a video."""
    if data.startswith(_SCREENS):
        return TextOnlyError
    is_graphics = data.startswith(_PRESENTATION_GRAPHICS) and len(data) > 10 and data[10] in _SEGMENTS  # noqa: PLR2004
    if is_graphics or _STL.match(data):
        return SubtitlesOnlyError
    text = _text(data[:TEXT_BYTES])
    if text is None or _OTHERS.match(text):
        return None
    begins = text.lstrip("\ufeff \t\r\n").lower()
    kinds = ((_PLAYLIST, PlaylistOnlyError), (_SUBTITLES, SubtitlesOnlyError), (_DRAWING, PictureOnlyError))
    return next((kind for pattern, kind in kinds if pattern.match(begins)), TextOnlyError)


def _text(data: bytes) -> str | None:
    """Return the bytes as text, None if they are none. Letters beyond ASCII may be lost: no name above has any."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.decode("utf-16", errors="replace").encode(errors="replace")
    if len(data) < LEAST_BYTES or not _CONTROLS.isdisjoint(data):
        return None
    return data.decode(errors="replace")
