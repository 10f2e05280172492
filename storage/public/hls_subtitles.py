"""Subtitles in HLS playlists (RFC 8216bis): the group that all variants name, and each track's own playlist. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from storage.captions.labels import labels
from storage.captions.webvtt import SEGMENT_SECONDS, segment_count
from storage.model.plan import Plan
from storage.model.task import Results, Stage, field_of
from storage.model.timed_text import SubtitleTrack

GROUP = "subtitles"
_FOLDER = f"{GROUP}-"
_SDH = "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound"
# What a quoted string may not hold (section 4.2); other text of titles is cleaned when the file is planned.
_UNQUOTED = str.maketrans({'"': "'", "\n": " ", "\r": " "})


def listed_tracks(plan: Plan, results: Results) -> tuple[SubtitleTrack, ...]:
    """Return the tracks that the master playlist names: those of the plan, and once they are read those with a text.

    Players read that playlist once, so it names them before they are there.
    """
    result = results.get(field_of(Stage.SUBTITLES))
    made = None if result is None else {track["id"] for track in result.get("tracks", ())}
    return tuple(source.track for source in plan.subtitles if made is None or source.track.id in made)


def subtitle_media(tracks: Sequence[SubtitleTrack]) -> list[str]:
    """Return the lines of the group, one for each track. No more than one is shown by default, and no forced one is.

    Players show forced ones by themselves, with sound in the same language.
    """
    shown = next((track.id for track in tracks if track.default and not track.forced), None)
    return [_media(track, label, shown) for track, label in zip(tracks, labels(tracks), strict=True)]


def track_of_folder(folder: str) -> str | None:
    """Return the id of the track whose playlist and segments lie in a folder of this name, None where none do."""
    return folder.removeprefix(_FOLDER) if folder.startswith(_FOLDER) else None


def subtitle_playlist(track_id: str, plan: Plan, results: Results) -> str | None:
    """Return a track's playlist, whole as soon as the track is read; None until then, and where it has no text."""
    result = results.get(field_of(Stage.SUBTITLES), {})
    if track_id not in {track["id"] for track in result.get("tracks", ())}:
        return None
    return "\n".join(_lines(plan.duration)) + "\n"


def _media(track: SubtitleTrack, label: str, shown: str | None) -> str:
    attributes = [
        "TYPE=SUBTITLES",
        f'GROUP-ID="{GROUP}"',
        f'NAME="{label.translate(_UNQUOTED)}"',
        *([f'LANGUAGE="{track.language}"'] if track.language else []),
        f"DEFAULT={_yes(is_so=track.id == shown)}",
        "AUTOSELECT=YES",
        f"FORCED={_yes(is_so=track.forced)}",
        *([f'CHARACTERISTICS="{_SDH}"'] if track.sdh else []),
        f'URI="{_FOLDER}{track.id}/index.m3u8"',
    ]
    return f"#EXT-X-MEDIA:{','.join(attributes)}"


def _lines(duration: float) -> Iterator[str]:
    yield from ("#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{SEGMENT_SECONDS}", "#EXT-X-PLAYLIST-TYPE:VOD")
    for index in range(segment_count(duration)):
        yield f"#EXTINF:{min(SEGMENT_SECONDS, duration - index * SEGMENT_SECONDS):.6f},"
        yield f"{index:05d}.vtt"
    yield "#EXT-X-ENDLIST"


def _yes(*, is_so: bool) -> str:
    return "YES" if is_so else "NO"
