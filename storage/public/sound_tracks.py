"""A job's tracks of sound as people and players are told of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.model.languages import language_name
from storage.model.plan import AUDIO, SURROUND_CHANNELS, AudioSource, Plan, sound_name, surround_name
from storage.model.shown_text import told_apart
from storage.model.task import Results, sounds_of

SURROUND = "surround"  # the group of tracks in 5.1
UNNAMED = "Audio"  # a track of which the file says nothing
ROLE_WORDS = {
    "visual_impaired": "audio description",
    "hearing_impaired": "for the hard of hearing",
    "comment": "commentary",
    "dub": "dubbed",
    "original": "original",
}


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """A track by the `name` that its objects have, and its `label`: what menus say, unlike that of any other track.

    `surround` is the name of its version in 5.1, if there is one.
    """

    name: str
    surround: str
    label: str
    audio: AudioSource


def sound_tracks(sounds: Sequence[AudioSource]) -> tuple[SoundTrack, ...]:
    """Return the tracks of a plan in their order. No label has quotation marks: it stands between them in playlists."""
    told = zip(sounds, told_apart(map(_label, sounds)), strict=True)
    return tuple(
        SoundTrack(sound_name(number), surround_name(number), label, audio)
        for number, (audio, label) in enumerate(told)
    )


def heard_tracks(plan: Plan, results: Results) -> tuple[SoundTrack, ...]:
    """Return the tracks of a plan of which something is made."""
    made = sounds_of(results)
    return tuple(track for track in sound_tracks(plan.audio) if track.name in made)


@dataclass(frozen=True, slots=True)
class Rendition:
    """A track as players fetch it, by the `name` of its objects; `bitrate` in bits/s."""

    track: SoundTrack
    name: str
    channels: int
    bitrate: int


def sound_groups(plan: Plan, results: Results) -> dict[str, tuple[Rendition, ...]]:
    """Return the tracks of which something is made, by group: in stereo, and in 5.1 where there is a track so.

    All groups have the same tracks, as RFC 8216bis (4.4.6.2.1) wants it: those that are not in 5.1 as they are.
    """
    heard, made = heard_tracks(plan, results), sounds_of(results)
    plain = tuple(Rendition(one, one.name, one.audio.channels, one.audio.bitrate) for one in heard)
    wide = tuple(_wide(one) if one.track.surround in made else one for one in plain)
    groups = {AUDIO: plain, SURROUND: () if wide == plain else wide}
    return {name: renditions for name, renditions in groups.items() if renditions}


def _wide(plain: Rendition) -> Rendition:
    track = plain.track
    return Rendition(track, track.surround, SURROUND_CHANNELS, track.audio.surround_bitrate)


def told_title(audio: AudioSource) -> str:
    """Return what a track is besides its language: its title, else what its role is called; empty for the usual one."""
    return audio.title or ROLE_WORDS.get(audio.role, "")


def _label(audio: AudioSource) -> str:
    language, title = language_name(audio.language), told_title(audio).replace('"', "'")
    parts = (title,) if language.casefold() in title.casefold() else (language, title)
    return ", ".join(filter(None, parts)) or UNNAMED
