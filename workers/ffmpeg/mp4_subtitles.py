"""Subtitles of an MP4: the command that brings them in, and what keeps players from showing them unasked. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import IO

from storage.captions.cues import Cue
from storage.captions.webvtt import stamp
from storage.model.languages import three_letters
from workers.ffmpeg.mp4_boxes import BoxPlace, boxes
from workers.sandbox.allowed_inputs import own_text_arguments

SUBTITLES = b"sbtl"  # the handler of their tracks
_ENABLED = 0x01  # of the flags in a track's header
_TAGS = re.compile(r"(</?[biu]>)")
_MARKUP = re.compile(r"<(?=[A-Za-z/])|\\(?=[Nnh{}])|\{(?=\\)")
_JOINED = "\\g<0>\u2060"
_FLAGS_AT = 3  # in its payload: the last byte of three


@dataclass(frozen=True, slots=True)
class PackedSubtitles:
    """A track as an MP4 has it: SubRip of ours, without cues that overlap, and what a player is told of it.

    `language` is a BCP 47 tag, empty for none.
    """

    path: Path
    label: str
    language: str = ""
    forced: bool = False
    sdh: bool = False


def subrip(cues: Iterable[Cue]) -> bytes:
    """Return cues as ffmpeg reads them for an MP4, to the sign. Its reader of WebVTT leaves marks of its own in braces.

    What it would take for markup, though it is text, gets a joiner that takes no room.
    """
    return "\n".join(_blocks(cues)).encode()


def _blocks(cues: Iterable[Cue]) -> Iterator[str]:
    for number, cue in enumerate(cues, 1):
        # Our markup stands at every second place.
        parts = enumerate(_TAGS.split(cue.text))
        said = "".join(part if at % 2 else _MARKUP.sub(_JOINED, html.unescape(part)) for at, part in parts)
        yield f"{number}\n{stamp(cue.start / 1000)} --> {stamp(cue.end / 1000)}\n{said}\n"


def with_subtitles(command: Sequence[str], tracks: Sequence[PackedSubtitles]) -> list[str]:
    """Return the command of an MP4 with these tracks behind its others."""
    maps = command.index("-map")
    count = command[:maps].count("-i")
    inputs = chain.from_iterable(own_text_arguments(str(track.path), "srt") for track in tracks)
    streams = chain.from_iterable(("-map", f"{count + number}:s:0") for number in range(len(tracks)))
    behind = len(command) - command[::-1].index("-map") + 1
    told = chain.from_iterable(_told(number, track) for number, track in enumerate(tracks))
    # Of two options that speak of a stream, ffmpeg takes the last one: all others are copied.
    coded = ["-c:s", "mov_text"] if tracks else []
    return [*command[:maps], *inputs, *command[maps:behind], *streams, *command[behind:-1], *coded, *told, command[-1]]


def shown_unasked(file: IO[bytes], size: int, tracks: Sequence[PackedSubtitles]) -> tuple[int, ...]:
    """Return where, in an MP4 that was checked, a byte tells players to show subtitles though nobody asked for them.

    ffmpeg says so of the first track if it may say so of none; forced ones are shown unasked.
    """
    if not tracks or any(track.forced for track in tracks):
        return ()
    index = next(box for box in boxes(file, 0, size) if box.kind == b"moov")
    file.seek(index.payload)
    data = file.read(index.end - index.payload)
    found = (_flags_of(data, track) for track in boxes(BytesIO(data), 0, len(data)) if track.kind == b"trak")
    return tuple(index.payload + place for place in chain.from_iterable(found))


def kept_back(pieces: Iterable[bytes], places: Sequence[int]) -> Iterator[bytes]:
    """Yield the pieces of a file without the flags at these places."""
    at = 0
    for piece in pieces:
        inside = [place - at for place in places if at <= place < at + len(piece)]
        at += len(piece)
        if not inside:
            yield piece
            continue
        changed = bytearray(piece)
        for place in inside:
            changed[place] &= 0xFF - _ENABLED
        yield bytes(changed)


def _flags_of(index: bytes, track: BoxPlace) -> Iterator[int]:
    inside = {box.kind: box for box in boxes(BytesIO(index), track.payload, track.end)}
    media = {box.kind: box for box in boxes(BytesIO(index), inside[b"mdia"].payload, inside[b"mdia"].end)}
    handler, flags = media[b"hdlr"].payload + 8, inside[b"tkhd"].payload + _FLAGS_AT
    if index[handler : handler + len(SUBTITLES)] == SUBTITLES and index[flags] & _ENABLED:
        yield flags


def _told(number: int, track: PackedSubtitles) -> Iterator[str]:
    if track.language:
        yield from (f"-metadata:s:s:{number}", f"language={three_letters(track.language)}")
    yield from (f"-metadata:s:s:{number}", f"handler_name={track.label}")
    marks = (("default+forced", track.forced), ("hearing_impaired", track.sdh))
    yield from (f"-disposition:s:{number}", "+".join(mark for mark, is_set in marks if is_set) or "0")
