"""Containers that ffmpeg reads and does not write as they are needed: PVA, animated PNG, plain PCM in MP4."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_VIDEO, _SOUND = 0x100, 0x101  # PIDs of ffmpeg's transport streams
_PVA_PAYLOAD = 0x17F0


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of an animation: its colour (red, green, blue, opacity), and how long it shows, in 1/100 s."""

    colour: tuple[int, int, int, int]
    hundredths: int


def animated_png(target: Path, pictures: Sequence[Shown], *, side: int = 64, plays: int = 0) -> Path:
    """Write an animated PNG of whole pictures; `plays` is how often it asks to be played, 0 for ever."""
    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    parts = [_chunk(b"IHDR", header), _chunk(b"acTL", struct.pack(">II", len(pictures), plays))]
    number = 0
    for picture in pictures:
        parts.append(
            _chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, side, side, 0, 0, picture.hundredths, 100, 0, 0))
        )
        rows = zlib.compress((b"\0" + bytes(picture.colour) * side) * side)
        number += 1
        if number == 1:
            parts.append(_chunk(b"IDAT", rows))
        else:
            parts.append(_chunk(b"fdAT", struct.pack(">I", number) + rows))
            number += 1
    target.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts) + _chunk(b"IEND", b""))
    return target


def animated_webp(target: Path) -> Path:
    """Write the head of an animated WebP: what tells it from a still one stands there."""
    head = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + b"\x3f\0\0\x3f\0\0" + b"ANIM" + struct.pack("<I", 6)
    target.write_bytes(b"RIFF" + struct.pack("<I", len(head) + 6) + head + bytes(6))
    return target


def pva(transport: Path, target: Path) -> Path:
    """Write MPEG-2 pictures and MPEG sound of a transport stream as TechnoTrend's receivers do."""
    packets = sorted(_packets(transport.read_bytes()), key=lambda packet: _time(packet[1]))
    parts, counters = [], {1: 0, 2: 0}
    for pid, packet in packets:
        kind = 1 if pid == _VIDEO else 2
        if kind == 1:
            payload, flags = struct.pack(">I", _time(packet) & 0xFFFFFFFF) + packet[9 + packet[8] :], 0x10
        else:
            payload, flags = packet[:4] + struct.pack(">H", len(packet) - 6) + packet[6:], 0
        for start in range(0, len(payload), _PVA_PAYLOAD):
            part = payload[start : start + _PVA_PAYLOAD]
            head = (counters[kind] & 0xFF, 0x55, 0 if start else flags, len(part))
            parts.append(b"AV" + bytes([kind]) + struct.pack(">BBBH", *head) + part)
            counters[kind] += 1
    target.write_bytes(b"".join(parts))
    return target


def plain_pcm(source: Path, target: Path, *, bits: int, little: bool, real: bool = False) -> Path:
    """Write a QuickTime file of PCM as an MP4 with a box that describes its samples (ISO/IEC 23003-5)."""
    data = bytearray(source.read_bytes())
    place = data.index(b"stsd", data.index(b"soun")) + 12
    size, channels = (
        int.from_bytes(data[place : place + 4], "big"),
        int.from_bytes(data[place + 24 : place + 26], "big"),
    )
    # Writers say 16 bits in the old field, whatever the samples have.
    entry = struct.pack(">6xH8xHHHHI", 1, channels, 16, 0, 0, 48_000 << 16)
    described = struct.pack(">I4sIBB", 14, b"pcmC", 0, int(little), bits)
    whole = struct.pack(">I4s", size, b"fpcm" if real else b"ipcm") + entry + described
    rest = size - len(whole)
    data[place : place + size] = whole + struct.pack(">I4s", rest, b"free") + bytes(rest - 8)
    target.write_bytes(bytes(data).replace(b"ftypqt  ", b"ftypisom").replace(b"qt  ", b"isom", 1))
    return target


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _packets(data: bytes) -> list[tuple[int, bytes]]:
    """Return the PES packets of pictures and sound with their PIDs."""
    found: list[tuple[int, bytearray]] = []
    last: dict[int, bytearray] = {}
    for start in range(0, len(data), 188):
        packet = data[start : start + 188]
        pid = int.from_bytes(packet[1:3], "big") & 0x1FFF
        if pid not in {_VIDEO, _SOUND} or not packet[3] & 0x10:
            continue
        if packet[1] & 0x40:
            last[pid] = bytearray()
            found.append((pid, last[pid]))
        last[pid] += packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]
    return [(pid, bytes(packet)) for pid, packet in found]


def _time(packet: bytes) -> int:
    """Return the time of showing that a PES packet says, in 1/90000 s."""
    high, middle, low = packet[9] >> 1 & 7, packet[10] << 7 | packet[11] >> 1, packet[12] << 7 | packet[13] >> 1
    return high << 30 | middle << 15 | low
