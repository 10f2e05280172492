"""Sound: which tracks are taken, and how their channels become the one or two of the result. Pure.

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

from storage.model.plan import AudioSource, ClockPiece
from workers.planning.audio_probe import Heard
from workers.planning.probe import Probe, Stream

BITRATES = {1: 96_000, 2: 128_000}  # bits/s of AAC-LC by output channels: transparent for nearly all material
PEAK = 0.891  # -1 dBFS: EBU R 128's limit for what will be coded with loss
MOST_MIXED = 8  # channels; more are separate recordings, in no layout that a mix is defined for
SAME_LENGTH_SECONDS = 1.0  # the tracks of one recording end together
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
_NAMED = frozenset({"mono", "stereo"})  # layouts of which _BOTH knows all channels
_BOTH = "stereo|FL=FL+FC|FR=FR+FC"  # mono on both sides as loud as it is: ffmpeg itself would make it 3 dB quieter
_LEFT, _RIGHT = (
    re.compile(r"\b(left|l|ch\w* ?1|a1)\b", re.IGNORECASE),
    re.compile(r"\b(right|r|ch\w* ?2|a2)\b", re.IGNORECASE),
)
_LISTED = re.compile(r"\d+ channels \(([A-Z+]+)\)")  # how ffprobe tells a layout, or an order of one, without a name


def choose_audio(probe: Probe, video: Stream) -> Stream | None:
    """Return the sound of the picture's programme: the default track that can be decoded, else the first; or None."""
    return max(_usable(probe, video), key=lambda stream: (stream.default, -stream.index), default=None)


def audio_source(
    probe: Probe,
    video: Stream,
    left: Stream | None,
    pieces: tuple[ClockPiece, ...] = (),
    heard: Sequence[Heard] = (),
) -> AudioSource | None:
    """Return how the chosen stream becomes mono or stereo, None without sound. `pieces` are those of its clock.

    It has as many channels as it has anywhere: what was `heard` of it may have more of them than the header says.
    """
    if left is None:
        return None
    right = _right_of(left, _usable(probe, video))
    counts = {left.channels, *(one.channels for one in heard)}
    channels = 2 if right else min(max(counts), max(BITRATES))
    return AudioSource(
        stream=left.index,
        codec=left.codec,
        channels=channels,
        sample_rate=left.sample_rate,
        bitrate=BITRATES[channels],
        source_channels=max(counts),
        layout=left.layout,
        right=None if right is None else right.index,
        pieces=pieces,
        look_seconds=probe.look_seconds,
        partly_mono=counts == {1, 2} and left.layout in _NAMED,
    )


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


def _usable(probe: Probe, video: Stream) -> list[Stream]:
    """Return the tracks beside the picture that have a decoder: without one, the format of samples is unknown."""
    return [
        stream
        for stream in probe.beside(video)
        if stream.kind == "audio"
        and not stream.encrypted
        and not stream.misread
        and stream.codec
        and stream.sample_format
        and stream.channels > 0
        and stream.sample_rate > 0
    ]


def _right_of(left: Stream, tracks: Sequence[Stream]) -> Stream | None:
    """Return the track of the right channel where every track is one channel of the same recording, None elsewhere.

    Broadcasters and cameras write them so, left and right first. Tracks of several languages are not such ones, nor are
    mixes that somebody gave names: screen recorders write "everything" and "microphone".
    """
    if left is not tracks[0] or len(tracks) == 1 or any(track.channels > 1 for track in tracks):
        return None
    kinds = {(track.codec, track.sample_rate, track.language) for track in tracks}
    lengths = [track.duration or 0.0 for track in tracks]
    named = len({track.title for track in tracks}) > 1 and not _name_sides(left, tracks[1])
    alike = len(kinds) == 1 and not named and max(lengths) - min(lengths) < SAME_LENGTH_SECONDS
    return tracks[1] if alike else None


def _name_sides(left: Stream, right: Stream) -> bool:
    """Tell whether the titles of two tracks say that they are the left and the right one."""
    return bool(_LEFT.search(left.title) and _RIGHT.search(right.title))


def _mix(names: Sequence[str]) -> str:
    """Return pan's description of the mix of channels that are named in their order."""
    gains = [_GAINS.get(name, (0.0, 0.0)) for name in names]
    sides = ("+".join(f"{gain[side]}*c{n}" for n, gain in enumerate(gains) if gain[side]) for side in (0, 1))
    return "|".join(["stereo", *(f"c{side}={mix or f'c{side}'}" for side, mix in enumerate(sides))])
