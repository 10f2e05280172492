"""Audio: which tracks are taken, in which order, and how many channels the result has of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from storage.model.languages import language_tag
from storage.model.plan import MOST_SOUNDS, AudioSource, ClockPiece
from storage.model.shown_text import clean_text
from workers.planning.audio_facts import Heard
from workers.planning.facts import Probe, Stream

BITRATES = {1: 96_000, 2: 128_000}  # bits/s of AAC-LC by output channels: transparent for nearly all material
# Bits/s of AAC-LC in 5.1: three times those of stereo, as it is three pairs; the low frequencies take next to nothing.
SURROUND_BITRATE = 3 * BITRATES[2]
SURROUND_LAYOUTS = frozenset({"5.1", "5.1(side)", "7.1"})  # others are no 5.1, or have no mix that is defined
SAME_LENGTH_SECONDS = 1.0  # the tracks of one recording end together
_NAMED = frozenset({"mono", "stereo"})  # layouts all of whose channels are known by name
_LEFT, _RIGHT = (
    re.compile(r"\b(left|l|ch\w* ?1|a1)\b", re.IGNORECASE),
    re.compile(r"\b(right|r|ch\w* ?2|a2)\b", re.IGNORECASE),
)


def choose_audio(probe: Probe, video: Stream) -> Stream | None:
    """Return the sound of the picture's programme: the default track that can be decoded, else the first; or None."""
    return max(_usable(probe, video), key=lambda stream: (stream.default, -stream.index), default=None)


def further_audio(probe: Probe, video: Stream, first: Stream) -> tuple[Stream, ...]:
    """Return the tracks besides the chosen one that are sounds of their own, in the file's order.

    None where tracks are the channels of one recording.
    """
    tracks = _usable(probe, video)
    return () if _right_of(first, tracks) else tuple(track for track in tracks if track is not first)[: MOST_SOUNDS - 1]


def audio_source(
    probe: Probe,
    video: Stream,
    left: Stream,
    pieces: tuple[ClockPiece, ...] = (),
    heard: Sequence[Heard] = (),
) -> AudioSource:
    """Return how a stream becomes mono or stereo. `pieces` are those of its clock.

    It has as many channels as it has anywhere: what was `heard` of it may have more of them than the header says.
    """
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
        language=language_tag(left.language),
        title=clean_text(left.title),
        role=left.role,
        surround_bitrate=SURROUND_BITRATE if left.layout in SURROUND_LAYOUTS else 0,
    )


def _usable(probe: Probe, video: Stream) -> list[Stream]:
    """Return the tracks beside the picture that have a decoder: without one, the format of samples is unknown."""
    return [
        stream
        for stream in probe.beside(video)
        if stream.kind == "audio"
        and not stream.encrypted
        and not stream.misread
        and not stream.unlisted
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
