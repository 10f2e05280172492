"""What tracks of subtitles are called in menus and playlists. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from storage.model.languages import language_name
from storage.model.shown_text import told_apart
from storage.model.timed_text import SubtitleTrack

_NAMELESS = "Subtitles"


def labels(tracks: Iterable[SubtitleTrack], taken: Iterable[str] = ()) -> list[str]:
    """Return a label for each track, such as `English (SDH)`; no two are alike, nor like one that is `taken`."""
    return told_apart(map(_label, tracks), taken)


def _label(track: SubtitleTrack) -> str:
    name = language_name(track.language)
    parts = [name] if track.title.casefold() in name.casefold() else [name, track.title]
    told = " ".join(parts).casefold()
    marks = [("SDH", track.sdh and "sdh" not in told), ("forced", track.forced and "forced" not in told)]
    words = [f"({mark})" for mark, is_missing in marks if is_missing]
    return " ".join([", ".join(filter(None, parts)) or _NAMELESS, *words])
