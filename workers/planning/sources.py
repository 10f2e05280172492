"""What is encoded of a file: its pictures and its sounds, and the clock that they share. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import add

from storage.media_errors import NoFramesError
from storage.model.plan import AudioSource, ClockPiece
from workers.planning.audio import audio_source, choose_audio, further_audio
from workers.planning.audio_facts import Heard
from workers.planning.clock_jumps import ROUNDING_SECONDS, Clock, clock_of, placed
from workers.planning.facts import Probe, Stream
from workers.planning.packets import Listing, Packets

# By which a further track may begin before everything else, or end behind it: beyond that its clock is broken.
MOST_BEYOND_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Further:
    """A track of sound besides the first: the pieces of its clock, and when it `begins` and `ends` on the joined one.

    Both are seconds.
    """

    track: Stream
    pieces: tuple[ClockPiece, ...]
    begins: float
    ends: float


@dataclass(frozen=True, slots=True)
class Sources:
    """The packets of the pictures, and `audible` those of the first sound, none without any; and the clock of both.

    `further` are the other tracks that have packets.
    """

    pictures: Packets
    sound: Stream | None
    audible: Packets
    clock: Clock
    further: tuple[Further, ...] = ()

    @property
    def heard(self) -> tuple[float, float] | None:
        """Beginning and end of all sounds on the joined clock, in seconds; None without any.

        A further track that begins or ends far from everything else does not count.
        """
        shown, heard = self.clock.shown, self.clock.heard
        if not heard.begins:
            return None
        begins, ends = min(heard.begins), max(heard.ends)
        begun, ended = min(shown.begins), max(shown.ends)
        first, last = min(begins, begun) - MOST_BEYOND_SECONDS, max(ends, ended) + MOST_BEYOND_SECONDS
        sane = [one for one in self.further if first <= one.begins <= one.ends <= last]
        return min([begins, *(one.begins for one in sane)]), max([ends, *(one.ends for one in sane)])


def sources_of(probe: Probe, video: Stream, listing: Listing) -> Sources:
    """Return what is encoded with the chosen video stream. Raises NoFramesError."""
    pictures, sound = listing.pictures(video), choose_audio(probe, video)
    if not pictures.times:
        raise NoFramesError
    audible = Packets() if sound is None else listing.sounds(sound)
    clock = placed(clock_of(pictures, audible, delay=video.delay), listing)
    tracks = () if sound is None else further_audio(probe, video, sound)
    further = tuple(
        _further(track, video, listing, pictures, clock) for track in tracks if track.index in listing.streams
    )
    return Sources(pictures, sound, audible, clock, further)


def audio_sources(
    probe: Probe, video: Stream, sources: Sources, heard: Sequence[Heard], start: float
) -> tuple[AudioSource, ...]:
    """Return how all tracks become mono or stereo on a timeline that begins at `start`, the first as it was `heard`.

    Of the others their header counts: each look into all of a file takes as long as the rest of planning it.
    """
    if sources.sound is None:
        return ()
    first = audio_source(probe, video, sources.sound, sources.clock.sound, heard)
    begins = [min(sources.clock.heard.begins, default=start), *(one.begins for one in sources.further)]
    others = (audio_source(probe, video, one.track, one.pieces) for one in sources.further)
    return tuple(
        replace(one, silent_seconds=_silent(one, at - start)) for one, at in zip((first, *others), begins, strict=True)
    )


def _silent(audio: AudioSource, ahead: float) -> int:
    """Return the whole seconds for which a track is silent that has nothing in its first ones, so many `ahead`.

    Where the clock jumps nobody can tell, and where another track is its right channel that one may begin earlier.
    """
    return 0 if audio.pieces or audio.right is not None else max(0, math.floor(ahead))


def _further(track: Stream, video: Stream, listing: Listing, pictures: Packets, clock: Clock) -> Further:
    packets = listing.sounds(track)
    if not clock.sound:
        return Further(track, (), min(packets.times), max(map(add, packets.times, packets.lengths)))
    own = placed(clock_of(pictures, packets, delay=video.delay), listing)
    # Where it jumps otherwise than the first does, the pictures cannot follow both.
    found = own if _moves_alike(own, clock) else clock
    return Further(track, found.sound, min(found.heard.begins), max(found.heard.ends))


def _moves_alike(own: Clock, clock: Clock) -> bool:
    """Tell whether the pictures are moved alike by both clocks."""
    shifts = [[piece.shift for piece in one.pictures] for one in (own, clock)]
    alike = all(abs(mine - theirs) <= ROUNDING_SECONDS for mine, theirs in zip(*shifts, strict=False))
    return bool(own.sound) and len(shifts[0]) == len(shifts[1]) and alike
