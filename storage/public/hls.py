"""HLS playlists (RFC 8216bis) as pure text, made from a job's plan and results: they grow while the job encodes.

Names are relative to the job's `hls/` folder: `master.m3u8`, `<rung>/index.m3u8`, `audio/index.m3u8` and, of further
tracks of sound, `audio-1/index.m3u8` and so on; `audio-surround/index.m3u8` is the version in 5.1 of the first.
`subtitles-<id>/index.m3u8` is made by `hls_subtitles`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from storage.model.plan import AUDIO, Plan, Rung
from storage.model.task import Results, Stage, field_of, sounds_of
from storage.public.hls_subtitles import GROUP, listed_tracks, subtitle_media, subtitle_playlist, track_of_folder
from storage.public.sound_tracks import Rendition, sound_groups

MASTER = "master.m3u8"
# The sound's parts last at most so long, rounded to whole seconds: all playlists of a job share one target duration.
AUDIO_PART_SECONDS = 4
_INDEX = "index.m3u8"
# RFC 8216bis gives accessibility such names: this one is of sound that also says what is to be seen.
DESCRIBES = "public.accessibility.describes-video"
_VERSION = 7  # fragments in fMP4 with EXT-X-MAP
_MICRO = 10**6  # EXTINF is written in microseconds


@dataclass(frozen=True, slots=True)
class Fragment:
    """One piece a player fetches: `length` bytes of the object `name` beside the playlist from `offset` on.

    `start` and `end` are seconds on the job's timeline, exact.
    """

    name: str
    offset: int
    length: int
    start: Fraction
    end: Fraction


def playlists(plan: Plan, results: Results) -> dict[str, str]:
    """Return all playlists of a job that is encoded, by name."""
    texts = (f"{GROUP}-{track.id}" for track in listed_tracks(plan, results))
    folders = (*_sound_names(plan, results), *(rung.name for rung in plan.rungs), *texts)
    names = (MASTER, *(f"{folder}/{_INDEX}" for folder in folders))
    made = ((name, playlist(name, plan, results, ended=True)) for name in names)
    return {name: text for name, text in made if text is not None}


def playlist(name: str, plan: Plan, results: Results, *, ended: bool) -> str | None:
    """Return one playlist as it is now, None while (or where) there is no such one.

    `results` are the job's results by task field, `ended` tells that everything is encoded.
    """
    if not _playable(plan, results):
        return None
    if name == MASTER:
        return _master(plan, results, ended=ended)
    folder, _, file = name.partition("/")
    if file != _INDEX:
        return None
    if (track_id := track_of_folder(folder)) is not None:
        return subtitle_playlist(track_id, plan, results)
    return _fragments_of(folder, plan, results, ended=ended)


def _fragments_of(folder: str, plan: Plan, results: Results, *, ended: bool) -> str | None:
    if folder in _sound_names(plan, results):
        is_complete = results[field_of(Stage.AUDIO)].get("complete", False)
        return _media(plan, tuple(audio_fragments(results, folder)), ended=ended or is_complete)
    if folder not in {rung.name for rung in plan.rungs}:
        return None
    return _media(plan, tuple(rung_fragments(plan, results, folder)), ended=ended)


def rung_fragments(plan: Plan, results: Results, rung: str) -> Iterator[Fragment]:
    """Yield a rung's fragments of the segments that are there without a gap, from the first one on."""
    rate, at, end = plan.rate, Fraction(0), 0
    for index in range(plan.segment_count):
        result = results.get(field_of(Stage.SEGMENT, index))
        if result is None:
            return
        # Fewer frames than planned are those of a damaged file, which is one segment.
        begin, end, offset = end, end + result["frames"], 0
        firsts = range(begin, end, plan.fragment_frames)
        for first, length in zip(firsts, result["rungs"][rung]["fragments"], strict=True):
            start, at = at, min(first + plan.fragment_frames, end) / rate
            yield Fragment(f"{index:05d}.m4s", offset, length, start, at)
            offset += length


def audio_fragments(results: Results, name: str = AUDIO) -> Iterator[Fragment]:
    """Yield the parts of a track of sound that are there; none for one that is not, or cannot be, made."""
    start = Fraction(0)
    for index, part in enumerate(sounds_of(results).get(name, {}).get("parts", ())):
        end = start + Fraction(part["seconds"])
        yield Fragment(f"{index:05d}.m4s", 0, part["bytes"], start, end)
        start = end


def target_duration(plan: Plan) -> int:
    """Return how long a fragment of the plan may last in whole seconds; it must not change while players reload."""
    longest = min(plan.fragment_frames, plan.frames) / plan.rate
    return max(math.ceil(longest), AUDIO_PART_SECONDS if plan.audio else 1)


def _playable(plan: Plan, results: Results) -> bool:
    """Tell whether the first segment is there and, with sound, its first part: those of all tracks come together."""
    silent = not plan.audio or results.get(field_of(Stage.AUDIO), {}).get("made") is False
    return field_of(Stage.SEGMENT, 0) in results and (silent or bool(sound_groups(plan, results)))


