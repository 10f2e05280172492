"""Headers from anybody's bytes: what they say, and that nothing they say costs more than a bounded look."""

from __future__ import annotations

import random
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.objects.local import LocalObjectStore
from tests.support.odd_containers import Shown, animated_png, animated_webp
from tests.support.protecting import MEDIA_DRM, PLAYREADY, protected_asf
from workers.planning.headers.byte_ranges import BLOCK_BYTES, MOST_BLOCKS, MOST_READS, Ranges, ranges_of
from workers.planning.headers.read_headers import READERS, read_headers
from workers.planning.headers.tracks import AUDIO, VIDEO, Headers, Track
from workers.planning.unlisted import FINDERS
from workers.sandbox.relay import Relay

SLOWEST_LOOK = 5.0  # seconds, on a machine that does other things as well


def in_memory(data: bytes) -> Ranges:
    """Return bytes as a file."""
    return Ranges(lambda start, length: data[start : start + length], len(data))


def headers(data: bytes) -> Headers:
    """Return what the bytes say."""
    return read_headers(in_memory(data))


def box(kind: bytes, *contents: bytes) -> bytes:
    """Return a box of MP4."""
    payload = b"".join(contents)
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def trak(number: int, handler: bytes, *entries: bytes) -> bytes:
    """Return a track of MP4 with descriptions of its samples."""
    head = box(b"tkhd", bytes(12), struct.pack(">I", number), bytes(68))
    table = box(b"stsd", bytes(4), struct.pack(">I", len(entries)), *entries)
    media = box(b"mdia", box(b"hdlr", bytes(8), handler, bytes(13)), box(b"minf", box(b"stbl", table)))
    return box(b"trak", head, media)


SCHEME = box(b"sinf", box(b"frma", b"avc1"), box(b"schm", bytes(4), b"cenc", bytes(4)), box(b"schi", bytes(24)))
FTYP = box(b"ftyp", b"isom", bytes(4))


def ebml(name: str, payload: bytes) -> bytes:
    """Return an element of Matroska."""
    return bytes.fromhex(name) + (1 << 28 | len(payload)).to_bytes(4, "big") + payload


def asf(*kinds: str) -> bytes:
    """Return a header of ASF with a stream of each kind."""
    types = {"video": "c0ef19bc4d5bcf11a8fd00805f5c442b", "audio": "409e69f84d5bcf11a8fd00805f5c442b"}
    stream = bytes.fromhex("9107dcb7b7a9cf118ee600c00c205365")
    objects = [stream + struct.pack("<Q", 24 + 54) + bytes.fromhex(types[kind]) + bytes(38) for kind in kinds]
    whole = b"".join(objects)
    head = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + struct.pack("<QI", 30 + len(whole), len(kinds))
    return head + b"\x01\x02" + whole


@pytest.mark.parametrize(
    ("entry", "encrypted"),
    [
        (box(b"avc1", bytes(78)), False),
        (box(b"encv", bytes(78)), True),
        (box(b"drmi", bytes(78)), True),
        (box(b"avc1", bytes(78), SCHEME), True),
        (box(b"avc1", bytes(78), box(b"sinf", box(b"frma", b"avc1"))), False),
        (box(b"resv", bytes(78), box(b"rinf", box(b"schm", bytes(12)), box(b"schi"))), False),
    ],
    ids=["clear", "common", "FairPlay", "by its scheme", "an empty scheme", "restricted, not encrypted"],
)
def test_a_description_of_samples_tells_encryption(entry: bytes, *, encrypted: bool) -> None:
    """By its name or by its scheme; a clear one beside it does not help."""
    data = FTYP + box(b"moov", trak(7, b"vide", entry), trak(9, b"soun", box(b"mp4a", bytes(28))))
    assert headers(data) == Headers("mov", by_id={7: Track(VIDEO, encrypted), 9: Track(AUDIO)})
    assert headers(data).all_pictures_encrypted is encrypted
    two = FTYP + box(b"moov", trak(7, b"vide", box(b"avc1", bytes(78)), entry))
    assert headers(two).all_pictures_encrypted is encrypted


