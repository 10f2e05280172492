"""Listening in many places of a file: its header tells of the first sound only, and broadcasts change on their way.

A film in 5.1 is followed by advertising in stereo, a phone call goes from mono to stereo.
"""

from __future__ import annotations

from workers.planning.audio_facts import FOLLOWING_SECONDS, PACKETS, Heard, first_change, listening_places, parse_heard
from workers.planning.facts import Probe, Stream
from workers.planning.frame_probe import FrameQuery, frames_told
from workers.sandbox.run import Watch

# Whose packets say themselves how many channels they have. Of the others the container says it once for all.
_SAYING = frozenset({"aac", "aac_latm", "ac3", "eac3", "mp1", "mp2", "mp3", "dts"})
# MP4 has a description for every kind of sample, and most uploads are MP4s: a look would cost a tenth of their plan.
_DESCRIBING = "mov"
# Newer ffprobe calls a frame's length otherwise.
_ENTRIES = ("best_effort_timestamp_time", "pkt_pos", "pkt_duration_time", "duration_time", "nb_samples", "channels")


def listen(url: str, probe: Probe, audio: Stream | None, seconds: float, watch: Watch) -> tuple[Heard, ...]:
    """Return sound from all over a file of so many seconds, in the order of its places; none where no look is due.

    There is none either where ffprobe could not tell: then the header counts. Raises LeaseLostError when cancelled.
    """
    if audio is None or audio.codec not in _SAYING or _DESCRIBING in probe.container.split(","):
        return ()
    found = _asked(url, probe, audio, listening_places(probe, seconds), watch)
    before, after = first_change(found) or (None, None)
    if before is None or after is None or after.time - before.time <= FOLLOWING_SECONDS:
        return found
    between = _asked(url, probe, audio, f"{before.time:.6f}%{after.time:.6f}", watch)
    return tuple(sorted((*found, *between), key=lambda one: one.time))


def listen_from(url: str, probe: Probe, audio: Stream | None, position: int, watch: Watch) -> tuple[Heard, ...]:
    """Return the first sound behind a place in the file, in bytes, of a container that can be read from anywhere."""
    if audio is None:
        return ()
    return _asked(url, probe, audio, f"%+#{PACKETS}", watch, position)


def _asked(
    url: str, probe: Probe, audio: Stream, intervals: str | None, watch: Watch, position: int = 0
) -> tuple[Heard, ...]:
    return parse_heard(frames_told(url, probe, audio, FrameQuery(intervals, position), _ENTRIES, watch))
