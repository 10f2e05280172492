"""What a viewer should know of a video that was encoded all the same. Pure.

A warning has a stable code, which pages translate, the numbers in it, and its sentence in English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator

# The numbers of each code stand in braces; `at_clock` is `at` as players show it. What counts `n` may have a sentence
# for one.
SENTENCES: Mapping[str, str] = {
    "pixel_shape": "The file declares an impossible pixel shape; square pixels were used.",
    "clock_jumps": "The file's clock jumps; the parts were joined without the gaps.",
    "parts_joined": (
        "The file's clock jumps by {by:,.1f} s at {at:,.1f} s; the parts were joined. Jumps in the whole file: {n:.0f}."
    ),
    "truncated": "The file ends after {found:,.1f} s, though it says that it lasts {declared:,.1f} s: it was cut off.",
    "appended_unread": (
        "Another recording was appended to this file and cannot be read: the last {unread:,.1f} MB of {whole:,.1f} MB "
        "are left out."
    ),
    "shape_changes": (
        "The picture changes its shape, first at {seconds:.1f} s from {width:.0f} x {height:.0f} to {to_width:.0f} x "
        "{to_height:.0f}; each part keeps its own."
    ),
    "fields_change": "Only some pictures are interlaced (a first change at {seconds:.1f} s); they were deinterlaced.",
    "colour_changes": "The colours change their coding, first at {seconds:.1f} s; each part was converted by its own.",
    "pixels_change": "The pixels change their format, first at {seconds:.1f} s; all became the usual one.",
    "sound_changes": (
        "The sound changes its format, first at {at_clock}: channels {channels:.0f} to {to_channels:.0f}, sample rate "
        "{rate:,.0f} Hz to {to_rate:,.0f} Hz."
    ),
    "video_left_out": "Video tracks left out: {n:.0f}.",
    "audio_left_out": "Audio tracks left out: {n:.0f}.",
    "subtitle_left_out": "Subtitle tracks left out: {n:.0f}.",
    "video_encrypted": "Encrypted video tracks left out: {n:.0f}.",
    "audio_encrypted": "Encrypted audio tracks left out: {n:.0f}.",
    "audio_misread": "Audio tracks left out because this ffmpeg cannot decode their PCM: {n:.0f}.",
    "spherical": "This is a recording of all around (360 or 180 degrees); players will show it flat.",
    "stereo_beside": "This is a stereo recording; players will show its two views side by side.",
    "stereo_above": "This is a stereo recording; players will show its two views one above the other.",
    "stereo": "This is a stereo recording; players will show its two views together.",
    "not_cut": "This file cannot be cut safely, so it was encoded in one piece.",
    "cut_short": "The file is damaged: only {done:.1f} s of {whole:.1f} s of pictures could be decoded.",
    "sound_undecodable": "The sound could not be decoded; the video is silent.",
    "pictures_missing": "Pictures were missing in {n:.0f} places, the longest of {longest:.1f} s at {at_clock}.",
    "pictures_missing.one": "Pictures were missing in one place, for {longest:.1f} s at {at_clock}.",
    "pictures_repaired": "Pictures were damaged in {n:.0f} places, the longest of {longest:.1f} s at {at_clock}.",
    "pictures_repaired.one": "Pictures were damaged in one place, for {longest:.1f} s at {at_clock}.",
    "sound_missing": "Sound was missing in {n:.0f} places, the longest of {longest:.1f} s at {at_clock}.",
    "sound_missing.one": "Sound was missing in one place, for {longest:.1f} s at {at_clock}.",
}
ONE = ".one"
PLACE, CLOCK = "at", "at_clock"  # a place in the video in seconds, and the same as players show it: 72.4 s are 1:12
UNNAMED = "unnamed"  # the code of what was warned of before warnings had codes


@dataclass(frozen=True, slots=True)
class JobWarning:
    """One warning of a job: stable code, one sentence, the numbers in it by name."""

    code: str
    message: str
    values: dict[str, float] = field(default_factory=dict, hash=False)  # plans that hold warnings stay hashable


def warning(code: str, **values: float) -> JobWarning:
    """Return the warning of this code with these numbers. Raises KeyError for a code or a number that is unknown."""
    sentence = SENTENCES[code]
    if values.get("n") == 1:
        sentence = SENTENCES.get(code + ONE, sentence)
    places = {CLOCK: clock(values[PLACE])} if PLACE in values else {}
    return JobWarning(code, sentence.format(**values, **places), values)


def clock(seconds: float) -> str:
    """Return a place in a video as players show it, such as `1:05` or `2:00:31`."""
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _with_code(kept: Any) -> Any:
    """Records kept before 27 November 2026 hold sentences alone."""
    return {"code": UNNAMED, "message": kept} if isinstance(kept, str) else kept


Warnings = tuple[Annotated[JobWarning, BeforeValidator(_with_code)], ...]
