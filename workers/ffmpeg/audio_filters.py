"""Filters of audio: they make the one or two channels of the result of all that a source has. Pure.

More than two channels are mixed as ITU-R BS.775 says: the centre at -3 dB to both sides, each surround at -3 dB to its
own, a surround in the middle at -6 dB to both, the low-frequency effects left out. Nothing is turned down to
make room for the sum, or dialogue would be 7.7 dB quieter than in a stereo original: a limiter takes the few peaks that
do not fit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import ffmpeg

from storage.model.plan import AudioSource
from workers.planning.audio import BITRATES

PEAK = 0.891  # -1 dBFS: EBU R 128's limit for what will be coded with loss
MOST_MIXED = 8  # channels; more are separate recordings, in no layout that a mix is defined for
_HALF_POWER = 0.7071
_GAINS = {  # of a channel to left and right; ffmpeg's names
    "FL": (1.0, 0.0),
    "FR": (0.0, 1.0),
    "FC": (_HALF_POWER, _HALF_POWER),
    "BL": (_HALF_POWER, 0.0),
    "BR": (0.0, _HALF_POWER),
    "SL": (_HALF_POWER, 0.0),
    "SR": (0.0, _HALF_POWER),
    "BC": (0.5, 0.5),
}
_BOTH = "stereo|FL=FL+FC|FR=FR+FC"  # mono on both sides as loud as it is: ffmpeg itself would make it 3 dB quieter
_LISTED = re.compile(r"\d+ channels \(([A-Z+]+)\)")  # how ffprobe tells a layout, or an order of one, without a name


def in_two_channels(tracks: Sequence[Any], audio: AudioSource) -> Any:
    """Return the tracks (one, or left and right) as a stream of at most two channels, its peaks limited if mixed."""
    if len(tracks) > 1:
        return ffmpeg.filter(tracks, "join", inputs=2, channel_layout="stereo", map="0.0-FL|1.0-FR")
    stream = tracks[0]
    if audio.partly_mono:
        return stream.filter("pan", args=_BOTH)
    if audio.source_channels > MOST_MIXED:
        return stream.filter("pan", args="stereo|c0=c0|c1=c1")
    if audio.source_channels > 1 and (listed := _LISTED.fullmatch(audio.layout)):
        mixed = stream.filter("pan", args=_mix(listed[1].split("+")))  # ffmpeg itself mixes only what has a name
    elif audio.source_channels > max(BITRATES):
        mixed = stream.filter("aformat", channel_layouts="stereo")
    else:
        return stream
    # Its look-ahead is taken back, or sound would be late by it; and it only ever turns down.
    return mixed.filter("alimiter", limit=PEAK, level=0, latency=1)


def in_surround(track: Any, audio: AudioSource) -> Any:
    """Return the track as 5.1. Of 7.1 what is beside and behind becomes one pair, its peaks limited."""
    wide = track.filter("aformat", channel_layouts="5.1")
    return wide.filter("alimiter", limit=PEAK, level=0, latency=1) if audio.layout == "7.1" else wide


def _mix(names: Sequence[str]) -> str:
    """Return pan's description of the mix of channels that are named in their order."""
    gains = [_GAINS.get(name, (0.0, 0.0)) for name in names]
    sides = ("+".join(f"{gain[side]}*c{n}" for n, gain in enumerate(gains) if gain[side]) for side in (0, 1))
    return "|".join(["stereo", *(f"c{side}={mix or f'c{side}'}" for side, mix in enumerate(sides))])