def _media(plan: Plan, fragments: tuple[Fragment, ...], *, ended: bool) -> str:
    lines = [
        *_head(),
        f"#EXT-X-TARGETDURATION:{target_duration(plan)}",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}",
        # Or players would take a growing playlist for a broadcast and begin near its end. Not in the master playlist,
        # where ffmpeg reads it as a playlist of its own and finds every stream twice.
        "#EXT-X-START:TIME-OFFSET=0",
        '#EXT-X-MAP:URI="init.mp4"',
    ]
    at = 0
    for fragment in fragments:
        # Differences of rounded times: rounded durations would drift from the timeline over a long film.
        before, at = at, round(fragment.end * _MICRO)
        micro = at - before
        lines += [
            f"#EXTINF:{micro // _MICRO}.{micro % _MICRO:06d},",
            f"#EXT-X-BYTERANGE:{fragment.length}@{fragment.offset}",
            fragment.name,
        ]
    return _text(lines, ended=ended)


def _sound_names(plan: Plan, results: Results) -> dict[str, None]:
    """Return the names of all sounds that players may fetch, in their order."""
    groups = sound_groups(plan, results).values()
    return dict.fromkeys(rendition.name for renditions in groups for rendition in renditions)


def _master(plan: Plan, results: Results, *, ended: bool) -> str:
    groups = sound_groups(plan, results)
    sounds = (line for group, renditions in groups.items() for line in _sounds(group, renditions))
    lines = [*_head(), *sounds, *subtitle_media(listed_tracks(plan, results))]
    for rung in plan.rungs:
        for group, renditions in (groups or {"": ()}).items():
            lines += [_variant(plan, results, rung, (group, renditions), ended=ended), f"{rung.name}/{_INDEX}"]
    return _text(lines, ended=False)


def _sounds(group: str, renditions: Iterable[Rendition]) -> Iterator[str]:
    """Yield an EXT-X-MEDIA for each track of the group.

    Players choose by themselves among those that differ in language or in what they are for; the others, and
    comments, are for people to choose (RFC 8216bis, 4.4.6.2).
    """
    told = set[tuple[str, bool]]()
    for one in renditions:
        audio, describes = one.track.audio, one.track.audio.role == "visual_impaired"
        is_default = not told
        by_itself = is_default or ((audio.language, describes) not in told and audio.role != "comment")
        told.add((audio.language, describes))
        attributes = [
            f'TYPE=AUDIO,GROUP-ID="{group}",NAME="{one.track.label}"',
            *([f'LANGUAGE="{audio.language}"'] if audio.language else []),
            f"DEFAULT={_flag(is_default)},AUTOSELECT={_flag(by_itself)}",
            *([f'CHARACTERISTICS="{DESCRIBES}"'] if describes else []),
            f'CHANNELS="{one.channels}",URI="{one.name}/{_INDEX}"',
        ]
        yield f"#EXT-X-MEDIA:{','.join(attributes)}"


def _flag(holds: object) -> str:
    return "YES" if holds else "NO"


def _variant(plan: Plan, results: Results, rung: Rung, sounds: tuple[str, Iterable[Rendition]], *, ended: bool) -> str:
    """Return the EXT-X-STREAM-INF of a rung with a group of `sounds`, by its name; a silent video has a nameless one.

    The average is told once it cannot change any more.
    """
    group, renditions = sounds
    made, target = sounds_of(results), target_duration(plan)
    pictures = tuple(rung_fragments(plan, results, rung.name))
    heard = {one: tuple(audio_fragments(results, one.name)) for one in renditions}
    codecs = [results[field_of(Stage.SEGMENT, 0)]["rungs"][rung.name]["codec"]]
    codecs += sorted({made[one.name]["codec"] for one in heard})
    # Whichever track is chosen: the one that takes most.
    most = max((max(one.bitrate, _peak(parts, target)) for one, parts in heard.items()), default=0)
    attributes = [f"BANDWIDTH={max(rung.maxrate, _peak(pictures, target)) + most}"]
    if ended:
        average = max(map(_average, heard.values()), default=0)
        attributes.append(f"AVERAGE-BANDWIDTH={_average(pictures) + average}")
    attributes += [
        f'CODECS="{",".join(codecs)}"',
        f"RESOLUTION={rung.width}x{rung.height}",
        f"FRAME-RATE={float(plan.rate):.3f}",
        *([f'AUDIO="{group}"'] if group else []),
        *([f'SUBTITLES="{GROUP}"'] if listed_tracks(plan, results) else []),
        # Else players that look for captions in the pictures offer them beside the tracks.
        *(["CLOSED-CAPTIONS=NONE"] if plan.takes_captions else []),
    ]
    return f"#EXT-X-STREAM-INF:{','.join(attributes)}"


def _peak(fragments: tuple[Fragment, ...], target: int) -> int:
    """Return the highest rate of a fragment in bits/s; those below half the target duration do not count as such."""
    rates = (_average((part,)) for part in fragments if part.end - part.start >= Fraction(target, 2))
    return max(rates, default=0)


def _average(fragments: tuple[Fragment, ...]) -> int:
    """Return the rate of all fragments together in bits/s."""
    if not fragments:
        return 0
    return math.ceil(sum(part.length for part in fragments) * 8 / (fragments[-1].end - fragments[0].start))


def _head() -> list[str]:
    return ["#EXTM3U", f"#EXT-X-VERSION:{_VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]


def _text(lines: list[str], *, ended: bool) -> str:
    return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if ended else [])]) + "\n"
