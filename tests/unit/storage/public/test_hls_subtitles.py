"""Subtitles in playlists: the group, each track's own, and what is said while they are not there."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from storage.model.plan import Plan
from storage.model.timed_text import SubtitleSource, SubtitleTrack
from storage.public.hls import playlist, playlists
from tests.support.jobs import make_plan
from tests.unit.storage.public.test_hls import results_of

TRACKS = (
    SubtitleTrack("0", "en", default=True),
    SubtitleTrack("1", "en", sdh=True, default=True),
    SubtitleTrack("2", "fr", 'Si"gns', forced=True, default=True),
    SubtitleTrack("3"),
)
MADE: dict[str, Any] = {"made": True, "tracks": [{"id": name, "cues": 1, "bytes": 9} for name in "012"], "failed": []}


def plan() -> Plan:
    """Return a plan of 100 s with these tracks."""
    sources = tuple(SubtitleSource(track, 2 + number, "subrip") for number, track in enumerate(TRACKS))
    return replace(make_plan(segments=2, frames=1500, audio=False), rate_num=30, rate_den=1, subtitles=sources)


def master(**results: dict[str, Any]) -> list[str]:
    """Return the lines of the master playlist."""
    text = playlist("master.m3u8", plan(), {**results_of(plan(), 0, sound=None), **results}, ended=False)
    assert text is not None
    return text.splitlines()


def test_the_group_is_told_before_it_is_there() -> None:
    """Players read the master playlist once. One track is shown by default, no forced one; quotes end no string."""
    sdh = "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound"
    group = '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles"'
    assert [line for line in master() if "TYPE=SUBTITLES" in line] == [
        f'{group},NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,FORCED=NO,URI="subtitles-0/index.m3u8"',
        (
            f'{group},NAME="English (SDH)",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,CHARACTERISTICS="{sdh}",'
            'URI="subtitles-1/index.m3u8"'
        ),
        (
            f'{group},NAME="French, Si\'gns (forced)",LANGUAGE="fr",DEFAULT=NO,AUTOSELECT=YES,FORCED=YES,'
            'URI="subtitles-2/index.m3u8"'
        ),
        f'{group},NAME="Subtitles",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI="subtitles-3/index.m3u8"',
    ]
    assert all('SUBTITLES="subtitles"' in line for line in master() if "STREAM-INF" in line)


def test_a_track_without_a_text_is_not_told_of_in_the_end() -> None:
    """Nor is any where none could be read, and no variant names a group that is not there."""
    told = [re.findall('URI="subtitles-(.)', line) for line in master(**{"subtitles:0": MADE}) if "SUBTITLES," in line]
    assert told == [["0"], ["1"], ["2"]]
    assert not [line for line in master(**{"subtitles:0": {"made": False}}) if "subtitles" in line]


def test_captions_that_became_tracks_are_in_no_picture() -> None:
    """Players that look there need not offer them twice. Of pictures that may have some nothing is said."""
    assert not [line for line in master() if "CLOSED-CAPTIONS" in line]
    taken = replace(plan(), subtitles=(SubtitleSource(SubtitleTrack("cc1", title="CC1", sdh=True), 0, "h264", 1),))
    text = playlist("master.m3u8", taken, results_of(taken, 0, sound=None), ended=False)
    assert text is not None
    variants = [line for line in text.splitlines() if "STREAM-INF" in line]
    assert len(variants) > 0
    assert all(line.endswith(',SUBTITLES="subtitles",CLOSED-CAPTIONS=NONE') for line in variants)
    assert 'NAME="CC1 (SDH)",DEFAULT=NO,AUTOSELECT=YES' in text


def test_a_tracks_playlist_is_whole_as_soon_as_it_is_read() -> None:
    """Until then, and for a track without a text, there is none."""
    results = results_of(plan(), 0, sound=None)
    assert playlist("subtitles-0/index.m3u8", plan(), results, ended=False) is None
    results["subtitles:0"] = MADE
    assert playlist("subtitles-3/index.m3u8", plan(), results, ended=False) is None
    assert playlist("subtitles-0/index.m3u8", plan(), results, ended=False) == (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:60\n#EXT-X-PLAYLIST-TYPE:VOD\n"
        "#EXTINF:60.000000,\n00000.vtt\n#EXTINF:40.000000,\n00001.vtt\n#EXT-X-ENDLIST\n"
    )
    assert {f"subtitles-{name}/index.m3u8" for name in "012"} <= set(
        playlists(plan(), {**results_of(plan(), 0, 1, sound=None), "subtitles:0": MADE})
    )
