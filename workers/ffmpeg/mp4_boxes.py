"""Reading fragmented MP4 (ISO/IEC 14496-12): split off the initialisation section, count frames, check timestamps.

Somebody may have taken over the ffmpeg that wrote the file: every length is checked against the bytes there are, and
every byte of a fragment has to be one of its index or of its samples.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, NamedTuple

from storage.errors import OutputMismatchError

_TFHD_DEFAULT_DURATION = 0x08
_TFHD_DEFAULT_SIZE = 0x10
_TFHD_SAMPLE_DESCRIPTION = 0x02
_TFHD_BASE_OFFSET = 0x01
_TRUN_DATA_OFFSET = 0x01
_TRUN_FIRST_FLAGS = 0x04
_TRUN_DURATION = 0x100
_TRUN_SIZE = 0x200
_TRUN_FLAGS = 0x400
_TRUN_COMPOSITION = 0x800
_HEADER_BYTES = 8
_MATRIX_AT, _MATRIX_AT_LONG = 40, 52  # in the payload of a tkhd, of version 0 and 1
_AS_IT_IS = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)  # 16.16, the last of each row 2.30
_MAX_MOOF_BYTES = 64 * 1024**2  # a moof lists one keyframe's frames: thousands of bytes, not millions
_IN_TRAF = frozenset({b"tfhd", b"tfdt", b"trun", b"sbgp", b"sgpd"})
_MAX_FRAGMENT_FRAMES = 100_000  # one keyframe's frames; a few bytes could otherwise announce four thousand million


@dataclass(frozen=True, slots=True)
class BoxPlace:
    """A box's type and where its payload lies in the file, bytes."""

    kind: bytes
    start: int
    payload: int
    end: int


class _Sample(NamedTuple):
    """Presentation time and duration in ticks, size in bytes."""

    time: int
    duration: int
    size: int


@dataclass(frozen=True, slots=True)
class Piece:
    """One `moof` with its `mdat`: where it lies (bytes), and the presentation times and whole length of its samples.

    Times and length are in ticks of the track, times in decoding order.
    """

    start: int
    end: int
    times: tuple[int, ...]
    ticks: int


@dataclass(frozen=True, slots=True)
class Fragmented:
    """What the boxes of a fragmented file say: end of the init section (bytes) and its pieces."""

    init_bytes: int
    pieces: tuple[Piece, ...]

    @property
    def times(self) -> tuple[int, ...]:
        """Presentation times of all samples, sorted."""
        return tuple(sorted(time for piece in self.pieces for time in piece.times))


def read_fragmented(file: IO[bytes], size: int, *, growing: bool = False) -> Fragmented:
    """Read the boxes of an open file of `size` bytes with one track. Raises OutputMismatchError for any other.

    A file that is still `growing` may end anywhere: what is complete counts.
    """
    found = read_boxes(file, size, growing=growing)
    if not found.init_bytes and not growing:
        raise OutputMismatchError(detail="The encoder wrote no initialisation section.")
    return found


def read_boxes(file: IO[bytes], size: int, *, growing: bool = False) -> Fragmented:
    """Read the boxes of an open file of `size` bytes, which need not begin with an initialisation section.

    Raises OutputMismatchError as `read_fragmented` does.
    """
    try:
        return _read(file, size, growing=growing)
    except (struct.error, IndexError) as error:
        raise OutputMismatchError(
            detail="The encoder's file holds a box that is too short for its contents."
        ) from error


def _read(file: IO[bytes], size: int, *, growing: bool) -> Fragmented:
    init_bytes = 0
    pieces: list[Piece] = []
    index: BoxPlace | None = None
    for box in boxes(file, 0, size, growing=growing):
        if box.kind in {b"ftyp", b"moov"}:
            init_bytes = box.end
        elif box.kind == b"moof":
            index = box
        elif box.kind == b"mdat" and index is not None:
            samples = tuple(_moof_samples(file, index))
            _check_contents(index, box, samples)
            times = tuple(sample.time for sample in samples)
            pieces.append(Piece(index.start, box.end, times, sum(sample.duration for sample in samples)))
            index = None
    if index is not None and not growing:
        raise OutputMismatchError(detail="The encoder's file has an index without contents.")
    return Fragmented(init_bytes=init_bytes, pieces=tuple(pieces))


def codec_of(init: bytes) -> str:
    """Return the codec as playlists name it (RFC 6381) from an init section of our encoder: H.264 or AAC-LC."""
    at = init.find(b"avcC")
    if at >= 0:
        profile, compatibility, level = init[at + 5 : at + 8]
        return f"avc1.{profile:02x}{compatibility:02x}{level:02x}"
    return "mp4a.40.2"


def unturned(init: bytes) -> bytes:
    """Return an init section of our encoder whose track is shown as it is.

    ffmpeg copies how the source is to be turned from its track, though our pictures have been turned already.
    """
    at = init.find(b"tkhd") + len(b"tkhd")
    matrix = at + (_MATRIX_AT_LONG if init[at : at + 1] == b"\x01" else _MATRIX_AT)
    if b"tkhd" not in init or len(init) < matrix + len(_AS_IT_IS):
        raise OutputMismatchError(detail="The encoder's initialisation section says of no track how it is shown.")
    return init[:matrix] + _AS_IT_IS + init[matrix + len(_AS_IT_IS) :]


