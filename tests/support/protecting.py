"""Making protected files of clear ones: the marks that each container sets, and pictures that are noise without a key.

Only what a player without the key meets is made here; nothing can be decrypted again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

from tests.support.ebml import element, extent

PLAYREADY = UUID("298ae614-2622-4c17-b935-dae07ee9289c").bytes_le  # Extended Content Encryption Object
MEDIA_DRM = UUID("2211b3fb-bd23-11d2-b4b7-00a0c955fc6e").bytes_le  # Content Encryption Object
_ASF_STREAM = UUID("b7dc0791-a9b7-11cf-8ee6-00c00c205365").bytes_le
_TS_PACKET, _SECTOR = 188, 2048
_TRACKS, _ENTRY = bytes.fromhex("1654ae6b"), b"\xae"
_SEEK_ID = b"\x53\xab\x84"  # before the name of an element in Matroska's list of places
_TRIPLET = bytes.fromhex("060e2b34020401070d010301027e0100")
_ESSENCE = bytes.fromhex("060e2b3401020101")

Change = Callable[[bytes], bytes]


def changed(source: Path, target: Path, change: Change) -> Path:
    """Write the file as the change makes it."""
    target.write_bytes(change(source.read_bytes()))
    return target


def renamed(**names: str) -> Change:
    """Return the change that gives MP4's descriptions of samples other names: `renamed(avc1="encv")`."""

    def change(data: bytes) -> bytes:
        for old, new in names.items():
            place = data.index(old.encode(), data.index(b"stsd"))
            data = data[:place] + new.encode() + data[place + 4 :]
        return data

    return change


def scheme(name: str) -> Change:
    """Return the change of the scheme by which an MP4 says that it is encrypted."""
    return lambda data: data.replace(b"schm\0\0\0\0cenc", b"schm\0\0\0\0" + name.encode())


def with_key_box(data: bytes) -> bytes:
    """Return the MP4 with the box of a key system behind everything."""
    return data + b"\0\0\0\x20pssh" + bytes(4) + UUID("edef8ba9-79d6-4ace-a3c8-27dcd51d21ed").bytes + bytes(4)


def with_box_of_track(name: str, contents: bytes) -> Change:
    """Return the change that puts a box of one's own (a UUID in hexadecimal) at the end of an MP4's only track."""

    def change(data: bytes) -> bytes:
        added = (24 + len(contents)).to_bytes(4, "big") + b"uuid" + bytes.fromhex(name) + contents
        grown, end = bytearray(data), 0
        for kind in (b"moov", b"trak"):
            place = data.index(kind) - 4
            size = int.from_bytes(data[place : place + 4], "big")
            grown[place : place + 4] = (size + len(added)).to_bytes(4, "big")
            end = place + size
        return bytes(grown[:end]) + added + bytes(grown[end:])

    return change


def protected_asf(kind: bytes, *, flags: tuple[bool, ...] = ()) -> Change:
    """Return the change that puts an object of protection into ASF's header, and flags on its streams in turn."""

    def change(data: bytes) -> bytes:
        size, count = int.from_bytes(data[16:24], "little"), int.from_bytes(data[24:28], "little")
        added = kind + (24 + 40).to_bytes(8, "little") + bytes(40)
        header = bytearray(data[:size] + added)
        header[16:28] = (size + len(added)).to_bytes(8, "little") + (count + 1).to_bytes(4, "little")
        place = 0
        for flag in flags:
            place = header.index(_ASF_STREAM, place) + 24
            header[place + 49] |= 0x80 * flag
        # Behind the header and the head of the data everything is in packets: noise, as it is without a key.
        return bytes(header) + data[size:]

    return change


def encrypted_matroska(kinds: frozenset[int], *, algorithm: int = 5) -> Change:
    """Return the change that declares tracks of the kinds (1 video, 2 sound) encrypted, in a file without an index."""

    def change(data: bytes) -> bytes:
        encryption = element(b"\x47\xe1", bytes([algorithm])) + element(b"\x47\xe2", bytes(16))
        encoding = element(b"\x50\x33", b"\x01") + element(b"\x50\x35", encryption)
        encodings = element(b"\x6d\x80", element(b"\x62\x40", encoding))
        start = data.index(_TRACKS)
        if data[start - 3 : start] == _SEEK_ID:
            start = data.index(_TRACKS, start + 1)
        payload, end = extent(data, start + 4)
        entries = [
            entry + encodings if int.from_bytes(_child(entry, b"\x83"), "big") in kinds else entry
            for entry in _children(data[payload:end])
        ]
        return data[:start] + element(_TRACKS, b"".join(element(_ENTRY, entry) for entry in entries)) + data[end:]

    return change


def scrambled_transport(*pids: int, share: float = 1.0, first: float = 0.0, packet: int = _TS_PACKET) -> Change:
    """Return the change that scrambles a share of the streams' packets, from a part of the file on."""

    def change(data: bytes) -> bytes:
        made, noise = bytearray(data), random.Random(7)
        before = packet % 188 if packet == 192 else 0
        for start in range(before, len(data) - 187, packet):
            pid = int.from_bytes(data[start + 1 : start + 3], "big") & 0x1FFF
            begin = start + (5 + data[start + 4] if data[start + 3] & 0x20 else 4)
            if pid in pids and start >= first * len(data) and begin < start + 188 and noise.random() < share:
                made[start + 3] |= 0x80
                made[begin : start + 188] = noise.randbytes(start + 188 - begin)
        return bytes(made)

    return change


def sample_encrypted(data: bytes) -> bytes:
    """Return the transport stream whose map says H.264 and AAC with encrypted samples, as Apple's players take it."""
    return data.replace(b"\x1b\xe1\x00", b"\xdb\xe1\x00").replace(b"\x0f\xe1\x01", b"\xcf\xe1\x01")


def scrambled_sectors(data: bytes) -> bytes:
    """Return a DVD's file with every other sector of pictures scrambled, as it lies on the disc."""
    made, noise = bytearray(data), random.Random(7)
    for number, start in enumerate(range(0, len(data), _SECTOR)):
        place = data.find(b"\x00\x00\x01\xe0", start, start + _SECTOR)
        if place >= 0 and number % 2:
            made[place + 6] |= 0x30
            made[start + 128 : start + _SECTOR] = noise.randbytes(_SECTOR - 128)
    return bytes(made)


def filtered_flash(data: bytes) -> bytes:
    """Return the Flash video with its pictures marked to be decrypted."""
    made, at = bytearray(data), 13
    while at + 11 < len(made):
        made[at] |= 0x20 * (made[at] == 9)
        at += 11 + int.from_bytes(made[at + 1 : at + 4], "big") + 4
    return bytes(made)


def encrypted_mxf(data: bytes) -> bytes:
    """Return the MXF with its essence in encrypted packets, as cinemas get it."""
    made, at = bytearray(data), data.find(_ESSENCE)
    while at >= 0:
        made[at : at + 16] = _TRIPLET
        at = data.find(_ESSENCE, at + 16)
    return bytes(made)


def _children(data: bytes) -> Iterator[bytes]:
    """Yield what the entries of a list of tracks hold."""
    at = 0
    while at < len(data):
        name = 9 - data[at].bit_length()
        payload, end = extent(data, at + name)
        if data[at : at + name] == _ENTRY:
            yield data[payload:end]
        at = end


def _child(data: bytes, name: bytes) -> bytes:
    at = 0
    while at < len(data):
        found = data[at : at + 9 - data[at].bit_length()]
        payload, end = extent(data, at + len(found))
        if found == name:
            return data[payload:end]
        at = end
    return b""
