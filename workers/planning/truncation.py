"""Files that end before their container says so: downloads that broke off, recorders that lost power. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import add

from storage.model.job_warnings import Warnings, warning
from workers.planning.facts import Probe, Stream
from workers.planning.packets import Listing, Packets

LEAST_SECONDS = 0.5  # headers are rounded, and the last packets of some tracks have no length
LEAST_SHARE = 0.02
# Containers that say how long they are; of all others ffprobe tells what it found or guessed.
BY_TRACK, BY_COUNT, AS_A_WHOLE = "mov", "avi", frozenset({"matroska", "flv", "asf", "rm"})


@dataclass(frozen=True, slots=True)
class _Length:
    """How long something is and is said to be, in seconds."""

    found: float
    declared: float

    @property
    def missing(self) -> float:
        """Seconds that it is said to be longer."""
        return self.declared - self.found


def truncation(probe: Probe, listing: Listing, used: Sequence[tuple[Stream, Packets]], max_seconds: float) -> Warnings:
    """Return the warning of a file that ends too early, with both lengths; none for others.

    `used` are the streams that are encoded, the pictures first. What a header says beyond `max_seconds` is no length.
    """
    video, _ = used[0]
    step = float(1 / video.average_rate) if video.average_rate else 0.0
    lengths = [one for one in _lengths(probe, listing, used) if 0 < one.declared <= max_seconds]
    longest = max(lengths, key=lambda one: one.missing, default=_Length(0.0, 0.0))
    if longest.missing <= max(LEAST_SECONDS + step, LEAST_SHARE * longest.declared):
        return ()
    return (warning("truncated", found=longest.found, declared=longest.declared),)


def _lengths(probe: Probe, listing: Listing, used: Sequence[tuple[Stream, Packets]]) -> Iterator[_Length]:
    names = probe.container.split(",")
    video, _ = used[0]
    if BY_TRACK in names and video.duration is not None:
        tracks = [
            _Length(max(0.0, _end(packets) - stream.start_time, _decoding_seconds(packets)), stream.duration)
            for stream, packets in used
            if stream.duration is not None and packets.times
        ]
        # Of fragments no track is counted, and ffprobe says of one without a length of its own that of the file.
        if tracks and not video.counted_seconds:
            tracks = [max(tracks, key=lambda one: one.found)]
        yield from tracks
    elif BY_COUNT in names:
        # ffprobe tells what it found of an AVI without its index, though the header counts pictures and sound.
        yield from (
            _Length(_end(packets) - min(packets.times), stream.counted_seconds)
            for stream, packets in used
            if packets.times
        )
    elif probe.duration is not None and (BY_TRACK in names or not AS_A_WHOLE.isdisjoint(names)):
        found = max(0.0, listing.last_end() - probe.start_time)
        declared = probe.duration if video.duration is None else min(probe.duration, video.duration)
        # Some writers count from the beginning of the recording, others from the beginning of its clock.
        yield _Length(found, declared - max(0.0, probe.start_time) if declared > probe.start_time else declared)


def _decoding_seconds(packets: Packets) -> float:
    """Return for how long the packets are decoded: fragments count it, and a pause in it may be seen otherwise."""
    return max(packets.decoded) - min(packets.decoded)


def _end(packets: Packets) -> float:
    end: float = max(map(add, packets.times, packets.lengths))
    return end
