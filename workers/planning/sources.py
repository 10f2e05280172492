"""What is encoded of a file: its pictures and its sound, and the clock that they share. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from storage.media_errors import NoFramesError
from workers.planning.audio import choose_audio
from workers.planning.clock_jumps import Clock, clock_of, placed
from workers.planning.facts import Probe, Stream
from workers.planning.packets import Listing, Packets


@dataclass(frozen=True, slots=True)
class Sources:
    """The packets of the pictures, and `audible` those of the sound, none without any; and the clock of both."""

    pictures: Packets
    sound: Stream | None
    audible: Packets
    clock: Clock


def sources_of(probe: Probe, video: Stream, listing: Listing) -> Sources:
    """Return what is encoded with the chosen video stream. Raises NoFramesError."""
    pictures, sound = listing.pictures(video), choose_audio(probe, video)
    if not pictures.times:
        raise NoFramesError
    audible = Packets() if sound is None else listing.sounds(sound)
    return Sources(pictures, sound, audible, placed(clock_of(pictures, audible, delay=video.delay), listing))
