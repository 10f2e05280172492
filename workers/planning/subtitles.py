"""Subtitles of a file: which tracks of text are taken, and what is told of those that are not. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from storage.model.job_warnings import Warnings, warning
from storage.model.languages import language_name, language_tag
from storage.model.plan import ClockPiece, places_of
from storage.model.shown_text import clean_text
from storage.model.timed_text import MOST_SUBTITLES, SubtitleSource, SubtitleTrack
from workers.planning.facts import Probe, Stream
from workers.planning.stream_kinds import TTML

# Teletext and captions have no end of their own: a text stands until the next one comes.
ENDLESS_CODECS = frozenset({"dvb_teletext", "eia_608"})
TEXT_CODECS = frozenset({"subrip", "text", "ass", "ssa", "webvtt", "mov_text", TTML}) | ENDLESS_CODECS
# Those that can be moved as packets, which have a place in the file. Of others ffmpeg gives texts alone, and TTML has
# its times within.
PLACED_CODECS = TEXT_CODECS - {"mov_text", "eia_608", TTML}
PICTURE_CODECS = frozenset({"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "xsub"})
_UNKNOWN = "unknown"  # in a list of languages, of a track that has none
# What people write into titles where their program has no flag for it.
_SDH = re.compile(r"\b(?:sdh|cc|hearing[- ]impaired|closed captions?)\b", re.IGNORECASE)
_FORCED = re.compile(r"\bforced\b", re.IGNORECASE)


def subtitle_sources(probe: Probe, video: Stream, pieces: Sequence[ClockPiece] = ()) -> tuple[SubtitleSource, ...]:
    """Return the tracks of text beside the picture, in the file's order, MOST_SUBTITLES at most.

    Where the clock jumps from piece to piece, those whose place in the file tells to which one a text belongs.
    """
    usable = [stream for stream in probe.beside(video) if _is_text(stream) and _is_placed(stream, pieces)]
    return tuple(
        SubtitleSource(_track(str(number), stream), stream.index, stream.codec)
        for number, stream in enumerate(usable[:MOST_SUBTITLES])
    )


def caption_sources(stream: int, codec: str, channels: Sequence[int]) -> tuple[SubtitleSource, ...]:
    """Return the tracks of these channels of captions in the data of a stream's pictures.

    No file says their language. They tell sounds as well: in America they have to.
    """
    return tuple(
        SubtitleSource(SubtitleTrack(f"cc{number}", title=f"CC{number}", sdh=True), stream, codec, number)
        for number in channels
    )


def subtitles_left_out(
    probe: Probe, sources: tuple[SubtitleSource, ...], pieces: Sequence[ClockPiece] = ()
) -> Warnings:
    """Say how many tracks of subtitles are not in the result, and of those made of pictures their languages."""
    used = {source.stream for source in sources}
    others = [one for one in probe.streams if one.kind == "subtitle" and one.index not in used and not one.unlisted]
    pictures = [stream for stream in others if stream.codec in PICTURE_CODECS]
    found = []
    if pictures:
        names = [language_name(language_tag(stream.language)) or _UNKNOWN for stream in pictures]
        found.append(warning("subtitle_pictures", n=len(names), languages=", ".join(dict.fromkeys(names))))
    jumping = sum(_is_text(stream) and not _is_placed(stream, pieces) for stream in others)
    counts = {"subtitle_left_out": len(others) - len(pictures) - jumping, "subtitle_jumps": jumping}
    found += [warning(code, n=count) for code, count in counts.items() if count]
    return tuple(found)


def _is_text(stream: Stream) -> bool:
    return stream.kind == "subtitle" and stream.codec in TEXT_CODECS and not (stream.encrypted or stream.unlisted)


def _is_placed(stream: Stream, pieces: Sequence[ClockPiece]) -> bool:
    return not pieces or (stream.codec in PLACED_CODECS and bool(places_of(pieces)))


def _track(number: str, stream: Stream) -> SubtitleTrack:
    title = clean_text(stream.title)
    return SubtitleTrack(
        id=number,
        language=language_tag(stream.language),
        title=title,
        default=stream.default,
        forced=stream.forced or _FORCED.search(title) is not None,
        sdh=stream.sdh or _SDH.search(title) is not None,
    )
