"""Clips that are damaged at known places: bytes that flip, packets that were never written, a stream with holes."""

from __future__ import annotations

import random
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

TS_PACKET = 188
COUNTER = 16
_DEADLINE_SECONDS = 120
_SEED = 15


@dataclass(frozen=True)
class Written:
    """One packet of a file: when it shows, seconds on the file's clock, where it lies and how long it is, in bytes.

    Where a packet of a transport stream holds several pieces of sound, only the first one's place is known; else -1.
    """

    time: float
    place: int
    size: int


def written(path: Path, stream: str) -> list[Written]:
    """Return the packets of a stream (`v:0`) in the order of the file."""
    command = ["ffprobe", "-v", "error", "-select_streams", stream, "-of", "compact=p=0:nk=1"]
    fields = ["-show_entries", "packet=pts_time,size,pos", str(path)]
    lines = subprocess.run(
        [*command, *fields], check=True, capture_output=True, text=True, timeout=_DEADLINE_SECONDS
    ).stdout.splitlines()
    rows = [line.split("|") for line in lines if line]
    timed = (row for row in rows if row[0] != "N/A")
    return [Written(float(time), -1 if place == "N/A" else int(place), int(size)) for time, size, place, *_ in timed]


def flipped(source: Path, target: Path, packets: list[Written], *, share: float = 0.3) -> Path:
    """Copy the file with bytes in the last `share` of these packets made others."""
    data, chance = bytearray(source.read_bytes()), random.Random(_SEED)
    for packet in packets:
        for place in range(packet.place + round(packet.size * (1 - share)), packet.place + packet.size):
            data[place] ^= chance.randrange(1, 256)
    target.write_bytes(data)
    return target


def lost(source: Path, target: Path, start: int, end: int) -> Path:
    """Copy a transport stream without its packets that lie between two places of the file, in bytes.

    A few more where the stream's own counters, which go from 0 to 15, would not show the loss.
    """
    data = source.read_bytes()
    first, last = start // TS_PACKET, -(-end // TS_PACKET)
    while any(count % COUNTER == 0 for count in _counted(data[first * TS_PACKET : last * TS_PACKET]).values()):
        last += 1
    target.write_bytes(data[: first * TS_PACKET] + data[last * TS_PACKET :])
    return target


def _counted(data: bytes) -> Counter[int]:
    """Return how many packets with a payload there are of each stream."""
    packets = (data[place : place + TS_PACKET] for place in range(0, len(data), TS_PACKET))
    return Counter((packet[1] & 0x1F) << 8 | packet[2] for packet in packets if packet[3] & 0x10)


def copied(source: Path, target: Path, *options: str) -> Path:
    """Copy all streams into another container, or through a filter of packets (`-bsf:a`, …)."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(source), "-map", "0", "-c", "copy", *options]
    subprocess.run([*command, str(target)], check=True, timeout=_DEADLINE_SECONDS)
    return target
