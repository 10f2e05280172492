"""Which combinations of traits can be made, and have a truth that can be told. Pure."""

from __future__ import annotations

from tests.traits.containers import FINE, PACKET_SAMPLES, WITHOUT_TIMES
from tests.traits.traits import Traits

SHORTEST_SOUND = 0.7  # seconds
FEWEST_THAT_JITTER = 34  # pictures: of fewer the share that may be lost is none
MPEG4_TICKS = 65_535  # a second of MPEG-4 video has no more (ISO/IEC 14496-2, 6.3.3); ffmpeg 7.1 makes none with more
FEWEST_OF_A_PART = 6  # pictures: a clock that goes back by fewer steps may be that of reordered pictures
MOST_PART_SECONDS = 28  # beeps of appended recordings have other pitches
FLV_REORDERS = 8388.0  # seconds: its 24 bits of milliseconds between a picture's decoding and its showing


def fits(traits: Traits) -> bool:
    """Tell whether such a clip can be made and what is right for it can be told."""
    has_sound = bool(traits.audio)
    wants_sound = traits.sound_start or traits.sound_end or traits.holes or traits.two_mixes or traits.drift
    shown = traits.seconds + sum(length for _, length in traits.pauses)
    in_band = {"ts": {"h264", "mpeg2"}, "mkv": {"vp8", "vp9", "mpeg2"}, "webm": {"vp8", "vp9"}}
    alone = [traits.parts > 1, bool(traits.change), bool(traits.programmes), traits.cut < 1, traits.jump[1] > 0]
    return (
        (has_sound or not (wants_sound or traits.jump[1] or traits.restart > 0))
        and (not has_sound or shown + traits.sound_end - traits.sound_start >= SHORTEST_SOUND)
        and sum(alone) <= 1
        and not (traits.change and (traits.pauses or traits.sound_start or traits.sound_end or traits.drift))
        and not (traits.change and traits.video not in in_band.get(traits.container, set()))
        # Matroska says the shape of all of a track in its header, and players go by that.
        and not (traits.change == "aspect" and traits.container != "ts")
        and not (traits.parts > 1 and traits.frames < FEWEST_OF_A_PART)
        and not (traits.jitter and (traits.parts > 1 or traits.jump[1]))  # each part would begin elsewhere in a frame
        and not (traits.parts > 1 and shown + traits.sound_end > MOST_PART_SECONDS)
        # ffmpeg writes wrong times of two tracks whose times are changed on the way.
        and not (traits.two_mixes and (traits.programmes or traits.drift or traits.jump[1]))
        # Each half has the hole for itself, and would begin with sound behind one that goes on.
        and not (traits.change and any(at + lasting > traits.seconds / 2 for at, lasting in traits.holes))
        and not (traits.jitter and traits.video not in FINE)
        and not (traits.drift and traits.container in {"mov", "mp4"} and traits.audio in WITHOUT_TIMES)
        and not (traits.holes and traits.audio not in PACKET_SAMPLES)
        and all(at + lasting < shown + traits.sound_end - traits.sound_start for at, lasting in traits.holes)
        and not (traits.jump[1] and (traits.pauses or traits.holes or traits.drift))
        and not (traits.jump[1] and not _jumps_together(traits))
        and not (
            traits.cut < 1 and (traits.turn or traits.pauses or traits.holes)
        )  # what a gap follows is said to last
        and all(at < traits.seconds - 1 for at, _ in traits.pauses)
        and traits.jitter < float(0.21 / traits.exact_rate)
        and not (traits.jitter and traits.frames < FEWEST_THAT_JITTER)
        and not (traits.video == "mpeg4" and traits.exact_rate.numerator > MPEG4_TICKS)
        and _tracks_fit(traits, shown)
    )


def _tracks_fit(traits: Traits, shown: float) -> bool:
    """Tell whether the container holds these tracks, and what is right for them can be told."""
    has_tracks = bool(traits.languages or traits.texts or traits.chapters)
    alone = traits.parts > 1 or traits.cut < 1 or traits.change or traits.programmes or traits.jump[1]
    return (
        not (has_tracks and alone)
        and (not traits.languages or _languages_fit(traits, shown))
        and set(traits.texts) <= set(traits.kind.texts)
        and not ("mov_text" in traits.texts and traits.offset)  # ffmpeg writes such texts at wrong times
        and (not traits.chapters or traits.kind.chapters)
    )


def _languages_fit(traits: Traits, shown: float) -> bool:
    """Tell whether the last sound is long enough. ffmpeg writes wrong times of two that are changed on the way."""
    latest = max(0.0, traits.lag * (len(traits.languages) - 1))
    heard = shown + traits.sound_end - traits.sound_start - latest
    is_told = traits.kind.tells_languages and bool(traits.audio) and not (traits.two_mixes or traits.drift)
    is_told = is_told and (traits.lag >= 0 or traits.video in FINE)  # others would begin within a picture
    is_told = is_told and traits.audio != "pcm24"  # of which one track is made
    is_long = heard >= SHORTEST_SOUND and all(at + lasting < heard for at, lasting in traits.holes)
    return is_told and is_long and shown + max(0.0, traits.sound_end) + abs(latest) <= MOST_PART_SECONDS


def _jumps_together(traits: Traits) -> bool:
    """Tell whether there are pictures and sound on both sides of the jump, and a container that can say so."""
    at, length = traits.jump
    is_told = traits.video != "mpeg4" and (
        (traits.container, traits.video) != ("flv", "h264_b") or length < FLV_REORDERS
    )
    fewest = min(at, traits.seconds - at) * traits.exact_rate
    if fewest < FEWEST_OF_A_PART:
        return False
    return is_told and traits.sound_start <= at - 0.5 and traits.seconds + min(0.0, traits.sound_end) >= at + 0.5
