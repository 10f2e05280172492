"""Sound as ffprobe decoded it in many places of a file, at which places it is to listen, and what changes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

from storage.model.job_warnings import Warnings, warning
from workers.planning.facts import Probe
from workers.planning.frame_facts import count_of, frame_lines, position_of, seconds_of, spread

BRIEF_SECONDS = 8.0  # no longer file is sought in
SECONDS_APART, MIN_PLACES, MAX_PLACES = 10.0, 4, 24
PACKETS = 3  # of a place: the first one may be half of a packet, and HE-AAC tells its second channel only by and by
FOLLOWING_SECONDS = 1.0  # no packet of sound is longer
MAX_LINES = 100_000  # read of what ffprobe prints: half an hour of AAC
# In Hz. A packet's length is rounded to a millisecond by some containers, which is 2 % of one of MP3.
_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000)
_NEAR = 0.03


@dataclass(frozen=True, slots=True)
class Heard:
    """Sound as it was decoded, `time` seconds on the source's clock: its channels and sample rate (Hz, 0: unknown).

    `position` is where the file has it, in bytes, where that is known.
    """

    time: float
    channels: int
    rate: int
    position: int | None = None

    @property
    def form(self) -> tuple[int, int]:
        """What changes."""
        return self.channels, self.rate

    def at(self, time: float) -> Self:
        """Return the same at another time."""
        return replace(self, time=time)


def parse_heard(text: str) -> tuple[Heard, ...]:
    """Return the sound of `name=value|...` lines: that which goes on as the sound before it."""
    found = [one for line in frame_lines(text, MAX_LINES) if (one := _heard(line)) is not None]
    going_on, position = list[Heard](), None
    for before, after in pairwise(found):
        follows = 0 <= after.time - before.time <= FOLLOWING_SECONDS
        # Of packets that a container holds together only the first one has a place.
        position = after.position or ((before.position or position) if follows else None)
        if follows and before.form == after.form:
            going_on.append(replace(after, position=position))
    return tuple(going_on)


def sound_changes(heard: Sequence[Heard], start: float) -> Warnings:
    """Say what changes, when first, and from what to what; `start` is that of the timeline."""
    if (change := first_change(heard)) is None:
        return ()
    before, after = change
    values = {"channels": before.channels, "to_channels": after.channels, "rate": before.rate, "to_rate": after.rate}
    return (warning("sound_changes", at=round(max(0.0, after.time - start), 1), **values),)


def first_change(heard: Sequence[Heard]) -> tuple[Heard, Heard] | None:
    """Return the last sound of the first form and the first of another; None where it stays the same."""
    known = [one for one in heard if one.rate]
    return next(((before, after) for before, after in pairwise(known) if before.form != after.form), None)


def listening_places(probe: Probe, seconds: float) -> str | None:
    """Return the places to listen at as ffprobe's intervals, None for the whole file."""
    if seconds <= BRIEF_SECONDS:
        return None
    count = max(MIN_PLACES, min(MAX_PLACES, int(seconds / SECONDS_APART)))
    return spread(probe, seconds, count, f"+#{PACKETS}")


def _heard(line: dict[str, str]) -> Heard | None:
    time, channels = seconds_of(line.get("best_effort_timestamp_time", "")), count_of(line.get("channels", ""))
    if time is None or not channels:
        return None
    length = seconds_of(line.get("duration_time", "")) or seconds_of(line.get("pkt_duration_time", "")) or 0.0
    rate = _rate(count_of(line.get("nb_samples", "")), length)
    return Heard(time, channels, rate, position_of(line.get("pkt_pos", "")))


def _rate(samples: int, seconds: float) -> int:
    """Return the usual rate that a packet of so many samples has, 0 where none is near."""
    if seconds <= 0:
        return 0
    nearest = min(_RATES, key=lambda rate: abs(rate - samples / seconds))
    return nearest if abs(samples / seconds - nearest) <= _NEAR * nearest else 0
