"""Containers that a random number changes: where a reader's own numbers stand, not only noise in the pictures."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

MOST_CHANGES = 12
_EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_NAMES = (
    b"moov", b"trak", b"mdia", b"stbl", b"stts", b"stsz", b"stco", b"stsc", b"ctts", b"elst", b"tkhd", b"mdhd", b"stsd",
    b"LIST", b"avih", b"strh", b"strf", b"idx1", b"FLV\x01", b"OggS", b"\x1a\x45\xdf\xa3", b"\x1f\x43\xb6\x75",
    b"\x16\x54\xae\x6b", b"\x15\x49\xa9\x66", b"\x30\x26\xb2\x75", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3",
    b"\x47\x40",
)  # fmt: skip
_NEAR = 64  # bytes around a name: its sizes, counts and flags

Change = Callable[[random.Random, bytearray], None]


def mutated(seed: int, sources: Sequence[bytes]) -> bytes:
    """Return the upload of this seed: always the same from the same sources."""
    chance = random.Random(seed)
    data = bytearray(chance.choice(sources))
    for _ in range(chance.randint(1, MOST_CHANGES)):
        if data:
            chance.choice(_CHANGES)(chance, data)
    return bytes(data)


def _place(chance: random.Random, data: bytearray) -> int:
    """Return a place: near a name of a structure in half of the cases, near the beginning in a quarter."""
    kind = chance.random()
    if kind < 0.5:
        at = data.find(chance.choice(_NAMES), chance.randrange(len(data)) if chance.random() < 0.3 else 0)
        if at >= 0:
            return min(len(data) - 1, max(0, at + chance.randint(-8, _NEAR)))
    return chance.randrange(min(len(data), 1024) if kind < 0.75 else len(data))


def _bit(chance: random.Random, data: bytearray) -> None:
    data[_place(chance, data)] ^= 1 << chance.randrange(8)


def _number(chance: random.Random, data: bytearray) -> None:
    at, size = _place(chance, data), chance.choice((1, 2, 4, 8))
    value = chance.choice(_EDGES) if chance.random() < 0.7 else chance.getrandbits(size * 8)
    order = chance.choice(("big", "little"))
    data[at : at + size] = (value & ((1 << size * 8) - 1)).to_bytes(size, "big" if order == "big" else "little")


def _cut(_chance: random.Random, data: bytearray) -> None:
    del data[_place(_chance, data) :]


def _dropped(chance: random.Random, data: bytearray) -> None:
    at = _place(chance, data)
    del data[at : at + chance.randint(1, 64)]


def _repeated(chance: random.Random, data: bytearray) -> None:
    at, length = _place(chance, data), chance.randint(1, 512)
    data[at:at] = data[at : at + length] * chance.randint(1, 8)


def _noise(chance: random.Random, data: bytearray) -> None:
    at = _place(chance, data)
    data[at : at + chance.randint(1, 64)] = chance.randbytes(chance.randint(1, 64))


def _renamed(chance: random.Random, data: bytearray) -> None:
    at = data.find(chance.choice(_NAMES))
    if at >= 0:
        data[at : at + 4] = chance.choice(_NAMES)[:4].ljust(4, b"\0")


_CHANGES: tuple[Change, ...] = (_bit, _bit, _number, _number, _number, _cut, _dropped, _repeated, _noise, _renamed)