def grouped(found: Fragmented, *, first: int, frames: int, ticks: int) -> tuple[int, ...]:
    """Return the bytes of each fragment of `frames` frames; pieces in between begin at scene cuts.

    `first` is the file's first frame. Raises OutputMismatchError when a fragment does not begin with a keyframe.
    """
    borders = {(first + position) * ticks for position in range(0, len(found.times), frames)}
    sizes: list[int] = []
    for piece in found.pieces:
        if min(piece.times, default=-1) in borders:
            sizes.append(0)
        if not sizes:
            raise OutputMismatchError(detail="The first fragment does not begin with the segment.")
        sizes[-1] += piece.end - piece.start
    if len(sizes) != len(borders):
        raise OutputMismatchError(detail=f"{len(sizes)} fragments were written, {len(borders)} were planned.")
    return tuple(sizes)


def check_grid(found: Fragmented, *, first: int, frames: int, ticks: int) -> None:
    """Raise OutputMismatchError unless the times are exactly those of `frames` frames from frame `first` on."""
    if len(found.times) != frames:
        raise OutputMismatchError(detail=f"{len(found.times)} frames were encoded, {frames} were planned.")
    for position, time in enumerate(found.times):
        if time != (first + position) * ticks:
            raise OutputMismatchError(
                detail=f"Frame {first + position} lies at tick {time}, not {(first + position) * ticks}."
            )


def boxes(file: IO[bytes], start: int, end: int, *, growing: bool = False) -> Iterator[BoxPlace]:
    """Yield the boxes between two places of the file. Raises OutputMismatchError unless they fill it."""
    while start + _HEADER_BYTES <= end:
        file.seek(start)
        size, kind = struct.unpack(">I4s", file.read(_HEADER_BYTES))
        payload = start + _HEADER_BYTES
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            payload += 8
        elif size == 0:
            size = end - start
        if growing and start + size > end:
            return
        if size < payload - start or start + size > end:
            raise OutputMismatchError(detail="The encoder's file is cut off in the middle of a box.")
        yield BoxPlace(kind, start, payload, start + size)
        start += size
    if start != end and not growing:
        raise OutputMismatchError(detail="The encoder's file is cut off in the middle of a box's header.")


def _check_contents(index: BoxPlace, contents: BoxPlace, samples: Sequence[_Sample]) -> None:
    """Raise OutputMismatchError unless the contents follow their index, and are its samples to the byte."""
    if index.end != contents.start or sum(sample.size for sample in samples) != contents.end - contents.payload:
        raise OutputMismatchError(detail="A fragment of the encoder's file holds something besides its samples.")


def _moof_samples(file: IO[bytes], moof: BoxPlace) -> Iterator[_Sample]:
    """Yield the samples of the piece, in decoding order."""
    if moof.end - moof.start > _MAX_MOOF_BYTES:
        raise OutputMismatchError(detail="A fragment's index is larger than any that the encoder writes.")
    for traf in _of_kinds(file, moof, frozenset({b"mfhd", b"traf"})):
        if traf.kind != b"traf":
            continue
        decode_time, defaults = 0, (0, 0)
        for box in _of_kinds(file, traf, _IN_TRAF):
            file.seek(box.payload)
            data = file.read(box.end - box.payload)
            if box.kind == b"tfhd":
                defaults = _defaults(data)
            elif box.kind == b"tfdt":
                decode_time = struct.unpack_from(">Q" if data[0] else ">I", data, 4)[0]
            elif box.kind == b"trun":
                for offset, duration, size in _samples(data, *defaults):
                    yield _Sample(decode_time + offset, duration, size)
                    decode_time += duration


def _of_kinds(file: IO[bytes], parent: BoxPlace, kinds: frozenset[bytes]) -> Iterator[BoxPlace]:
    for box in boxes(file, parent.payload, parent.end):
        if box.kind not in kinds:
            raise OutputMismatchError(detail=f"A fragment's index holds a box {box.kind!r}.")
        yield box


def _defaults(tfhd: bytes) -> tuple[int, int]:
    """Return a sample's duration and size where it has none of its own."""
    flags = int.from_bytes(tfhd[1:4], "big")
    if flags & _TFHD_BASE_OFFSET:
        raise OutputMismatchError(detail="A fragment's samples do not lie where it lies itself.")
    offset = 8 + 4 * bool(flags & _TFHD_SAMPLE_DESCRIPTION)
    duration = struct.unpack_from(">I", tfhd, offset)[0] if flags & _TFHD_DEFAULT_DURATION else 0
    offset += 4 * bool(flags & _TFHD_DEFAULT_DURATION)
    return duration, struct.unpack_from(">I", tfhd, offset)[0] if flags & _TFHD_DEFAULT_SIZE else 0


def _samples(trun: bytes, default_duration: int, default_size: int) -> Iterator[tuple[int, int, int]]:
    """Yield of each sample composition offset and duration, in ticks, and bytes; offsets are signed in version 1."""
    flags = int.from_bytes(trun[1:4], "big")
    count: int = struct.unpack_from(">I", trun, 4)[0]
    if count > _MAX_FRAGMENT_FRAMES:
        raise OutputMismatchError(detail=f"A fragment announces {count} frames.")
    offset = 8 + 4 * bool(flags & _TRUN_DATA_OFFSET) + 4 * bool(flags & _TRUN_FIRST_FLAGS)
    for _ in range(count):
        told = {_TRUN_DURATION: default_duration, _TRUN_SIZE: default_size, _TRUN_COMPOSITION: 0}
        for flag in (_TRUN_DURATION, _TRUN_SIZE, _TRUN_FLAGS, _TRUN_COMPOSITION):
            if flags & flag:
                signed = flag == _TRUN_COMPOSITION and trun[0]
                told[flag] = struct.unpack_from(">i" if signed else ">I", trun, offset)[0]
                offset += 4
        yield told[_TRUN_COMPOSITION], told[_TRUN_DURATION], told[_TRUN_SIZE]
