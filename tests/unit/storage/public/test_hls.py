"""HLS playlists: what stands in them at each moment, and properties that hold for every plan."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.plan import Plan
from storage.public.hls import AUDIO_PART_SECONDS, audio_fragments, playlist, playlists, rung_fragments, target_duration
from tests.support.jobs import SOUND as TRACK
from tests.support.jobs import make_plan

RATES = [(24, 1), (24_000, 1001), (25, 1), (30_000, 1001), (60_000, 1001), (60, 1), (12, 1)]
SOUND: dict[str, Any] = {
    "made": True,
    "codec": "mp4a.40.2",
    "complete": False,
    "parts": [{"bytes": 64_000, "seconds": 4.010667}, {"bytes": 64_500, "seconds": 3.989333}],
}


def encoded(plan: Plan, index: int, *, frames: int | None = None, scale: int = 1000) -> dict[str, Any]:
    """Return the result of a segment, each fragment another length."""
    frames = plan.frames // plan.segment_count if frames is None else frames
    count = -(-frames // plan.fragment_frames)
    sizes = [scale * (index + 1) + number for number in range(count)]
    rungs = {rung.name: {"codec": "avc1.64001f", "fragments": sizes} for rung in plan.rungs}
    return {"frames": frames, "seconds": 1.0, "rungs": rungs}


def results_of(plan: Plan, *indices: int, sound: dict[str, Any] | None = SOUND) -> dict[str, Any]:
    """Return the results of some segments and, so far, of the sound."""
    results = {f"segment:{index}": encoded(plan, index) for index in indices}
    return results if sound is None else {**results, "audio:0": sound}


@st.composite
def films(draw: st.DrawFn) -> tuple[Plan, dict[str, Any]]:
    """Return a plan of any rate and the results of its segments, which tile any number of frames."""
    num, den = draw(st.sampled_from(RATES))
    lengths = draw(st.lists(st.integers(1, 700), min_size=1, max_size=12))
    plan = replace(
        make_plan(segments=len(lengths), audio=draw(st.booleans())),
        rate_num=num,
        rate_den=den,
        frames=sum(lengths),
        fragment_frames=draw(st.integers(1, 260)),
    )
    results = {f"segment:{index}": encoded(plan, index, frames=frames) for index, frames in enumerate(lengths)}
    return plan, {**results, "audio:0": SOUND}


def tags(text: str, name: str) -> list[str]:
    """Return the values of a tag."""
    return re.findall(rf"^#{name}:(.*)$", text, re.MULTILINE)


def test_a_media_playlist_word_by_word() -> None:
    """Fragments of the first two segments, the last one of each shorter; growing."""
    plan = replace(make_plan(segments=3, frames=120, audio=False), rate_num=24, rate_den=1)
    text = playlist("480p/index.m3u8", plan, results_of(plan, 0, 1, sound=None), ended=False)
    assert text == (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-TARGETDURATION:3\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-START:TIME-OFFSET=0\n"
        '#EXT-X-MAP:URI="init.mp4"\n'
        "#EXTINF:2.083333,\n#EXT-X-BYTERANGE:1000@0\n00000.m4s\n"
        "#EXTINF:2.083334,\n#EXT-X-BYTERANGE:1001@1000\n00000.m4s\n"
        "#EXTINF:0.833333,\n#EXT-X-BYTERANGE:1002@2001\n00000.m4s\n"
        "#EXTINF:2.083333,\n#EXT-X-BYTERANGE:2000@0\n00001.m4s\n"
        "#EXTINF:2.083334,\n#EXT-X-BYTERANGE:2001@2000\n00001.m4s\n"
        "#EXTINF:0.833333,\n#EXT-X-BYTERANGE:2002@4001\n00001.m4s\n"
    )


def test_a_master_playlist_word_by_word() -> None:
    """Every rung with its sound; the peak is the cap, or what was measured above it."""
    plan = make_plan(segments=2)
    text = playlist("master.m3u8", plan, results_of(plan, 0), ended=False)
    assert text == (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Audio",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",'
        'URI="audio/index.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=6129345,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1920x1080,'
        'FRAME-RATE=29.970,AUDIO="audio"\n1080p/index.m3u8\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=1629345,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=854x480,'
        'FRAME-RATE=29.970,AUDIO="audio"\n480p/index.m3u8\n'
    )


def with_tracks(*fields: dict[str, Any]) -> Plan:
    """Return a plan of one segment with these tracks of sound."""
    return replace(make_plan(segments=1), audio=tuple(replace(TRACK, **told) for told in fields))


def test_all_tracks_are_one_group() -> None:
    """The first plays by default; players choose by themselves only what differs, and never a comment."""
    plan = with_tracks(
        {"language": "de"},
        {"language": "en", "channels": 1},
        {"language": "en", "role": "visual_impaired"},
        {"language": "en", "title": 'Who "they" are', "role": "comment"},
        {},
        {"language": "de"},
    )
    further = {f"audio-{number}": {**SOUND, "parts": SOUND["parts"][:1]} for number in (1, 2, 3, 4, 5)}
    text = playlist("master.m3u8", plan, results_of(plan, 0, sound={**SOUND, "tracks": further}), ended=False) or ""
    of_two = [f'CHANNELS="2",URI="audio-{number}/index.m3u8"' for number in range(6)]
    describes = 'CHARACTERISTICS="public.accessibility.describes-video"'
    assert tags(text, "EXT-X-MEDIA") == [
        f'TYPE=AUDIO,GROUP-ID="audio",{told}'
        for told in (
            'NAME="German",LANGUAGE="de",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio/index.m3u8"',
            'NAME="English",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="1",URI="audio-1/index.m3u8"',
            f'NAME="English, audio description",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,{describes},{of_two[2]}',
            f'NAME="English, Who \'they\' are",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=NO,{of_two[3]}',
            f'NAME="Audio",DEFAULT=NO,AUTOSELECT=YES,{of_two[4]}',
            f'NAME="German 2",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=NO,{of_two[5]}',
        )
    ]
    assert playlist("audio-5/index.m3u8", plan, results_of(plan, 0), ended=False) is None
    assert playlist("audio-6/index.m3u8", plan, results_of(plan, 0), ended=False) is None


def test_surround_is_a_group_of_its_own() -> None:
    """Of the same tracks, as they are where they have no 5.1; each rung is a variant with either."""
    plan = with_tracks({"language": "de", "surround_bitrate": 384_000}, {"language": "en"})
    wide = {"codec": "mp4a.40.2", "parts": [{"bytes": 200_000, "seconds": 4.0}]}
    results = results_of(plan, 0, sound={**SOUND, "tracks": {"audio-1": SOUND, "audio-surround": wide}})
    made = playlists(plan, results)
    assert {"audio/index.m3u8", "audio-1/index.m3u8", "audio-surround/index.m3u8"} < made.keys()
    medias = [re.sub(r'GROUP-ID="[a-z]+",', "", media) for media in tags(made["master.m3u8"], "EXT-X-MEDIA")]
    assert len(medias) == 4
    assert medias[2] == medias[0].replace('CHANNELS="2"', 'CHANNELS="6"').replace("audio/index", "audio-surround/index")
    assert medias[3] == medias[1]
    variants = tags(made["master.m3u8"], "EXT-X-STREAM-INF")
    assert re.findall(r"(\w+)/index.m3u8$", made["master.m3u8"], re.MULTILINE) == ["1080p", "1080p", "480p", "480p"]
    assert [re.findall(r'AUDIO="(\w+)"', variant) for variant in variants] == [["audio"], ["surround"]] * 2
    rates = [int(re.findall(r"^BANDWIDTH=(\d+)", variant)[0]) for variant in variants]
    assert rates == [6_129_345, 6_400_000, 1_629_345, 1_900_000]


def test_a_track_that_could_not_be_made_is_not_mentioned() -> None:
    """The next one plays by default then; the variants have the rate of the one that takes most."""
    plan = with_tracks({"language": "de"}, {"language": "en"}, {"language": "ko"})
    louder = {**SOUND, "parts": [{"bytes": 100_000, "seconds": 4.0}]}
    results = results_of(plan, 0, sound={**SOUND, "codec": "", "parts": [], "tracks": {"audio-2": louder}})
    made = playlists(plan, results)
    assert sorted(made) == ["1080p/index.m3u8", "480p/index.m3u8", "audio-2/index.m3u8", "master.m3u8"]
    (media,) = tags(made["master.m3u8"], "EXT-X-MEDIA")
    assert media.endswith('LANGUAGE="ko",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio-2/index.m3u8"')
    assert all(",mp4a.40.2" in variant for variant in tags(made["master.m3u8"], "EXT-X-STREAM-INF"))
    assert f"BANDWIDTH={6_000_000 + 200_000}," in made["master.m3u8"]


def test_the_peak_is_never_told_too_low() -> None:
    """A fragment above the cap raises the bandwidth; the average comes when nothing can change it any more."""
    plan = make_plan(segments=1, audio=False)
    results = {"segment:0": encoded(plan, 0, scale=3_000_000)}
    rate = 3_000_001 * 8 * plan.rate / 50
    master = playlist("master.m3u8", plan, results, ended=True) or ""
    for variant in tags(master, "EXT-X-STREAM-INF"):
        assert variant.startswith(f"BANDWIDTH={-(-rate // 1)},AVERAGE-BANDWIDTH=")
        assert 0 < int(re.findall(r"AVERAGE-BANDWIDTH=(\d+)", variant)[0]) <= rate


@pytest.mark.parametrize(
    ("done", "sound", "there"),
    [
        ((), SOUND, False),
        ((1,), SOUND, False),
        ((0,), None, False),
        ((0,), {"made": True, "codec": "mp4a.40.2", "complete": False, "parts": []}, False),
        ((0,), SOUND, True),
        ((0,), {"made": False, "detail": "no packet"}, True),
    ],
)
def test_playlists_exist_from_the_first_segment_and_the_first_sound_on(
    done: tuple[int, ...], sound: dict[str, Any] | None, *, there: bool
) -> None:
    """Before, there is none of them; sound that cannot be made is not waited for."""
    plan = make_plan(segments=2)
    results = results_of(plan, *done, sound=sound)
    for name in ("master.m3u8", "1080p/index.m3u8"):
        assert (playlist(name, plan, results, ended=False) is not None) == there


def test_sound_that_cannot_be_made_is_not_mentioned() -> None:
    """The master has no group, no codec of it, and there is no playlist of sound."""
    plan = make_plan(segments=1)
    made = playlists(plan, results_of(plan, 0, sound={"made": False}))
    assert sorted(made) == ["1080p/index.m3u8", "480p/index.m3u8", "master.m3u8"]
    assert "AUDIO" not in made["master.m3u8"]
    assert "mp4a" not in made["master.m3u8"]


@pytest.mark.parametrize("name", ["360p/index.m3u8", "480p/other.m3u8", "index.m3u8", "480p", "", "audio/master.m3u8"])
def test_there_are_no_other_playlists(name: str) -> None:
    """Names outside the plan have no playlist."""
    plan = make_plan(segments=1)
    assert playlist(name, plan, results_of(plan, 0), ended=True) is None


def test_segments_behind_a_gap_wait() -> None:
    """Only what can be played from the beginning without a gap is listed."""
    plan = make_plan(segments=5)
    text = playlist("480p/index.m3u8", plan, results_of(plan, 0, 1, 3, 4), ended=False) or ""
    assert set(re.findall(r"^\d+\.m4s$", text, re.MULTILINE)) == {"00000.m4s", "00001.m4s"}


def test_complete_sound_is_closed_before_the_pictures_are() -> None:
    """The sound is mostly done long before the pictures: players need not ask for it any more."""
    plan = make_plan(segments=2)
    results = results_of(plan, 0, sound={**SOUND, "complete": True})
    assert "#EXT-X-ENDLIST" in (playlist("audio/index.m3u8", plan, results, ended=False) or "")
    assert "#EXT-X-ENDLIST" not in (playlist("480p/index.m3u8", plan, results, ended=False) or "")


def test_a_damaged_file_ends_where_its_pictures_do() -> None:
    """Fewer frames than planned give fewer and shorter fragments."""
    plan = make_plan(segments=1, frames=200, audio=False)
    results = {"segment:0": encoded(plan, 0, frames=120)}
    assert [part.end * plan.rate for part in rung_fragments(plan, results, "480p")] == [50, 100, 120]


@given(films())
def test_fragments_tile_timeline_and_objects(film: tuple[Plan, dict[str, Any]]) -> None:
    """Each rung's fragments cover all frames once, and their ranges cover each object's bytes once."""
    plan, results = film
    found = tuple(rung_fragments(plan, results, "480p"))
    assert found[0].start == 0
    assert found[-1].end == plan.frames / plan.rate
    for one, other in pairwise(found):
        assert one.end == other.start
        assert other.offset == (one.offset + one.length if one.name == other.name else 0)
    for index in range(plan.segment_count):
        lengths = [part.length for part in found if part.name == f"{index:05d}.m4s"]
        assert sum(lengths) == sum(results[f"segment:{index}"]["rungs"]["480p"]["fragments"])


@given(films())
def test_written_durations_do_not_drift(film: tuple[Plan, dict[str, Any]]) -> None:
    """The durations as written sum to the timeline, to half a microsecond, and none is above the target duration."""
    plan, results = film
    text = playlist("480p/index.m3u8", plan, results, ended=True) or ""
    durations = [Decimal(value.rstrip(",")) for value in tags(text, "EXTINF")]
    assert abs(Fraction(sum(durations)) - plan.frames / plan.rate) <= Fraction(1, 2_000_000)
    assert max(round(duration) for duration in durations) <= int(tags(text, "EXT-X-TARGETDURATION")[0])


@given(films(), st.data())
def test_a_growing_playlist_is_only_appended_to(film: tuple[Plan, dict[str, Any]], data: st.DataObject) -> None:
    """Whatever finishes next, what players have read stays as it was (RFC 8216bis, 6.2.1)."""
    plan, whole = film
    order = data.draw(st.permutations(range(1, plan.segment_count)))
    results = {field: whole[field] for field in ("segment:0", "audio:0")}
    before = playlist("480p/index.m3u8", plan, results, ended=False) or ""
    for index in order:
        results[f"segment:{index}"] = whole[f"segment:{index}"]
        after = playlist("480p/index.m3u8", plan, results, ended=False) or ""
        assert after.startswith(before)
        before = after
    ended = playlist("480p/index.m3u8", plan, results, ended=True)
    assert ended == before.replace("TYPE:EVENT", "TYPE:VOD") + "#EXT-X-ENDLIST\n"


def test_all_playlists_share_one_target_duration() -> None:
    """Sound and pictures of a job have the same target, and no part of the sound is above it."""
    plan = make_plan(segments=1)
    made = playlists(plan, results_of(plan, 0))
    targets = {tags(text, "EXT-X-TARGETDURATION")[0] for name, text in made.items() if name != "master.m3u8"}
    assert targets == {str(target_duration(plan))} == {str(AUDIO_PART_SECONDS)}
    assert [round(float(part.end - part.start)) for part in audio_fragments(results_of(plan, 0))] == [4, 4]
