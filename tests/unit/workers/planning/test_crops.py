"""What containers hide of their pictures: as ffprobe tells it, as files say it, and as files made to hurt say it."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.plan import Crop
from workers.planning.facts import Probe, Stream, parse_probe
from workers.planning.headers.byte_ranges import Ranges
from workers.planning.headers.read_headers import read_headers, with_headers
from workers.planning.headers.tracks import Headers, Track
from workers.sandbox.ffmpeg_features import Abilities, parse_abilities

EDGES = ("left", "right", "top", "bottom")


def read(data: bytes) -> Headers:
    """Return what the headers of these bytes say."""
    return read_headers(Ranges(lambda start, length: data[start : start + length], len(data)))


def box(kind: bytes, *contents: bytes) -> bytes:
    """Return a box of MP4."""
    body = b"".join(contents)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def mp4(*numbers: int, size: tuple[int, int] = (208, 140)) -> bytes:
    """Return an MP4 of one track of H.264 of that size, with a clean aperture."""
    entry = bytes(24) + struct.pack(">HH", *size) + bytes(50) + box(b"clap", struct.pack(f">{len(numbers)}i", *numbers))
    table = box(b"stbl", box(b"stsd", bytes(8), box(b"avc1", entry)))
    media = box(b"mdia", box(b"hdlr", bytes(8), b"vide", bytes(12)), box(b"minf", table))
    head = box(b"tkhd", bytes(12), (1).to_bytes(4, "big"), bytes(68))
    return box(b"ftyp", b"isom", bytes(4)) + box(b"moov", box(b"trak", head, media))


def element(name: int, *contents: bytes) -> bytes:
    """Return an element of Matroska."""
    body = b"".join(contents)
    return name.to_bytes((name.bit_length() + 7) // 8, "big") + (1 << 56 | len(body)).to_bytes(8, "big") + body


def matroska(**numbers: int) -> bytes:
    """Return a Matroska file of one track of pictures, 208 x 140, with further numbers of it."""
    names = dict(zip(EDGES, (0x54CC, 0x54DD, 0x54BB, 0x54AA), strict=True))
    names |= {
        "width": 0xB0,
        "height": 0xBA,
        "shown_width": 0x54B0,
        "shown_height": 0x54BA,
        "unit": 0x54B2,
        "stereo": 0x53B8,
    }
    known = {"width": 208, "height": 140} | numbers
    picture = [element(names[name], number.to_bytes(4, "big")) for name, number in known.items()]
    track = element(0xAE, element(0x83, b"\x01"), element(0x86, b"V_MPEG4/ISO/AVC"), element(0xE0, *picture))
    return element(0x1A45DFA3) + element(0x18538067, element(0x1654AE6B, track))


def probed(container: str, **fields: Any) -> Probe:
    """Return the probe of a file of one stream of 208 x 140."""
    stream = {"index": 0, "id": "0x1", "codec_type": "video", "codec_name": "h264", "width": 208, "height": 140}
    return parse_probe({"streams": [stream | fields], "format": {"format_name": container}})


def told(data: bytes, container: str, **fields: Any) -> Stream:
    """Return what is known of the stream by probe and headers."""
    return with_headers(probed(container, **fields), read(data)).streams[0]


APERTURES = {
    "in the middle": ((192, 1, 108, 1, 0, 1, 0, 1), Crop(8, 8, 16, 16)),
    "beside it": ((192, 1, 108, 1, 2, 1, 4, 1), Crop(10, 6, 20, 12)),
    "half a pixel": ((193, 1, 140, 1, 0, 1, 0, 1), Crop(7, 8, 0, 0)),
    "fractions": ((384, 2, 324, 3, -4, 2, 0, 7), Crop(6, 10, 16, 16)),
    "all of it": ((208, 1, 140, 1, 0, 1, 0, 1), None),
    "beyond it": ((208, 1, 140, 1, 1, 1, 0, 1), None),
    "more than it": ((300, 1, 140, 1, 0, 1, 0, 1), None),
    "nothing of it": ((0, 1, 0, 1, 0, 1, 0, 1), None),
    "no fractions": ((192, 0, 108, 0, 0, 0, 0, 0), None),
    "below nothing": ((-192, 1, -108, 1, 0, 1, 0, 1), None),
    "cut off": ((192, 1, 108, 1, 0, 1), None),
}


@pytest.mark.parametrize("name", APERTURES)
def test_a_clean_aperture(name: str) -> None:
    """Its size and its centre's offset say what is hidden; what makes no sense hides nothing."""
    numbers, crop = APERTURES[name]
    assert told(mp4(*numbers), "mov,mp4,m4a,3gp,3g2,mj2").crop == crop


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=0, max_size=9), st.tuples(*[st.integers(0, 65535)] * 2))
def test_no_aperture_breaks_the_planner(numbers: list[int], size: tuple[int, int]) -> None:
    """Any numbers leave something of the picture."""
    crop = told(mp4(*numbers, size=size), "mov,mp4").crop or Crop()
    assert crop.left + crop.right < 208
    assert crop.top + crop.bottom < 140
    assert min(crop.left, crop.right, crop.top, crop.bottom) >= 0


