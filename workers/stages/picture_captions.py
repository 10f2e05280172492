"""Captions that a tool took out of the pictures: from bytes and times to cues, in bounded memory and time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from heapq import heappop, heappush
from pathlib import Path
from typing import BinaryIO

from storage.captions.a53 import Pair, pairs_of
from storage.captions.cues import Cue
from storage.captions.line21 import line21_cues
from storage.model.plan import Plan
from storage.subtitle_errors import SubtitleTooLargeError
from workers.ffmpeg.subtitle_commands import CAPTIONS_DATA, CAPTIONS_TIMES
from workers.sandbox.outputs import left_by_tool, left_lines

# Of a picture in either of both files. Captions take 75 to 110, an encoder's name 700 at each keyframe; lines about 70.
PICTURE_BYTES = 256
SPARE_BYTES = 1024**2
READ_BYTES = 64 * 1024  # of a picture at most: what else stands in such units may be long
# Pictures may wait for others that show before them: H.264 and HEVC keep 16, or 32 fields.
MOST_HELD = 64
# Pairs a second of a recording: the system has 60 a second in each field, and fillings.
MOST_PAIRS = 240
_TIME_BASE = re.compile(r"#tb 0: (\d{1,9})/(\d{1,9})\s*")
_PICTURE = re.compile(r"0,\s*(-?\d{1,19}),\s*(-?\d{1,19}),\s*-?\d{1,19},\s*(\d{1,9}),.*", re.DOTALL)
_UNKNOWN = -(2**63)  # the time of a picture that has none


def captions_bytes(plan: Plan) -> int:
    """Return the most that each of both files may take."""
    return PICTURE_BYTES * max(plan.video.pictures, plan.frames) + SPARE_BYTES


def caption_cues(scratch: Path, plan: Plan, channel: int) -> Iterator[Cue]:
    """Yield the cues of a channel, on the original's clock.

    Raises OutputMismatchError where the tool left no such files, SubtitleTooLargeError for more than a recording of
    this length has.
    """
    with left_by_tool(scratch, CAPTIONS_DATA, most=captions_bytes(plan), least=0) as left:
        yield from line21_cues(_bounded(_in_order(_pictures(scratch, left.file)), plan.duration), channel)


def _bounded(timed: Iterator[tuple[int, Pair]], seconds: float) -> Iterator[tuple[int, Pair]]:
    most = round(MOST_PAIRS * (seconds + 60))
    for count, one in enumerate(timed):
        if count > most:
            raise SubtitleTooLargeError
        yield one


def _in_order(pictures: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, Pair]]:
    """Yield pairs and their times, in milliseconds, as pictures show; these come in the order of their decoding."""
    held: list[tuple[int, int, bytes]] = []
    for number, (at, data) in enumerate(pictures):
        heappush(held, (at, number, data))
        if len(held) > MOST_HELD:
            yield from _said(held)
    while held:
        yield from _said(held)


def _said(held: list[tuple[int, int, bytes]]) -> Iterator[tuple[int, Pair]]:
    at, _, data = heappop(held)
    return ((at, pair) for pair in pairs_of(data))


def _pictures(scratch: Path, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield when each picture shows, in milliseconds, and what it says, in the order of the file.

    One without a time of its own shows as long behind its decoding as the others before it do on the average.
    """
    base, behind, count = Fraction(0), 0, 0
    for line in left_lines(scratch, CAPTIONS_TIMES):
        if (told := _TIME_BASE.fullmatch(line)) is not None and int(told[2]):
            base = Fraction(1000 * int(told[1]), int(told[2]))
        elif (told := _PICTURE.fullmatch(line)) is not None:
            decoded, time, size = map(int, told.groups())
            data = file.read(min(size, READ_BYTES))
            if len(data) < min(size, READ_BYTES):  # what was to be written was too much
                raise SubtitleTooLargeError
            file.seek(size - len(data), 1)
            if _UNKNOWN not in {decoded, time}:
                behind, count = behind + time - decoded, count + 1
            elif time == _UNKNOWN != decoded:
                time = decoded + (behind // count if count else 0)
            if time != _UNKNOWN:
                yield round(time * base), data
