"""The command that takes tracks of text out of an original: pure, as those of `commands`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import ffmpeg

from storage.captions.reading import Format
from storage.model.plan import ClockPiece
from storage.model.timed_text import SubtitleSource
from workers.ffmpeg.commands import compiled
from workers.ffmpeg.filters import packets_on_steady_clock
from workers.sandbox.allowed_inputs import as_input, input_options, looking_options

# Bytes of one track as a tool writes it: with the overrides of a typeset film some megabytes, else 150 kB.
LONGEST_TRACK = 16 * 1024**2
# Tracks that are moved onto a joined clock before they are taken out, and in which container. What a decoder makes of
# teletext tells no place any more. And ffmpeg 5.1 takes the time base of Matroska, of milliseconds, for that of an ASS
# file, of hundredths.
MOVED_IN = {"dvb_teletext": "mpegts", "ass": "matroska", "ssa": "matroska"}
# Bytes of such tracks: a channel sends 300 kbit/s of teletext with its news, four hours of it.
LONGEST_MOVED = 512 * 1024**2
_TELETEXT = "dvb_teletext"
# Of captions in the pictures: the data of each one that has any, behind each other, and a line for each.
CAPTIONS_DATA, CAPTIONS_TIMES = "captions.data", "captions.times"
# Numbers of the units of a stream that hold them; no others leave ffmpeg, which decodes nothing.
_CAPTION_UNITS = {"h264": "6", "hevc": "39|40", "mpeg2video": "178"}


class _Way(NamedTuple):
    """How a codec is taken out: ffmpeg's encoder and container, and what comes out of them."""

    encoder: str
    container: str
    written: Format


_COPIED_SUBRIP = _Way("copy", "srt", Format.SUBRIP)
_COPIED_ASS = _Way("copy", "ass", Format.ASS)
_DECODED = _Way("ass", "ass", Format.DECODED)  # ffmpeg's decoders of text make ASS, whatever they read
# As it stands in the file where ffmpeg can, so that none of its decoders sees it; and nothing is lost.
_WAYS = {
    "subrip": _COPIED_SUBRIP,
    "text": _COPIED_SUBRIP,
    "ass": _COPIED_ASS,
    "ssa": _COPIED_ASS,
    "webvtt": _Way("copy", "webvtt", Format.WEBVTT),
    "ttml": _Way("copy", "data", Format.TTML),  # document after document
}


def written_as(source: SubtitleSource) -> Format:
    """Return the format in which `subtitles_command` writes the track."""
    return _WAYS.get(source.codec, _DECODED).written


def track_file(source: SubtitleSource) -> str:
    """Return the name of the file that `subtitles_command` writes of a track that is a stream of text."""
    return f"subtitles-{source.track.id}.{written_as(source)}"


def track_files(source: SubtitleSource) -> tuple[str, ...]:
    """Return the names of all files that `subtitles_command` writes of a track; channels of captions share theirs."""
    return (CAPTIONS_DATA, CAPTIONS_TIMES) if source.channel else (track_file(source),)


def subtitles_command(
    sources: Sequence[SubtitleSource],
    url: str,
    folder: Path,
    look_seconds: float,
    pieces: tuple[ClockPiece, ...] = (),
    *,
    captions_bytes: int = 0,
) -> list[str]:
    """Return the command that reads the original once and writes each track to a file of its own.

    Times are those of the original's clock; where it jumps between `pieces`, which its place in the file tells, those
    of the joined one. Then no track is one of MOVED_IN. Captions in the pictures are written as they are,
    `captions_bytes` at most.
    """
    options: dict[str, Any] = {"copyts": None}
    for source in sources:
        options |= _decoding(source)
    original = _opened(url, look_seconds, options)
    outputs = [_output(original, source, folder, pieces) for source in sources if not source.channel]
    captions = next((source for source in sources if source.channel), None)
    if captions is not None:
        outputs += _captions(original, captions, folder, captions_bytes)
    return compiled(outputs)


def _captions(original: Any, source: SubtitleSource, folder: Path, most: int) -> Iterator[Any]:
    """Yield the outputs of what pictures say of captions, and of when each picture shows and how much it says."""
    options: dict[str, Any] = {
        "c:v": "copy",
        "bsf:v": f"filter_units=pass_types={_CAPTION_UNITS[source.codec]}",
        "copyinkf:v": None,  # pictures ahead of the first keyframe load captions too
        "fs": most,
        "fflags": "+bitexact",
    }
    for name, container in ((CAPTIONS_DATA, "data"), (CAPTIONS_TIMES, "framecrc")):
        yield ffmpeg.output(original[str(source.stream)], str(folder / name), f=container, **options)


def moved_command(
    sources: Sequence[SubtitleSource], url: str, target: Path, look_seconds: float, pieces: tuple[ClockPiece, ...]
) -> list[str]:
    """Return the command that copies tracks of one of MOVED_IN onto the joined clock, as stream 0, 1 and so on.

    `subtitles_command` reads them there.
    """
    original = _opened(url, look_seconds, {"copyts": None})
    options: dict[str, Any] = {
        "c": "copy",
        "bsf:s": packets_on_steady_clock(pieces),
        "map_metadata": -1,
        "map_chapters": -1,
        "muxdelay": 0,
        "avoid_negative_ts": "disabled",
        "fs": LONGEST_MOVED,
        "fflags": "+bitexact",
        "f": MOVED_IN[sources[0].codec],
    }
    return compiled([ffmpeg.output(*(original[str(source.stream)] for source in sources), str(target), **options)])


def _opened(url: str, look_seconds: float, options: dict[str, Any]) -> Any:
    return ffmpeg.input(as_input(url), **input_options(url), **looking_options(look_seconds), **options)


def _decoding(source: SubtitleSource) -> dict[str, Any]:
    """Return what an input is told of a stream."""
    if source.codec != _TELETEXT:
        return {}
    # Pages of subtitles alone, not the news. Each text ends when the next one comes, or an empty one.
    stream = source.stream
    return {f"txt_page:{stream}": "subtitle", f"txt_format:{stream}": "text", f"fix_sub_duration:{stream}": None}


def _output(original: Any, source: SubtitleSource, folder: Path, pieces: tuple[ClockPiece, ...]) -> Any:
    way = _WAYS.get(source.codec, _DECODED)
    options: dict[str, Any] = {
        "c": way.encoder,
        "map_metadata": -1,
        "map_chapters": -1,
        "fs": LONGEST_TRACK,
        "fflags": "+bitexact",
        "f": way.container,
    }
    if pieces:
        options["bsf:s"] = packets_on_steady_clock(pieces)
    if way.container == "ass":
        # Else lines are held back until those have come that a number in the file says stand before them.
        options["ignore_readorder"] = 1
    return ffmpeg.output(original[str(source.stream)], str(folder / track_file(source)), **options)