def test_the_index_of_an_mp4_may_lie_anywhere() -> None:
    """Behind long contents, with a size of 64 bits, or to the end of the file."""
    moov = box(b"moov", trak(1, b"vide", box(b"encv", bytes(78))))
    long = struct.pack(">I4sQ", 1, b"mdat", 16 + 300_000) + bytes(300_000)
    assert headers(FTYP + long + moov).all_pictures_encrypted
    assert headers(FTYP + bytes(4) + moov[4:]).all_pictures_encrypted


@pytest.mark.parametrize(
    ("name", "contents", "found"),
    [
        (b"ipcm", "000000000118", "pcm_s24le"),
        (b"ipcm", "000000000010", "pcm_s16be"),
        (b"fpcm", "000000000020", "pcm_f32be"),
        (b"fpcm", "000000000140", "pcm_f64le"),
        (b"ipcm", "0000", ""),
        (b"twos", "000000000118", ""),
    ],
)
def test_a_description_of_pcm_is_ffmpegs_name_of_it(name: bytes, contents: str, found: str) -> None:
    """Order of bytes and bits come from the box that only plain PCM has."""
    entry = box(name, bytes(28), box(b"pcmC", bytes.fromhex(contents)))
    assert headers(FTYP + box(b"moov", trak(2, b"soun", entry))).by_id == {2: Track(AUDIO, pcm=found)}


def test_a_picture_is_one_without_an_index_of_times() -> None:
    """HEIF's own index makes a photo; beside a film's it is a thumbnail of a sequence."""
    meta = box(b"meta", bytes(4), box(b"hdlr", bytes(8), b"pict", bytes(13)))
    assert headers(FTYP + meta + box(b"mdat")).still
    sequence = FTYP + meta + box(b"moov", trak(1, b"pict", box(b"av01", bytes(78))))
    assert headers(sequence) == Headers("mov", by_id={1: Track(VIDEO)})
    assert not headers(FTYP + box(b"meta", bytes(4), box(b"hdlr", bytes(8), b"mdir", bytes(13)))).still


def test_the_tracks_of_matroska_are_found_by_its_list_of_places() -> None:
    """They may stand behind all clusters."""
    encoding = ebml("6240", ebml("5033", b"\x01") + ebml("5035", ebml("47e1", b"\x05")))
    entry = ebml("ae", ebml("83", b"\x01") + ebml("86", b"V_VP9") + ebml("6d80", encoding))
    nameless = ebml("ae", ebml("83", b"\x02"))
    clear = ebml("ae", ebml("83", b"\x02") + ebml("86", b"A_OPUS"))
    cluster, tracks = ebml("1f43b675", bytes(100_000)), ebml("1654ae6b", nameless + entry + clear)
    for place in (b"\0\0\0\0", b"\0\0"):
        seek = ebml("114d9b74", ebml("4dbb", ebml("53ab", bytes.fromhex("1654ae6b")) + ebml("53ac", place)))
        at = (len(seek) + len(cluster)).to_bytes(len(place), "big") if len(place) == 4 else place
        seek = seek.replace(ebml("53ac", place), ebml("53ac", at))
        found = headers(ebml("1a45dfa3", b"") + ebml("18538067", seek + cluster + tracks))
        there = {0: Track(VIDEO, encrypted=True), 1: Track(AUDIO)} if len(place) == 4 else {}
        assert found == Headers("matroska", by_place=there)


