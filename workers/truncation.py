"""Files that end before their container says so: downloads that broke off, recorders that lost power. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import add

from storage.warnings import Warnings, warning
from workers.packets import Listing, Packets
from workers.probe import Probe, Stream

LEAST_SECONDS = 0.5  # headers are rounded, and the last packets of some tracks have no length
LEAST_SHARE = 0.02
# Containers that say how long they are; of all others ffprobe tells what it found or guessed.
BY_TRACK, BY_PICTURES, AS_A_WHOLE = "mov", "avi", frozenset({"matroska", "flv", "asf", "rm"})


@dataclass(frozen=True, slots=True)
class _Length:
    """How long something is and is said to be, in seconds."""

    found: float
    declared: float

    @property
    def missing(self) -> float:
        """Seconds that it is said to be longer."""
        return self.declared - self.found


def truncation(probe: Probe, video: Stream, pictures: Packets, listing: Listing, max_seconds: float) -> Warnings:
    """Return the warning of a file that ends too early, with both lengths; none for others.

    What a header says beyond `max_seconds` is no length.
    """
    step = float(1 / video.average_rate) if video.average_rate else 0.0
    lengths = [one for one in _lengths(probe, video, pictures, listing) if 0 < one.declared <= max_seconds]
    longest = max(lengths, key=lambda one: one.missing, default=_Length(0.0, 0.0))
    if longest.missing <= max(LEAST_SECONDS + step, LEAST_SHARE * longest.declared):
        return ()
    return (warning("truncated", found=longest.found, declared=longest.declared),)


def _lengths(probe: Probe, video: Stream, pictures: Packets, listing: Listing) -> Iterator[_Length]:
    names = probe.container.split(",")
    ends = max(map(add, pictures.times, pictures.lengths))
    if BY_TRACK in names and video.duration is not None:
        yield _Length(max(0.0, ends - video.start_time), video.duration)
    elif BY_PICTURES in names and video.average_rate:
        # ffprobe tells what it found of an AVI without its index, though the header counts the pictures.
        yield _Length(ends - min(pictures.times), float(video.declared_frames / video.average_rate))
    elif probe.duration is not None and (BY_TRACK in names or not AS_A_WHOLE.isdisjoint(names)):
        # Some writers count from the beginning of the recording, others from the beginning of its clock.
        last = listing.last_end()
        declared = probe.duration if video.duration is None else min(probe.duration, video.duration)
        yield _Length(max(0.0, last, last - probe.start_time), declared)
