"""ffprobe's lines of packets, made by hand: what `workers.planning.probe.list_packets` would have read of a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

from workers.planning.packets import Listing, Packets

SOUND_SECONDS = 0.1  # of each packet of sound, as long as real ones of the longest kinds


def pictures(times: Sequence[float], *, length: float = 0.04, keyframes: Iterable[float] = (), index: int = 0) -> str:
    """Return a line for each picture, decoded in the order in which they come."""
    marked = frozenset(keyframes)
    return "".join(f"{index}|{time:.6f}|N/A|{length:.6f}|N/A|{'K__' if time in marked else '___'}\n" for time in times)


def sound(start: float, seconds: float, *, index: int = 1) -> str:
    """Return the lines of sound that lasts for so long."""
    count = int(seconds / SOUND_SECONDS)
    lengths = [*[SOUND_SECONDS] * count, seconds - count * SOUND_SECONDS]
    return "".join(
        f"{index}|{start + number * SOUND_SECONDS:.6f}|N/A|{length:.6f}|N/A|K__\n"
        for number, length in enumerate(lengths)
        if length > 0
    )


def interleaved(*tracks: str) -> Listing:
    """Return the listing of a file with these tracks: sorted by time, as a file has them whose clock is sane."""
    return one_after_another(tracks)


def one_after_another(*parts: Iterable[str]) -> Listing:
    """Return the listing of a file in which parts of several tracks follow each other, whatever their times."""
    return Listing.of("\n".join(chain.from_iterable(map(_by_time, parts))))


def _by_time(tracks: Iterable[str]) -> list[str]:
    rows = chain.from_iterable(track.splitlines() for track in tracks)
    return sorted(rows, key=lambda row: float(row.split("|")[1]))


def plain(packets: Packets) -> Packets:
    """Return the packets in tuples, which are equal where what is in them is."""
    times, lengths, decoded = map(tuple, (packets.times, packets.lengths, packets.decoded))
    return replace(packets, places=tuple(packets.places), times=times, lengths=lengths, decoded=decoded)
