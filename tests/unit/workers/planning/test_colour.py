"""What a source's colours are taken for: by its tags, and by conventions where it has none."""

from __future__ import annotations

from typing import Any

import pytest

from storage.model.plan import BT709, Colour
from workers.planning.colour import colour_of, has_alpha
from workers.planning.facts import Stream, parse_probe

HD = {"index": 0, "codec_type": "video", "codec_name": "h264", "width": 1920, "height": 1080, "pix_fmt": "yuv420p"}
SD = {"width": 720, "height": 576}
BT601 = Colour("smpte170m", "bt709", "bt709", full=False)
BT2020 = {"color_space": "bt2020nc", "color_primaries": "bt2020"}


def stream(**fields: Any) -> Stream:
    """Return the parsed stream of high definition with these fields replaced."""
    return parse_probe({"streams": [HD | fields], "format": {}}).streams[0]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, BT709),
        ({"color_space": "unknown", "color_range": "unknown"}, BT709),
        (SD, BT601),
        ({"width": 720, "height": 1280}, BT709),
        (SD | {"color_space": "bt709"}, BT709),
        ({"color_space": "bt470bg", "color_range": "pc"}, Colour("bt470bg", "bt709", "bt709", full=True)),
        ({"color_transfer": "iec61966-2-1", "color_space": "bt709"}, BT709),
        ({"pix_fmt": "yuvj420p"}, Colour("bt709", "bt709", "bt709", full=True)),
        ({"pix_fmt": "yuvj420p", "color_range": "tv"}, BT709),
        ({"pix_fmt": "gbrp", "color_space": "gbr"}, Colour("gbr", "bt709", "bt709", full=True)),
        ({"pix_fmt": "bgra", "color_range": "tv", "color_space": "bt709"}, Colour("gbr", "bt709", "bt709", full=True)),
        (SD | {"pix_fmt": "gray"}, Colour("bt709", "bt709", "bt709", full=True)),
        ({"color_space": "gbr"}, BT709),
        ({"color_space": "smpte2085", "color_primaries": "smpte2085"}, BT709),
        ({"color_transfer": "smpte2084"}, Colour("bt2020nc", "bt2020", "smpte2084", full=False)),
        (SD | {"color_transfer": "arib-std-b67"}, Colour("bt2020nc", "bt2020", "arib-std-b67", full=False)),
        (BT2020 | {"color_transfer": "bt2020-10"}, Colour("bt2020nc", "bt2020", "bt709", full=False)),
        ({"color_primaries": "smpte432"}, Colour("bt709", "smpte432", "bt709", full=False)),
    ],
)
def test_tags_count_and_conventions_fill_in(fields: dict[str, Any], expected: Colour) -> None:
    """Tags that contradict the format of the pixels, or that nobody can follow, are none."""
    assert colour_of(stream(**fields)) == expected


@pytest.mark.parametrize("pixels", ["yuva420p", "yuva444p12le", "gbrap", "rgba", "bgra", "argb", "ya8", "pal8"])
def test_formats_with_transparency_are_known(pixels: str) -> None:
    """Every family of them that decoders give."""
    assert has_alpha(stream(pix_fmt=pixels))


@pytest.mark.parametrize("pixels", ["yuv420p", "yuvj420p", "yuv444p10le", "gbrp", "rgb24", "bgr0", "gray", ""])
def test_formats_without_transparency_are_left_alone(pixels: str) -> None:
    """What has no fourth channel is not put in front of anything."""
    assert not has_alpha(stream(pix_fmt=pixels))


@pytest.mark.parametrize("name", ["alpha_mode", "ALPHA_MODE"])
def test_webm_says_transparency_in_a_tag(name: str) -> None:
    """The picture itself is like any other: transparency lies beside it."""
    assert has_alpha(stream(codec_name="vp9", tags={name: "1"}))
    assert not has_alpha(stream(codec_name="vp9", tags={name: "0"}))