@pytest.mark.parametrize("kind", [PLAYREADY, MEDIA_DRM])
@pytest.mark.parametrize(
    ("flags", "encrypted"),
    [((), [True, True]), ((True, True), [True, True]), ((True, False), [True, False]), ((False, True), [False, True])],
)
def test_protection_of_asf_is_of_the_streams_that_say_so(
    kind: bytes, flags: tuple[bool, ...], encrypted: list[bool]
) -> None:
    """Where no stream says so, of all."""
    assert not headers(asf("video", "audio")).all_pictures_encrypted
    found = headers(protected_asf(kind, flags=flags)(asf("video", "audio")))
    assert [track.encrypted for track in found.by_place.values()] == encrypted


def test_files_of_pictures_are_told_apart(tmp_path: Path) -> None:
    """A photo of two pictures is a photo, of many it is a stream; an animation of one picture is a picture."""
    jpeg = b"\xff\xd8\xff\xe0" + bytes(2000) + b"\xff\xd9"
    assert (headers(jpeg).still, headers(jpeg * 2).still) == (True, True)
    assert (headers(jpeg * 25).moving, headers(jpeg * 25).still) == (True, False)
    views = jpeg.replace(b"\xe0", b"\xe2\0\x08MPF\0", 1)
    assert (headers(views * 9).moving, headers(views * 9).still) == (False, True)
    assert headers(animated_webp(tmp_path / "a.webp").read_bytes()).animated
    red = Shown((255, 0, 0, 255), 10)
    assert headers(animated_png(tmp_path / "1.png", [red]).read_bytes()).still
    assert not headers(animated_png(tmp_path / "2.png", [red, red]).read_bytes()).still


@given(st.binary(max_size=400_000), st.lists(st.tuples(st.integers(0, 420_000), st.integers(0, 200_000)), max_size=8))
def test_pieces_are_those_of_the_file(data: bytes, places: list[tuple[int, int]]) -> None:
    """Whatever is asked for, in whatever order: never more than there is."""
    file = in_memory(data)
    for start, length in places:
        assert file.read(start, length) == data[start : start + length]


def test_pieces_come_from_another_machine_as_well(tmp_path: Path) -> None:
    """Through the relay, and of an empty object nothing."""
    objects = LocalObjectStore(tmp_path)
    objects.prepare()
    data = random.Random(3).randbytes(3 * BLOCK_BYTES + 17)
    for key, content in (("film", data), ("empty", b"")):
        objects.put_bytes(key, content, content_type="video/mp4")
        with Relay(objects, key) as relay, ranges_of(relay.url) as file:
            assert file.size == len(content)
            for start, length in ((0, 10), (BLOCK_BYTES - 3, 9), (len(content) - 5, 99), (10**9, 1), (0, len(content))):
                assert file.read(start, length) == content[max(0, start) : max(0, start + length)][-length:]


def test_a_look_ends() -> None:
    """So many blocks, so many reads, and then the file is at its end."""
    fetched: list[int] = []

    def fetch(start: int, length: int) -> bytes:
        fetched.append(start)
        return bytes(length)

    file = Ranges(fetch, 2**60)
    for place in range(2 * MOST_BLOCKS):
        assert bool(file.read(place * BLOCK_BYTES, 1)) is (place < MOST_BLOCKS)
    assert len(fetched) == MOST_BLOCKS
    near = in_memory(bytes(10))
    assert [bool(near.read(0, 1)) for _ in range(MOST_READS + 1)].index(False) == MOST_READS


def test_a_file_is_looked_at_again_with_fresh_patience() -> None:
    """What was read last is not fetched once more, and what was read in vain takes nothing from the next look."""
    fetched: list[int] = []

    def fetch(start: int, length: int) -> bytes:
        fetched.append(start)
        return bytes(length)

    file = Ranges(fetch, 2**60)
    while file.read(len(fetched) * BLOCK_BYTES, 1):
        pass
    assert len(fetched) == MOST_BLOCKS
    again = file.again()
    assert again.read((MOST_BLOCKS - 1) * BLOCK_BYTES, 1)
    assert len(fetched) == MOST_BLOCKS
    assert again.read(MOST_BLOCKS * BLOCK_BYTES, 1)


