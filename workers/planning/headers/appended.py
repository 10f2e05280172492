"""Recordings appended byte by byte to another one, where ffmpeg's demuxers stop at their headers or misread them.

Streams (TS, MPEG-PS, NUT, DV, raw) are read through, so nothing is looked for in them, and so are AVIs of the same
formats. FLV, IVF and Matroska are read through once the headers in the middle are left out. Of all others only the
first recording can be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

from storage.model.job_warnings import Warnings, warning
from workers.planning.headers import avi
from workers.planning.headers.byte_ranges import Ranges
from workers.planning.headers.flash_mxf import klvs
from workers.planning.headers.matroska import codings, first_cluster
from workers.planning.headers.mp4 import MOST_BOXES, top_boxes
from workers.planning.packets import Listing

MEGABYTE = 1_000_000
MOST_PARTS = 1000  # headers that are left out; who appends more than so many parts is not believed
# ffmpeg takes the header of an FLV for a tag of 'L' 'V' 1 bytes and skips them. No packet of Flash video is so large.
FLV_SKIPPED_BYTES = 0x4C5601
FLV_TAG_BYTES = 15  # around the contents of a tag
FLV_OTHER_BYTES = 4096  # tags of text that some writers leave at the end
SEARCHED_BYTES = 8 * 1024**2  # behind the last packet: indexes and tables of these containers take a few hundred kB
# A recording in fragments has thousands of boxes, each a read of the store: they are only walked where much is unread.
FEW_BOXES, LEAST_SHARE = 16, 0.02
MOST_KLVS = 1024  # between the footer of an MXF and its end: index tables

# Headers whose further ones ffmpeg cannot pass, though it could read what follows. That of FLV: flags of sound and
# pictures, its own length, a tag of 0 bytes before it, and the kind of a tag after it (Adobe's specification, E.2).
_TO_LEAVE_OUT = {
    "flv": re.compile(rb"FLV\x01[\x00\x01\x04\x05]\x00\x00\x00\x09\x00\x00\x00\x00(?=[\x08\x09\x12])"),
    "ivf": re.compile(rb"DKIF\x00\x00\x20\x00"),
    "matroska": re.compile(rb"\x1a\x45\xdf\xa3(?=.{1,40}(?:matroska|webm))", re.DOTALL),
}
_HEADER_BYTES = {"flv": 13, "ivf": 32}
# How recordings begin of which only the first is read.
_BEGINNINGS = {
    "asf": re.compile(re.escape(bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"))),
    "ogg": re.compile(rb"OggS\x00\x02"),  # a page that begins a stream
    "rm": re.compile(rb"\.RMF\x00\x00\x00"),
    "wtv": re.compile(re.escape(bytes.fromhex("b7d800203749da11a64e0007e95ead8d"))),
    "yuv4mpegpipe": re.compile(rb"YUV4MPEG2 "),
    "gif": re.compile(rb"GIF8[79]a"),
    "apng": re.compile(rb"\x89PNG\r\n\x1a\n"),
}
_LONGEST = 64  # of all that is looked for
_MXF_KEY = bytes.fromhex("060e2b34020501010d010201")  # of a partition (SMPTE ST 377-1); the next two bytes tell which
_MXF_PARTITION, _MXF_HEADER, _MXF_FOOTER_AT = b"\x01", b"\x02", 24


@dataclass(frozen=True, slots=True)
class Appended:
    """Recordings behind the first: the spans of bytes that tools must not see.

    Of `size` bytes of the file `lost` ones are recordings that cannot be read.
    """

    without: tuple[tuple[int, int], ...] = ()
    lost: int = 0
    size: int = 0

    @property
    def warnings(self) -> Warnings:
        """What to say of it."""
        if not self.lost:
            return ()
        return (warning("appended_unread", unread=self.lost / MEGABYTE, whole=self.size / MEGABYTE),)


NOTHING_APPENDED = Appended()


def appended(file: Ranges, container: str, listing: Listing) -> Appended:
    """Return what was appended to the recording whose packets are listed. `container` are ffmpeg's names of it."""
    names = container.split(",")
    name = next((one for one in names if one in _TO_LEAVE_OUT), None)
    if name is not None:
        spans = tuple(_headers(file, name, _read_to(listing, name)))
        return _only_alike(file, spans) if spans and name == "matroska" else Appended(spans)
    begins = _second(file, names, listing.read_to)
    return NOTHING_APPENDED if begins is None else Appended(((begins, file.size),), file.size - begins, file.size)


