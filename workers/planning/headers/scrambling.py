"""Scrambling in MPEG's streams: packets of transport streams (EN 300 468, ISO/IEC 13818-1) and sectors of DVD (CSS).

A receiver may write some packets in the clear before it is told to scramble, and scramblers pass over packets: so
samples over the whole file count. Descriptors of conditional access say nothing: they stay in what was descrambled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from workers.planning.headers.byte_ranges import Ranges
from workers.planning.headers.tracks import AUDIO, VIDEO, Headers, Track

PLACES = 8  # looked at, from the beginning to the end of the file
PLACE_BYTES = 64 * 1024  # of each at most: 350 packets
FEWEST_PACKETS = 4  # of a stream at a place, to be judged there
SCRAMBLED_SHARE = 0.1  # of a stream's packets at every place: the rest of the picture is of no use then
_SYNC = 0x47
_PACKETS = ((188, 0), (192, 4), (204, 0))  # bytes of a packet and before its sync byte: plain, M2TS, with parity
_SYNCS = 5  # in a row make a transport stream
_START = b"\x00\x00\x01"
_PACK = _START + b"\xba"
_FIRST_SOUND, _VIDEO_NUMBERS, _LAST_VIDEO = 0xC0, 0xE0, 0xEF  # of the packets' streams
_PROGRAM_ID = 0x100  # ffprobe's ids of such streams are the numbers and this
_MPEG_2 = 0x80  # how the head of a packet goes on since MPEG-2
# Kinds of stream in a programme's map (ISO/IEC 13818-1, SCTE, Apple's sample encryption, which tells by the kind).
_VIDEO_TYPES = frozenset({0x01, 0x02, 0x10, 0x1B, 0x20, 0x24, 0x33, 0x42, 0xD1, 0xEA, 0xDB})
_AUDIO_TYPES = frozenset({0x03, 0x04, 0x0F, 0x11, 0x81, 0x87, 0xC1, 0xC2, 0xCF})
_SAMPLE_ENCRYPTED = frozenset({0xDB, 0xC1, 0xC2, 0xCF})

_Seen = tuple[int, bool]  # a stream's number, and whether this packet of it is scrambled


def read_transport(file: Ranges) -> Headers | None:
    """Return which streams (by PID) are scrambled and their kinds, None for another container."""
    layout = _layout(file.read(0, 204 * (_SYNCS + 1) * 2))
    if layout is None:
        return None
    size, first = layout
    packets = [list(_packets(part, size, offset)) for part, offset in _places(file, size, first)]
    types = _types(packets[0])
    scrambled = _scrambled([filter(None, map(_seen, place)) for place in packets])
    kinds = {pid: VIDEO if code in _VIDEO_TYPES else AUDIO for pid, code in types.items() if _is_known(code)}
    coded = {pid for pid, code in types.items() if code in _SAMPLE_ENCRYPTED}
    return Headers(
        "mpegts",
        by_id={pid: Track(kinds.get(pid, ""), pid in scrambled or pid in coded) for pid in {*kinds, *scrambled}},
    )


def read_program(file: Ranges) -> Headers | None:
    """Return which streams (by their numbers in ffprobe) of a program stream are scrambled, None for another."""
    if file.read(0, 4) != _PACK:
        return None
    parts = [tuple(_sectors(part)) for part, _ in _places(file, 1, 0)]
    scrambled = _scrambled(parts)
    seen = {number for part in parts for number, _ in part}
    kinds = {number: VIDEO if number & 0xF0 == _VIDEO_NUMBERS else AUDIO for number in seen}
    return Headers(
        "mpeg",
        by_id={_PROGRAM_ID | number: Track(kind, number in scrambled) for number, kind in kinds.items()},
    )


def _is_known(code: int) -> bool:
    return code in _VIDEO_TYPES or code in _AUDIO_TYPES


def _places(file: Ranges, size: int, first: int) -> Iterator[tuple[bytes, int]]:
    """Yield samples of the file and where in them the first packet of `size` bytes begins."""
    length = min(PLACE_BYTES, max(size, file.size // PLACES))
    step = max(0, file.size - length) // (PLACES - 1)
    for place in range(PLACES):
        yield file.read(place * step // size * size, length), first


def _layout(data: bytes) -> tuple[int, int] | None:
    """Return the length of a packet and where the first begins, None without several sync bytes in a row."""
    for size, before in _PACKETS:
        for first in range(size):
            if all(data[at : at + 1] == b"\x47" for at in range(first + before, first + before + _SYNCS * size, size)):
                return size, first + before
    return None


def _packets(data: bytes, size: int, offset: int) -> Iterator[bytes]:
    """Yield packets from their sync bytes on; behind damage the next that fits is looked for."""
    while offset + 188 <= len(data):
        if data[offset] == _SYNC:
            yield data[offset : offset + 188]
            offset += size
        else:
            offset = data.find(b"\x47", offset)
            if offset < 0:
                return


def _payload(packet: bytes) -> bytes:
    """Return what the packet carries, nothing where it only has fields of adaptation."""
    if not packet[3] & 0x10:
        return b""
    return packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]


def _seen(packet: bytes) -> _Seen | None:
    payload = _payload(packet)
    if not payload:
        return None
    begins = bool(packet[1] & 0x40) and payload[:3] == _START
    return _pid(packet), bool(packet[3] & 0xC0) or (begins and _is_scrambled_pes(payload))


def _pid(packet: bytes) -> int:
    return int.from_bytes(packet[1:3], "big") & 0x1FFF


def _is_scrambled_pes(head: bytes) -> bool:
    """Tell whether a packet of a stream of MPEG-2 says that what it carries is scrambled."""
    flags = head[6:7]
    return bool(flags) and flags[0] & 0xC0 == _MPEG_2 and bool(flags[0] & 0x30)


def _scrambled(places: Sequence[Iterable[_Seen]]) -> frozenset[int]:
    """Return the streams of which a good part is scrambled at every place where there is enough of them."""
    clear, closed = set[int](), set[int]()
    for place in places:
        counts = Counter(place)
        for number in {number for number, _ in counts}:
            marked, plain = counts[number, True], counts[number, False]
            if marked + plain >= FEWEST_PACKETS:
                (closed if marked >= SCRAMBLED_SHARE * (marked + plain) else clear).add(number)
    return frozenset(closed - clear)


def _types(packets: list[bytes]) -> Mapping[int, int]:
    """Return the kind of each stream that the first map of each programme names."""
    types: dict[int, int] = {}
    maps = set[int]()
    for packet in packets:
        payload = _payload(packet)
        if not packet[1] & 0x40 or not payload:
            continue
        section = payload[1 + payload[0] :]
        if _pid(packet) == 0 and section[:1] == b"\x00":
            maps |= {pid for number, pid in _programmes(section) if number}
        elif _pid(packet) in maps and section[:1] == b"\x02":
            types |= _mapped(section)
    return types


def _programmes(section: bytes) -> Iterator[tuple[int, int]]:
    for at in range(8, min(len(section), _section_end(section)) - 3, 4):
        yield int.from_bytes(section[at : at + 2], "big"), int.from_bytes(section[at + 2 : at + 4], "big") & 0x1FFF


def _mapped(section: bytes) -> dict[int, int]:
    types: dict[int, int] = {}
    at = 12 + (int.from_bytes(section[10:12], "big") & 0xFFF)
    while at + 5 <= min(len(section), _section_end(section)):
        types[int.from_bytes(section[at + 1 : at + 3], "big") & 0x1FFF] = section[at]
        at += 5 + (int.from_bytes(section[at + 3 : at + 5], "big") & 0xFFF)
    return types


def _section_end(section: bytes) -> int:
    """Return where the entries of a table end: before its checksum."""
    return 3 + (int.from_bytes(section[1:3], "big") & 0xFFF) - 4


def _sectors(data: bytes) -> Iterator[_Seen]:
    """Yield the packets of pictures and sound that a part of a program stream holds."""
    at = data.find(_START)
    while 0 <= at < len(data) - 8:
        head = data[at : at + 9]
        if _FIRST_SOUND <= head[3] <= _LAST_VIDEO and head[6] & 0xC0 == _MPEG_2:
            yield head[3], _is_scrambled_pes(head)
            at += 5 + int.from_bytes(head[4:6], "big")
        at = data.find(_START, at + 1)
