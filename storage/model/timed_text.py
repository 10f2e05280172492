"""What is told beside pictures and sound at its times: chapters and subtitles. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

# A film has thirty, a lecture or a day of a conference two hundred. All of them go with each event of a job.
MOST_CHAPTERS = 1000
MOST_SUBTITLES = 32  # a disc has so many; each is a menu entry for a viewer and a file for a player
SUBTITLE_ID = "[a-z0-9]{1,16}"  # the form of a track's id: it stands in keys and addresses


@dataclass(frozen=True, slots=True)
class Chapter:
    """A named stretch of the job's timeline, in seconds; `title` is empty where the source has none."""

    start: float
    end: float
    title: str


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    """Subtitles as a viewer chooses them.

    `language` is a BCP 47 tag, `title` what a person called the track, both empty where nobody told. `default` tracks
    are shown unless a viewer chooses otherwise, `forced` ones translate only what is foreign in a film, `sdh` ones tell
    sounds as well. `version` counts how often another file took its place.
    """

    id: str
    language: str = ""
    title: str = ""
    default: bool = False
    forced: bool = False
    sdh: bool = False
    version: int = 0


@dataclass(frozen=True, slots=True)
class SubtitleSource:
    """A stream in the original whose text becomes a track; its codec in ffmpeg's name.

    The text is that of a stream of its own, or a `channel` of captions, 1 to 4, in the data of the pictures.
    """

    track: SubtitleTrack
    stream: int
    codec: str
    channel: int = 0


def is_subtitle_id(text: str) -> bool:
    """Tell whether the text has the form of a track's id."""
    return re.fullmatch(SUBTITLE_ID, text) is not None
