"""Subtitles in HLS playlists (RFC 8216bis): the group that all variants name, and each track's own playlist. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from storage.captions.labels import labels
from storage.captions.webvtt import SEGMENT_SECONDS, segment_count
from storage.model.plan import Plan
from storage.model.task import Results, Stage, field_of
from storage.model.timed_text import SubtitleTrack

GROUP = "subtitles"
ADDED_SEGMENT = "00000.vtt"
_FOLDER = f"{GROUP}-"
_GROUP_LINE = f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="{GROUP}"'
_NAME = re.compile(rf'{_GROUP_LINE},NAME="([^"]*)"')
_VARIANT = "#EXT-X-STREAM-INF:"
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


def with_added(master: str, added: Sequence[SubtitleTrack]) -> str:
    """Return a master playlist of ours with the tracks that were added to the job, in the group of the file's."""
    lines = master.splitlines()
    taken = [found[1] for line in lines if (found := _NAME.match(line)) is not None]
    is_first = not any(f"{_GROUP_LINE}," in line and "DEFAULT=YES" in line for line in lines)
    told = subtitle_media(added, taken, is_first=is_first)
    at = next((number for number, line in enumerate(lines) if line.startswith(_VARIANT)), len(lines))
    variants = [_in_group(line) if line.startswith(_VARIANT) else line for line in lines[at:]]
    return "\n".join([*lines[:at], *told, *variants]) + "\n"


def added_playlist(duration: float) -> str:
    """Return the playlist of an added track, which is one segment: a film's is as small as one of its pictures."""
    return "\n".join(
        [
            "#EXTM3U",
            "#EXT-X-VERSION:7",
            f"#EXT-X-TARGETDURATION:{math.ceil(duration)}",
            "#EXT-X-PLAYLIST-TYPE:VOD",
            f"#EXTINF:{duration:.6f},",
            ADDED_SEGMENT,
            "#EXT-X-ENDLIST\n",
        ]
    )


def _in_group(variant: str) -> str:
    return variant if f'SUBTITLES="{GROUP}"' in variant else f'{variant},SUBTITLES="{GROUP}"'


def subtitle_media(tracks: Sequence[SubtitleTrack], taken: Sequence[str] = (), *, is_first: bool = True) -> list[str]:
    """Return the lines of the group, one for each track. No more than one is shown by default, and no forced one is.

    Players show forced ones by themselves, with sound in the same language. What is `taken` is the name of others; the
    group has a default already unless `is_first`.
    """
    shown = next((track.id for track in tracks if is_first and track.default and not track.forced), None)
    return [_media(track, label, shown) for track, label in zip(tracks, labels(tracks, taken), strict=True)]


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
        _GROUP_LINE,
        f'NAME="{label.translate(_UNQUOTED)}"',
        *([f'LANGUAGE="{track.language}"'] if track.language else []),
        f"DEFAULT={_yes(is_so=track.id == shown)}",
        "AUTOSELECT=YES",
        f"FORCED={_yes(is_so=track.forced)}",
        *([f'CHARACTERISTICS="{_SDH}"'] if track.sdh else []),
        f'URI="{_FOLDER}{track.id}/index.m3u8"',
    ]
    return ",".join(attributes)


def _lines(duration: float) -> Iterator[str]:
    yield from ("#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{SEGMENT_SECONDS}", "#EXT-X-PLAYLIST-TYPE:VOD")
    for index in range(segment_count(duration)):
        yield f"#EXTINF:{min(SEGMENT_SECONDS, duration - index * SEGMENT_SECONDS):.6f},"
        yield f"{index:05d}.vtt"
    yield "#EXT-X-ENDLIST"


def _yes(*, is_so: bool) -> str:
    return "YES" if is_so else "NO"
