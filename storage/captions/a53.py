"""Captions in the user data of pictures (ATSC A/53 part 4, CTA-708): the pairs of bytes that are EIA-608. Pure.

H.264 and HEVC have them in messages (SEI), MPEG-2 behind the head of a picture; the same bytes begin both. They are
found by those, wherever they stand: what surrounds them need not be understood, and nothing is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator

_NAME = b"GA94\x03"
_BEFORE = (b"\xb5\x00\x31", b"\x00\x00\x01\xb2")  # of messages, and of MPEG-2
_HEAD, _TRIPLET = 2, 3  # bytes ahead of the triplets: how many there are, and a filling; and of each
_HAS_PAIRS, _COUNT = 0x40, 0x1F  # of the first of those
_LONGEST = (_HEAD + _TRIPLET * _COUNT) * 3 // 2  # with the bytes that keep start codes apart, of which all are few
_IS_VALID, _KIND = 0x04, 0x03  # of the first byte of a triplet
_FIELDS = 2  # kinds above are of 708
_CHARACTER = 0x7F
_IS_ODD = bytes(byte.bit_count() & 1 for byte in range(256))

# A field, 0 or 1, and two bytes without their parity.
Pair = tuple[int, int, int]


def has_captions(data: bytes) -> bool:
    """Tell whether a part of a stream of pictures has room for captions; it may be empty."""
    return next(_bodies(data), None) is not None


def pairs_of(data: bytes) -> Iterator[Pair]:
    """Yield the pairs in a part of a stream of pictures, in its order; those of one field follow each other in time.

    Fillings are among them, as pairs of zeros; what is marked as invalid or has a wrong parity is not. It takes time in
    proportion to the bytes.
    """
    for body in _bodies(data):
        triplets = (body[begin::_TRIPLET] for begin in range(_HEAD, _HEAD + _TRIPLET))
        for kind, first, second in zip(*triplets, strict=False):
            if kind & _IS_VALID and kind & _KIND < _FIELDS and _IS_ODD[first] and _IS_ODD[second]:
                yield kind & _KIND, first & _CHARACTER, second & _CHARACTER


def _bodies(data: bytes) -> Iterator[bytes]:
    """Yield the user data with captions: a head, and as many triplets as it tells if there are so many."""
    at = 0
    # Not by an expression: that takes twenty times as long, and most data have none.
    while (at := data.find(_NAME, at)) >= 0:
        at += len(_NAME)
        if not any(data.startswith(sign, at - len(_NAME) - len(sign)) for sign in _BEFORE):
            continue
        body = data[at : at + _LONGEST].replace(b"\0\0\3", b"\0\0")
        if len(body) >= _HEAD and body[0] & _HAS_PAIRS:
            body = body[: _HEAD + _TRIPLET * (body[0] & _COUNT)]
            at += len(body)
            yield body
