"""Whether a track of H.264 in MP4 says once for all what its pictures are like, so that none needs to be decoded.

MP4 keeps the parameters of a track called `avc1` in its description alone (ISO/IEC 14496-15, 5.3.3). Streams that were
copied into MP4 break that: they repeat parameters before keyframes, or change them there. So keyframes are read too.
"""

from __future__ import annotations

from workers.planning.headers.byte_ranges import Ranges
from workers.planning.headers.tracks import Description

_FIRST_BYTES, _SIZE_BYTES = 6, 2  # of avcC before its parameter sets, and of each one's size
# Profiles whose parameters begin with the form of chroma (ISO/IEC 14496-10, 7.3.2.1.1).
_WITH_CHROMA = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_SEPARATE_PLANES = 3
_MOST_ZEROS = 31  # in front of a number of 32 bits
_MOST_CYCLE = 255  # of picture orders
_MOST_UNITS = 8  # read of a keyframe before its first slice; encoders write one or two
_SLICES, _SEI, _PARAMETERS = frozenset({1, 5}), 6, 7
_SILENT = frozenset({_PARAMETERS, 8, 9})  # how numbers of a slice are written, and that a picture begins
_MOST_BYTES = 1024  # of parameters; real ones have about thirty
_USER_DATA = 5  # the kind of SEI that says nothing of pictures: encoders leave their names in it


class _Bits:
    """Reads numbers bit by bit, without the bytes that keep start codes apart; ValueError where there are no more."""

    def __init__(self, data: bytes) -> None:
        plain = data.replace(b"\0\0\3", b"\0\0")
        self._bits = "".join(f"{byte:08b}" for byte in plain)
        self._at = 0

    def number(self, bits: int) -> int:
        """Return a number of so many bits."""
        found = self._bits[self._at : self._at + bits]
        if len(found) < bits:
            raise ValueError
        self._at += bits
        return int(found, 2) if found else 0

    def golomb(self) -> int:
        """Return a number as Exp-Golomb writes it; signed ones are as long."""
        zeros = 0
        while not self.number(1):
            zeros += 1
            if zeros > _MOST_ZEROS:
                raise ValueError
        return (1 << zeros) - 1 + self.number(zeros)


def description_of(described: bytes) -> Description | None:
    """Return what the contents of `avcC` say of all pictures; None for more sets than one, or if fields may be."""
    if len(described) < _FIRST_BYTES + _SIZE_BYTES or described[5] & 31 != 1:
        return None
    begin = _FIRST_BYTES + _SIZE_BYTES
    parameters = described[begin : begin + int.from_bytes(described[_FIRST_BYTES:begin])]
    try:
        return Description(parameters, (described[4] & 3) + 1) if _frames_alone(parameters) else None
    except ValueError:
        return None


def _frames_alone(parameters: bytes) -> bool:
    """Tell whether a sequence's parameters allow no fields; ValueError for what makes no sense or is rare."""
    bits = _Bits(parameters[1:])
    profile = bits.number(8)
    bits.number(16)  # constraints and level
    bits.golomb()  # its own number
    if profile in _WITH_CHROMA:
        _skip_samples(bits)
    bits.golomb()  # how long numbers of frames are
    _skip_order(bits)
    bits.golomb()  # how many pictures are referred to
    bits.number(1)  # whether numbers of frames have gaps
    bits.golomb(), bits.golomb()  # width and height
    return bits.number(1) == 1


def _skip_samples(bits: _Bits) -> None:
    if bits.golomb() == _SEPARATE_PLANES:
        bits.number(1)
    bits.golomb(), bits.golomb()  # depths
    bits.number(1)
    if bits.number(1):
        raise ValueError  # matrices of scaling, which hardly any encoder writes


def _skip_order(bits: _Bits) -> None:
    kind = bits.golomb()
    if kind == 0:
        bits.golomb()
    elif kind == 1:
        bits.number(1)
        bits.golomb(), bits.golomb()
        for _ in range(min(bits.golomb(), _MOST_CYCLE)):
            bits.golomb()


def goes_by(file: Ranges, keyframe: int, description: Description) -> bool:
    """Tell whether a keyframe, at a place in bytes, says of pictures before its first slice only what is described.

    False where that cannot be told.
    """
    at, length_bytes = keyframe, description.length_bytes
    for _ in range(_MOST_UNITS):
        head = file.read(at, length_bytes + 2)
        if len(head) < length_bytes + 2:
            return False
        length, kind = int.from_bytes(head[:length_bytes]), head[length_bytes] & 31
        if kind in _SLICES:
            return True
        if kind == _PARAMETERS and file.read(at + length_bytes, min(length, _MOST_BYTES)) != description.parameters:
            return False
        if kind not in _SILENT and not (kind == _SEI and head[length_bytes + 1] == _USER_DATA):
            return False
        at += length_bytes + length
    return False