SHOWN: dict[str, tuple[dict[str, int], Fraction]] = {
    "not said": ({}, Fraction(1)),
    "that of the rest": ({"shown_width": 192, "shown_height": 108}, Fraction(1)),
    "twice as wide": ({"shown_width": 384, "shown_height": 108}, Fraction(2)),
    "only its height": ({"shown_height": 54}, Fraction(2)),
    "a shape": ({"shown_width": 16, "shown_height": 9, "unit": 3}, Fraction(1)),
    "unknown": ({"shown_width": 1, "shown_height": 9, "unit": 4}, Fraction(4, 3)),
    "of two eyes": ({"shown_width": 192, "shown_height": 108, "stereo": 1}, Fraction(4, 3)),
    "nothing": ({"shown_width": 0, "shown_height": 0}, Fraction(4, 3)),
}


@pytest.mark.parametrize("name", SHOWN)
def test_the_size_to_be_shown_is_that_of_the_rest(name: str) -> None:
    """The ffprobe of ffmpeg 5 reckons with the whole picture; where the rest cannot be told either, its word stays."""
    numbers, aspect = SHOWN[name]
    stream = told(matroska(left=10, right=6, top=20, bottom=12, **numbers), "matroska,webm", sample_aspect_ratio="4:3")
    assert (stream.crop, stream.pixel_aspect) == (Crop(10, 6, 20, 12), aspect)


@pytest.mark.parametrize("edges", [(0, 0, 0, 0), (104, 104, 0, 0), (0, 0, 2**32 - 1, 0), (0, 0, 70, 70)])
def test_what_leaves_nothing_hides_nothing(edges: tuple[int, ...]) -> None:
    """A picture whose edges meet would be none."""
    numbers = dict(zip(EDGES, edges, strict=True))
    stream = told(matroska(**numbers), "matroska,webm", sample_aspect_ratio="4:3")
    assert (stream.crop, stream.pixel_aspect) == (None, Fraction(4, 3))


def test_newer_ffprobe_tells_of_other_containers() -> None:
    """Where no reader of ours knows of a crop; nonsense is passed over."""
    hidden = {"side_data_type": "Frame Cropping", "crop_top": 20, "crop_bottom": 12, "crop_left": 10, "crop_right": 6}
    assert probed("mxf", side_data_list=[{}, hidden]).streams[0].crop == Crop(10, 6, 20, 12)
    for nonsense in (140, -1, "20", None, 2**31):
        found = probed("mxf", side_data_list=[hidden | {"crop_top": nonsense, "crop_bottom": 0}]).streams[0].crop
        assert found in {None, Crop(10, 6, 0, 0)}


def test_only_pictures_are_cropped() -> None:
    """A track that is something else for ffprobe keeps what it is."""
    headers = Headers("mov", by_id={1: Track("video", crop=Crop(left=2))})
    sound = with_headers(probed("mov,mp4", codec_type="audio"), headers).streams[0]
    assert sound.crop is None


def test_abilities_are_read_from_the_list_of_options() -> None:
    """An option of decoders that has the same name, and a word in a description, are none."""
    older = "-autorotate         insert filters\n  -apply_cropping    <boolean>    .D.V.......\n-x  see -apply_cropping"
    assert parse_abilities(older) == Abilities(crops=False)
    newer = "-autorotate[:<stream_spec>]  insert\n-apply_cropping[:<stream_spec>]  select the cropping to apply\n"
    assert parse_abilities(newer) == Abilities(crops=True)
    assert parse_abilities("") == Abilities()
