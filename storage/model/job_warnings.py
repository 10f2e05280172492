"""What a viewer should know of a video that was encoded all the same. Pure.

A warning has a stable code, which pages translate, the numbers and names in it, and its sentence in English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator

from storage.sentences import filled
from storage.sentences import mark as _

# What counts `n` may have a sentence for one.
SENTENCES: Mapping[str, str] = {
    "details_missing": _("The details of this job cannot be read from the object store."),
    "pixel_shape": _("The file declares an impossible pixel shape; square pixels were used."),
    "clock_jumps": _("The file's clock jumps; the parts were joined without the gaps."),
    "parts_joined": _(
        "The file's clock jumps by %(by)s s at %(at)s s; the parts were joined. Jumps in the whole file: %(n)s."
    ),
    "truncated": _("The file ends after %(found)s s, though it says that it lasts %(declared)s s: it was cut off."),
    "appended_unread": _(
        "Another recording was appended to this file and cannot be read: the last %(unread)s MB of %(whole)s MB are "
        "left out."
    ),
    "shape_changes": _(
        "The picture changes its shape, first at %(seconds)s s from %(width)s x %(height)s to %(to_width)s x "
        "%(to_height)s; each part keeps its own."
    ),
    "fields_change": _("Only some pictures are interlaced (a first change at %(seconds)s s); they were deinterlaced."),
    "colour_changes": _("The colours change their coding, first at %(seconds)s s; each part was converted by its own."),
    "pixels_change": _("The pixels change their format, first at %(seconds)s s; all became the usual one."),
    "sound_changes": _(
        "The sound changes its format, first at %(at_clock)s: channels %(channels)s to %(to_channels)s, sample rate "
        "%(rate)s Hz to %(to_rate)s Hz."
    ),
    "video_left_out": _("Video tracks left out: %(n)s."),
    "audio_left_out": _("Audio tracks left out: %(n)s."),
    "subtitle_left_out": _("Subtitle tracks left out: %(n)s."),
    "subtitle_jumps": _("Subtitle tracks left out because the file's clock jumps: %(n)s."),
    "chapters_left_out": _("Chapters left out because the file's clock jumps: %(n)s."),
    "subtitle_pictures": _("Subtitles made of pictures left out: %(languages)s."),
    "subtitle_unreadable": _("Subtitles that could not be read: %(names)s."),
    "video_encrypted": _("Encrypted video tracks left out: %(n)s."),
    "audio_encrypted": _("Encrypted audio tracks left out: %(n)s."),
    "audio_misread": _("Audio tracks left out because this ffmpeg cannot decode their PCM: %(n)s."),
    "codec_left_out": _("Tracks left out because their codecs are not supported here: %(codecs)s."),
    "codec_left_out.one": _("A track was left out because its codec is not supported here: %(codecs)s."),
    "spherical": _("This is a recording of all around (360 or 180 degrees); players will show it flat."),
    "stereo_beside": _("This is a stereo recording; players will show its two views side by side."),
    "stereo_above": _("This is a stereo recording; players will show its two views one above the other."),
    "stereo": _("This is a stereo recording; players will show its two views together."),
    "not_cut": _("This file cannot be cut safely, so it was encoded in one piece."),
    "cut_short": _("The file is damaged: only %(done)s s of %(whole)s s of pictures could be decoded."),
    "audio_undecodable": _("Audio track %(number)s (%(label)s) could not be decoded and is left out."),
    "loudness_limited": _(
        "The sound of %(label)s is %(by)s LU below %(wanted)s LUFS, as its peaks allow it to be no louder."
    ),
    "loudness_unknown": _("The loudness of %(label)s could not be measured, so it was left as it is."),
    "sound_undecodable": _("The sound could not be decoded; the video is silent."),
    "pictures_missing": _("Pictures were missing in %(n)s places, the longest of %(longest)s s at %(at_clock)s."),
    "pictures_missing.one": _("Pictures were missing in one place, for %(longest)s s at %(at_clock)s."),
    "pictures_repaired": _("Pictures were damaged in %(n)s places, the longest of %(longest)s s at %(at_clock)s."),
    "pictures_repaired.one": _("Pictures were damaged in one place, for %(longest)s s at %(at_clock)s."),
    "sound_missing": _("Sound was missing in %(n)s places, the longest of %(longest)s s at %(at_clock)s."),
    "sound_missing.one": _("Sound was missing in one place, for %(longest)s s at %(at_clock)s."),
}
ONE = ".one"
UNNAMED = "unnamed"  # the code of what was warned of before warnings had codes


@dataclass(frozen=True, slots=True)
class JobWarning:
    """One warning of a job: stable code, one sentence, the numbers in it by name; names of codecs as well."""

    code: str
    message: str
    # Not in the hash: plans that hold warnings stay hashable.
    values: dict[str, int | float | str] = field(default_factory=dict, hash=False)


def warning(code: str, **values: float | str) -> JobWarning:
    """Return the warning of this code with these values. Raises KeyError for a code or a value that is unknown."""
    sentence = SENTENCES[code]
    if values.get("n") == 1:
        sentence = SENTENCES.get(code + ONE, sentence)
    return JobWarning(code, filled(sentence, values), values)


def _with_code(kept: Any) -> Any:
    """Records kept before 27 November 2026 hold sentences alone."""
    return {"code": UNNAMED, "message": kept} if isinstance(kept, str) else kept


Warnings = tuple[Annotated[JobWarning, BeforeValidator(_with_code)], ...]
