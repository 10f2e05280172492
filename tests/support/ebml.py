"""Elements of Matroska and WebM (EBML, RFC 8794), as far as tests read and write them."""

from __future__ import annotations


def element(name: bytes, payload: bytes) -> bytes:
    """Return an element with a size of four bytes."""
    return name + (1 << 28 | len(payload)).to_bytes(4, "big") + payload


def extent(data: bytes, at: int) -> tuple[int, int]:
    """Return where the payload of an element begins and ends, whose size stands at a place."""
    length = 9 - data[at].bit_length()
    size = int.from_bytes(data[at : at + length], "big") & ((1 << 7 * length) - 1)
    return at + length, at + length + size