MATROSKA = bytes.fromhex("1a45dfa380")
NOTHING_MUCH = bytes(16) + struct.pack("<Q", 24)  # an object of ASF
HOSTILE = {
    "boxes without end": FTYP + box(b"moov", *[trak(n, b"vide", *[box(b"free")] * 4000) for n in range(100)]),
    "boxes in boxes": FTYP + (box(b"moov") * 100_000),
    "a box of nothing": FTYP + struct.pack(">I4s", 3, b"moov"),
    "a box larger than the world": FTYP + struct.pack(">I4sQ", 1, b"mdat", 2**64 - 1),
    "elements without end": bytes.fromhex("1a45dfa380")
    + ebml("18538067", ebml("1654ae6b", ebml("ae", b"\x81\x80" * 2**20))),
    "places of places": MATROSKA + ebml("18538067", ebml("114d9b74", ebml("4dbb", b"") * 50_000)),
    "objects without end": asf()[:16] + struct.pack("<Q", 2**63) + bytes(6) + NOTHING_MUCH * 90_000,
    "sync bytes only": b"\x47" * 2**21,
    "starts of packets only": b"\x00\x00\x01\xba" + b"\x00\x00\x01\xe0" * 2**19,
    "ends of pictures only": b"\xff\xd8\xff" + b"\xff\xd9" * 2**22,
    "tags of nothing": b"FLV\x01\x05\x00\x00\x00\x09" + bytes(2**20),
    "packets of nothing": bytes.fromhex("060e2b34020501010d0102010102040000") + bytes(2**20),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_headers_are_looked_at_for_a_moment(name: str) -> None:
    """Tables that promise millions of entries end with the look, without an error and without a false word."""
    began = time.process_time()
    found = headers(HOSTILE[name])
    assert time.process_time() - began < SLOWEST_LOOK
    assert not found.all_pictures_encrypted
    began = time.process_time()
    for find in FINDERS:
        find(in_memory(HOSTILE[name]), 99)
    assert time.process_time() - began < SLOWEST_LOOK


SEEDS = [
    FTYP + box(b"moov", trak(1, b"vide", box(b"avc1", bytes(78), SCHEME)), trak(2, b"soun", box(b"ipcm", bytes(40)))),
    bytes.fromhex("1a45dfa380")
    + ebml("18538067", ebml("1654ae6b", ebml("ae", ebml("83", b"\x01") + ebml("86", b"V"))))
    + bytes(99),
    protected_asf(PLAYREADY)(asf("video", "audio")),
    b"FLV\x01\x05\x00\x00\x00\x09\0\0\0\0\x29\0\0\x04" + bytes(11),
    b"".join(b"\x47\x41\x00\x90" + bytes(184) for _ in range(40)),
    b"\x00\x00\x01\xba" + bytes(10) + b"\x00\x00\x01\xe0\x00\x10\xb0" + bytes(30),
    b"\x89PNG\r\n\x1a\n" + bytes(3) + b"\x08acTL" + bytes(30),
    b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02",
    b"RIFF\0\0\0\0AVI LIST\x38\0\0\0hdrlLIST\x2c\0\0\0strlstrh\x08\0\0\0audsxxxxstrf\x10\0\0\0" + bytes(16),
]


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=12), st.data())
def test_no_bytes_make_a_reader_fail(seed: bytes, changes: list[tuple[int, int]], draw: st.DataObject) -> None:
    """Headers changed and cut anywhere are read as far as they make sense, by every reader."""
    data = bytearray(seed)
    for place, value in changes:
        data[place % len(data)] = value
    file = in_memory(bytes(data[: draw.draw(st.integers(0, len(data)))]))
    for read in READERS:
        assert read(file) is None or isinstance(read(file), Headers)
    spans = [span for find in FINDERS for stream in range(3) for span in find(file, stream)]
    assert all(0 <= start < end for start, end in spans)
