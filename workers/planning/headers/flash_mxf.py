"""Containers of which a word is enough: encrypted Flash video and digital cinema."""

from __future__ import annotations

from collections.abc import Iterator

from workers.planning.headers.byte_ranges import Ranges
from workers.planning.headers.tracks import AUDIO, VIDEO, Headers, Track

MOST_TAGS = 64  # of Flash video, to have met both sound and pictures
MOST_PACKETS = 1024  # of MXF, up to the first of pictures: metadata in hundreds of small sets stand before
_FLASH_KINDS = {8: AUDIO, 9: VIDEO}
_FLASH_ENCRYPTED = 0x20  # "pre-processing required" in a tag's kind (Adobe's specification of FLV, E.4.1)
_MXF = bytes.fromhex("060e2b34020501010d01020101")  # a partition of the header (SMPTE ST 377-1)
_MXF_ENCRYPTED = bytes.fromhex("060e2b3402040107 0d010301027e01")  # an encrypted triplet (SMPTE ST 429-6)
_MXF_ESSENCE = bytes.fromhex("060e2b34010201")


def read_flash(file: Ranges) -> Headers | None:
    """Return sound and picture in the order in which they first come, None for another container."""
    if file.read(0, 3) != b"FLV":
        return None
    found: dict[str, bool] = {}
    for kind in _flash_kinds(file):
        if kind & 0x1F in _FLASH_KINDS:
            found.setdefault(_FLASH_KINDS[kind & 0x1F], bool(kind & _FLASH_ENCRYPTED))
    return Headers("flv", by_place={place: Track(*item) for place, item in enumerate(found.items())})


def _flash_kinds(file: Ranges) -> Iterator[int]:
    at = int.from_bytes(file.read(5, 4)) + 4
    for _ in range(MOST_TAGS):
        head = file.read(at, 4)
        if len(head) < 4:  # noqa: PLR2004 - a kind and a length
            return
        yield head[0]
        at += 11 + int.from_bytes(head[1:]) + 4


def read_mxf(file: Ranges) -> Headers | None:
    """Return whether pictures are encrypted, as in digital cinema packages; None for another container."""
    if file.read(0, len(_MXF)) != _MXF:
        return None
    for _, key, _ in klvs(file, 0, MOST_PACKETS):
        if key.startswith(_MXF_ENCRYPTED):
            return Headers("mxf", by_place={0: Track(VIDEO, encrypted=True)})
        if key.startswith(_MXF_ESSENCE):
            break
    return Headers("mxf")


def klvs(file: Ranges, start: int, most: int) -> Iterator[tuple[int, bytes, int]]:
    """Yield where each of the first `most` KLVs of an MXF begins, from `start` on, its key, and its value's place."""
    at = start
    for _ in range(most):
        head = file.read(at, 25)
        if len(head) < 17:  # noqa: PLR2004 - a key and the first byte of a length
            return
        more = head[16] & 0x7F if head[16] & 0x80 else 0
        value = at + 17 + more
        yield at, head[:16], value
        at = value + (int.from_bytes(head[17 : 17 + min(more, 8)]) if more else head[16])
