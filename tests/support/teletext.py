"""Broadcasts with teletext subtitles, made by hand: no encoder of teletext is at hand. EN 300 472 and EN 300 706."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

_PACKET, _PAYLOAD = 188, 184
_PMT, _TELETEXT = 0x1000, 0x150  # where ffmpeg puts its table; a number it does not use
_HAMMED = bytes.fromhex("1502495e6473382fd0c78c9ba1b6fdea")
_BOX = (0x0B, 0x0B), (0x0A, 0x0A)  # around what is shown over the picture
_ROW, _FILLING = 20, 0xFF
_CLOCK = 90_000
_SENT_AHEAD = 0.6  # seconds by which ffmpeg sends pictures before they show, but a tenth: teletext is sent just in time


def with_teletext(source: Path, target: Path, texts: Sequence[tuple[float, str]], language: str = "eng") -> Path:
    """Write the transport stream of one programme with page 888: each text from its second on, an empty one clears."""
    packets = [source.read_bytes()[at : at + _PACKET] for at in range(0, source.stat().st_size, _PACKET)]
    written = bytearray()
    waiting = sorted(texts)
    base = _first_pts(packets)
    counter = 0
    for packet in packets:
        pid = struct.unpack_from(">H", packet, 1)[0] & 0x1FFF
        written += _described(packet, language) if pid == _PMT else packet
        pts = _pts(packet)
        while waiting and pts is not None and pts >= base + (waiting[0][0] + _SENT_AHEAD) * _CLOCK:
            at, text = waiting.pop(0)
            for piece in _packets(_pes(base + round(at * _CLOCK), text), counter):
                written += piece
                counter += 1
    target.write_bytes(written)
    return target


def _pts(packet: bytes) -> int | None:
    """Return when a picture shows that begins in this packet."""
    at = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
    if not packet[1] & 0x40 or packet[at : at + 4] != b"\0\0\1\xe0":
        return None
    first, second, third = map(int, struct.unpack_from(">BHH", packet, at + 9))
    return (first >> 1 & 7) << 30 | second >> 1 << 15 | third >> 1


def _first_pts(packets: Sequence[bytes]) -> int:
    return next(pts for packet in packets if (pts := _pts(packet)) is not None)


def _described(packet: bytes, language: str) -> bytes:
    """Return the packet of the programme's table with one more stream: subtitles, page 888."""
    begin = 5
    length = struct.unpack_from(">H", packet, begin + 1)[0] & 0xFFF
    section = packet[begin : begin + 3 + length - 4]
    descriptor = b"\x56\x05" + language.encode() + bytes([2 << 3 | 0, 0x88])
    entry = b"\x06" + struct.pack(">HH", 0xE000 | _TELETEXT, 0xF000 | len(descriptor)) + descriptor
    longer = length + len(entry)
    section = section[:1] + struct.pack(">H", 0xB000 | longer) + section[3:] + entry
    section += struct.pack(">I", _crc(section))
    return (packet[:begin] + section).ljust(_PACKET, b"\xff")


def _crc(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


def _pes(pts: int, text: str) -> bytes:
    rows = [_header(0x88), *([_row(text)] if text else []), _header(_FILLING)]
    units = [b"\x03\x2c\xe7\xe4" + bytes(_reversed(row)) for row in rows]
    units += [b"\xff\x2c" + b"\xff" * 44] * (-(len(units) + 1) % 4)  # with the head they fill whole packets
    body = b"\x10" + b"".join(units)
    stamp = struct.pack(">BHH", 0x21 | pts >> 30 << 1, pts >> 15 << 1 & 0xFFFE | 1, pts << 1 & 0xFFFE | 1)
    head = b"\x84\x80\x24" + stamp + b"\xff" * (0x24 - len(stamp))
    return b"\0\0\1\xbd" + struct.pack(">H", len(head) + len(body)) + head + body


def _packets(pes: bytes, counter: int) -> Iterator[bytes]:
    for number, at in enumerate(range(0, len(pes), _PAYLOAD)):
        piece = pes[at : at + _PAYLOAD]
        start = 0x4000 if at == 0 else 0
        lacks = _PAYLOAD - len(piece)
        control = (0x30 if lacks else 0x10) | counter + number & 15
        stuffing = bytes([lacks - 1]) + b"\0" * (lacks > 1) + b"\xff" * (lacks - 2) if lacks else b""
        yield b"\x47" + struct.pack(">HB", start | _TELETEXT, control) + stuffing + piece


def _header(page: int) -> bytes:
    subtitle, erase, serial = 8, 8, 1
    nibbles = (page & 15, page >> 4, 0, erase, 0, subtitle, 1, serial)
    return _address(0) + bytes(_HAMMED[nibble] for nibble in nibbles) + bytes(map(_odd, b" " * 32))


def _row(text: str) -> bytes:
    before, behind = _BOX
    line = bytes(before) + text.encode("ascii") + bytes(behind)
    return _address(_ROW) + bytes(map(_odd, line.ljust(40)))


def _address(row: int) -> bytes:
    """Return the address of a row of magazine 8, which is written as 0."""
    return bytes([_HAMMED[(row & 1) << 3], _HAMMED[row >> 1]])


def _odd(byte: int) -> int:
    return byte if byte.bit_count() % 2 else byte | 0x80


def _reversed(data: bytes) -> Iterator[int]:
    return (int(f"{byte:08b}"[::-1], 2) for byte in data)
