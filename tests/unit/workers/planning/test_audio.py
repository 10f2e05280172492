"""Which tracks of sound are taken, and when two of them are one sound."""

from __future__ import annotations

from typing import Any

import pytest

from storage.model.plan import AudioSource
from workers.planning.audio import audio_source, choose_audio
from workers.planning.facts import parse_probe


def track(index: int, **fields: Any) -> dict[str, Any]:
    """Return ffprobe's description of a track of one channel, fields replaced."""
    known = {"codec_type": "audio", "codec_name": "pcm_s24le", "channels": 1, "sample_rate": "48000"}
    return {"index": index, **known, "sample_fmt": "s32", "channel_layout": "mono", "duration": "10.0", **fields}


def planned(*tracks: dict[str, Any]) -> AudioSource | None:
    """Return the sound of a file with these tracks."""
    probe = parse_probe({"streams": [PICTURE, *tracks], "format": {}})
    (video, *_) = probe.streams
    return audio_source(probe, video, choose_audio(probe, video))


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
    audio = planned(*tracks)
    assert audio is not None
    assert (audio.right, audio.channels) == (right, 2 if right else 1)


def test_the_source_of_a_mix_is_told() -> None:
    """The plan says what the channels of the source are, so that every attempt mixes alike."""
    audio = planned(track(1, channels=6, channel_layout="5.1(side)"))
    assert audio is not None
    assert (audio.channels, audio.source_channels, audio.layout) == (2, 6, "5.1(side)")


def test_without_sound_there_is_none() -> None:
    """A file of pictures only."""
    assert planned({"index": 0, "codec_type": "video"}) is None