def coded_otherwise(file: Ranges, container: str) -> Appended:
    """Return what of Matroska whose clock jumps is another recording, with tracks that are coded otherwise.

    ffmpeg decodes its packets by the first header, into noise.
    """
    return _only_alike(file, ()) if "matroska" in container.split(",") else NOTHING_APPENDED


def _only_alike(file: Ranges, without: tuple[tuple[int, int], ...]) -> Appended:
    """Return the file without these spans, and without all that follows a header of other tracks than the first has."""
    first = codings(file, 0)
    for at in islice(_found(file, _TO_LEAVE_OUT["matroska"], 1, file.size), MOST_PARTS):
        if (other := codings(file, at)) and other != first:
            kept = tuple(span for span in without if span[0] < at)
            return Appended((*kept, (at, file.size)), file.size - at, file.size)
    return Appended(without)


def unread(file: Ranges, container: str, listing: Listing) -> Appended:
    """Return what of Flash video lies behind all packets, which other containers need not have.

    A recording of other codecs is in tracks of its own there, which ffprobe meets too late to list their packets.
    """
    last = listing.read_to
    if container != "flv" or not last:
        return NOTHING_APPENDED
    lost = file.size - last - FLV_TAG_BYTES - int.from_bytes(file.read(last + 1, 3))
    return Appended((), lost, file.size) if lost > max(FLV_OTHER_BYTES, LEAST_SHARE * file.size) else NOTHING_APPENDED


def _headers(file: Ranges, name: str, start: int) -> Iterator[tuple[int, int]]:
    """Yield the spans of headers, up to where packets begin behind them; what has no packets behind it is none."""
    behind = start
    for at in islice(_found(file, _TO_LEAVE_OUT[name], start, file.size), MOST_PARTS):
        end = at + _HEADER_BYTES[name] if name in _HEADER_BYTES else first_cluster(file, at)
        if end is not None and at >= behind:
            yield at, end
            behind = end


def _read_to(listing: Listing, name: str) -> int:
    """Return where the last packet begins ahead of what was skipped."""
    if name == "flv":
        for before, after in pairwise(listing.positions):
            if after - before > FLV_SKIPPED_BYTES:
                return before
    return listing.read_to


def _second(file: Ranges, names: list[str], read_to: int) -> int | None:
    """Return where the second recording begins, None where there is none."""
    if "mov" in names:
        return _second_movie(file, read_to)
    if "avi" in names:
        return avi.coded_otherwise(file)
    if "mxf" in names:
        return _second_mxf(file)
    beginning = next((_BEGINNINGS[name] for name in names if name in _BEGINNINGS), None)
    if beginning is None:
        return None
    return next(_found(file, beginning, max(1, read_to), min(file.size, read_to + SEARCHED_BYTES)), None)


def _found(file: Ranges, pattern: re.Pattern[bytes], start: int, end: int) -> Iterator[int]:
    """Yield where the pattern stands between two places of the file."""
    kept, at = b"", start
    for chunk in file.chunks(start, end):
        data = kept + chunk
        at -= len(kept)
        beyond = len(data) - _LONGEST if at + len(data) < min(end, file.size) else len(data)
        last = 0
        for match in pattern.finditer(data):
            if match.start() < beyond:
                yield at + match.start()
                last = match.end()
        kept = data[max(last, beyond) :]
        at += len(data)


def _second_movie(file: Ranges, read_to: int) -> int | None:
    """Return where the boxes of a second movie begin, behind all packets: its `ftyp`, or what is there in its place."""
    much = file.size - read_to > LEAST_SHARE * file.size
    boxes = list(top_boxes(file, MOST_BOXES if much else FEW_BOXES))
    movies = [box.start for box in boxes if box.kind == b"moov"]
    second = next((start for start in movies[1:] if start > read_to), None)
    if second is None:
        return None
    behind = [box for box in boxes if max(read_to, movies[0]) < box.start <= second]
    return next((box.start for box in behind if box.kind == b"ftyp"), behind[0].start)


def _second_mxf(file: Ranges) -> int | None:
    """Return where a partition of a header stands behind the footer, which ffmpeg takes for more of the first one."""
    header = _MXF_KEY + _MXF_PARTITION + _MXF_HEADER
    first = next(klvs(file, 0, 1), None)
    if first is None or not first[1].startswith(header):
        return None
    footer = int.from_bytes(file.read(first[2] + _MXF_FOOTER_AT, 8))
    behind = klvs(file, footer, MOST_KLVS) if footer else ()
    return next((at for at, key, _ in behind if key.startswith(header)), None)
