"""Which tracks of sound are taken, and when two of them are one sound."""

from __future__ import annotations

from typing import Any

import pytest

from storage.model.plan import MOST_SOUNDS, AudioSource
from tests.support import listings
from workers.planning.audio import SURROUND_BITRATE
from workers.planning.facts import parse_probe
from workers.planning.sources import audio_sources, sources_of


def track(index: int, **fields: Any) -> dict[str, Any]:
    """Return ffprobe's description of a track of one channel, fields replaced."""
    known = {"codec_type": "audio", "codec_name": "pcm_s24le", "channels": 1, "sample_rate": "48000"}
    return {"index": index, **known, "sample_fmt": "s32", "channel_layout": "mono", "duration": "10.0", **fields}


def planned(*tracks: dict[str, Any], begins: float = 0.0) -> tuple[AudioSource, ...]:
    """Return the sounds of a file with these tracks, each of which has a packet; the last one `begins` then."""
    probe = parse_probe({"streams": [PICTURE, *tracks], "format": {}})
    (video, *_) = probe.streams
    last = len(tracks)
    packets = [listings.sound(begins if one.index == last else 0.0, 0.1, index=one.index) for one in probe.streams[1:]]
    sources = sources_of(probe, video, listings.interleaved(listings.pictures([0.0, 0.04]), *packets))
    return audio_sources(probe, video, sources, (), 0.0)


PICTURE = {"index": 0, "codec_type": "video", "codec_name": "h264"}
ENGLISH, GERMAN = {"language": "eng"}, {"language": "deu"}
EVERYTHING, MICROPHONE = {"title": "Everything"}, {"title": "Mic only"}
LEFT, RIGHT = {"title": "Audio Left"}, {"title": "Audio Right"}
HANDLER = {"handler_name": "SoundHandler"}


@pytest.mark.parametrize(
    ("tracks", "right"),
    [
        ([track(1)], None),
        ([track(1), track(2)], 2),
        ([track(n, disposition={"default": int(n == 1)}) for n in range(1, 9)], 2),
        ([track(1, tags=ENGLISH), track(2, tags=ENGLISH)], 2),
        ([track(1, tags=ENGLISH), track(2, tags=GERMAN)], None),
        ([track(1), track(2), track(3, channels=2)], None),
        ([track(1), track(2, disposition={"default": 1})], None),
        ([track(1), track(2, duration="4.0")], None),
        ([track(1), track(2, codec_name="aac")], None),
        ([track(1), track(2, sample_rate="44100")], None),
        ([track(1), track(2, sample_fmt="")], None),
        ([track(1, tags=EVERYTHING), track(2, tags=MICROPHONE)], None),
        ([track(1, tags=EVERYTHING), track(2)], None),
        ([track(1, tags=LEFT), track(2, tags=RIGHT)], 2),
        ([track(1, tags=HANDLER), track(2, tags=HANDLER)], 2),
    ],
    ids=[
        *("one", "two", "eight", "one language", "two languages", "a stereo one", "another default"),
        *("other lengths", "other codecs", "other rates", "no decoder"),
        *("two mixes", "one mix", "named sides", "handlers"),
    ],
)
def test_tracks_of_one_channel_are_left_and_right(tracks: list[dict[str, Any]], right: int | None) -> None:
    """Only where all tracks are channels of one recording; the first is left."""
    audio, *further = planned(*tracks)
    assert (audio.right, audio.channels) == (right, 2 if right else 1)
    assert len(further) == (0 if right else len([one for one in tracks if one["sample_fmt"]]) - 1)


def test_the_source_of_a_mix_is_told() -> None:
    """The plan says what the channels of the source are, so that every attempt mixes alike."""
    (audio,) = planned(track(1, channels=6, channel_layout="5.1(side)"))
    assert audio.surround_bitrate == SURROUND_BITRATE
    assert (audio.channels, audio.source_channels, audio.layout) == (2, 6, "5.1(side)")


@pytest.mark.parametrize(("layout", "channels"), [("stereo", 2), ("quad", 4), ("6.1", 7), ("6 channels", 6), ("", 6)])
def test_no_version_in_surround_is_made_of_what_is_no_surround(layout: str, channels: int) -> None:
    """A mix of it would be a guess."""
    (audio,) = planned(track(1, channels=channels, channel_layout=layout))
    assert audio.surround_bitrate == 0


def test_without_sound_there_is_none() -> None:
    """A file of pictures only."""
    assert planned() == ()


def test_all_tracks_are_taken_the_default_one_first() -> None:
    """In the file's order behind it, each with its language, its title and what it is for."""
    spoken = {"disposition": {"default": 1}, "tags": {"language": "ger", "title": "  Film\n"}}
    described = {"disposition": {"visual_impaired": 1, "comment": 1}, "tags": {"language": "eng"}}
    unknown = {"tags": {"language": "und", "title": "\u202e"}}
    found = planned(track(1, channels=2, **described), track(2, channels=2, **spoken), track(3, channels=2, **unknown))
    assert [(one.stream, one.language, one.title, one.role) for one in found] == [
        (2, "de", "Film", ""),
        (1, "en", "", "visual_impaired"),
        (3, "", "", ""),
    ]


def test_no_more_tracks_are_taken_than_anybody_wants() -> None:
    """The default one is among them, wherever it stands."""
    tracks = [track(number, channels=2) for number in range(1, 30)]
    tracks[-1]["disposition"] = {"default": 1}
    found = planned(*tracks)
    assert [one.stream for one in found] == [29, *range(1, MOST_SOUNDS)]


@pytest.mark.parametrize(("begins", "silent"), [(0.0, 0), (0.9, 0), (290.97, 290)])
def test_it_is_known_how_long_a_track_is_silent(begins: float, silent: int) -> None:
    """In whole seconds, from its first packet."""
    assert [one.silent_seconds for one in planned(track(1, channels=2), track(2, channels=2), begins=begins)] == [
        0,
        silent,
    ]
    assert [one.silent_seconds for one in planned(track(1, channels=2), begins=begins)] == [silent]


def test_two_sides_are_not_known_to_be_silent() -> None:
    """The right one may begin before the left one does."""
    assert [one.silent_seconds for one in planned(track(1), track(2), begins=60.0)] == [0]


def test_a_track_without_packets_is_none() -> None:
    """It was only announced."""
    probe = parse_probe({"streams": [PICTURE, track(1, channels=2), track(2, channels=2)], "format": {}})
    (video, *_) = probe.streams
    listing = listings.interleaved(listings.pictures([0.0, 0.04]), listings.sound(0.0, 0.1))
    assert [one.stream for one in audio_sources(probe, video, sources_of(probe, video, listing), (), 0.0)] == [1]


@pytest.mark.parametrize(
    ("start", "seconds", "heard"),
    [(0.5, 1.0, (0.0, 2.0)), (-0.5, 4.0, (-0.5, 3.5)), (3600.0, 1.0, (0.0, 2.0)), (0.0, 7200.0, (0.0, 2.0))],
    ids=["shorter", "longer", "far away", "much longer"],
)
def test_the_recording_lasts_as_long_as_any_track(start: float, seconds: float, heard: tuple[float, float]) -> None:
    """But for one that lies far from everything else."""
    probe = parse_probe({"streams": [PICTURE, track(1, channels=2), track(2, channels=2)], "format": {}})
    (video, *_) = probe.streams
    long = f"2|{start}|N/A|{seconds}|N/A|K__\n"
    listing = listings.interleaved(listings.pictures([0.0, 1.96]), listings.sound(0.0, 2.0), long)
    assert sources_of(probe, video, listing).heard == pytest.approx(heard)
