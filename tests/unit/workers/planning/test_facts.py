"""Reading ffprobe's answers: what real files say, and what files made to hurt say."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from storage.media_errors import NotMediaError
from tests.support.matrices import QUARTERS, told
from workers.planning.facts import MAX_STREAMS, Stream, parse_field_order, parse_probe
from workers.planning.rotation import Orientation

VIDEO: dict[str, Any] = {
    "index": 0,
    "codec_name": "h264",
    "codec_type": "video",
    "width": 1440,
    "height": 1080,
    "sample_aspect_ratio": "4:3",
    "field_order": "tt",
    "avg_frame_rate": "30000/1001",
    "color_transfer": "bt709",
    "start_time": "1.400000",
    "duration": "10.010000",
    "disposition": {"default": 1, "attached_pic": 0},
    "side_data_list": [told(QUARTERS[90]) | {"rotation": -90}],
}
SOUND: dict[str, Any] = {
    "index": 1,
    "codec_name": "aac",
    "codec_type": "audio",
    "channels": 6,
    "sample_rate": "48000",
    "start_time": "1.333000",
    "disposition": {"default": 0},
}


def stream(**fields: Any) -> Stream:
    """Return the parsed video stream with these fields replaced."""
    return parse_probe({"streams": [VIDEO | fields], "format": {}}).streams[0]


def test_a_whole_answer_becomes_facts() -> None:
    """Every field that planning uses is read, with its unit."""
    probe = parse_probe(
        {
            "streams": [VIDEO, SOUND],
            "format": {"format_name": "mov,mp4", "start_time": "1.333000", "duration": "10.1"},
        }
    )
    video, sound = probe.streams
    assert (probe.container, probe.start_time, probe.duration) == ("mov,mp4", 1.333, 10.1)
    assert (video.kind, video.codec, video.width, video.height) == ("video", "h264", 1440, 1080)
    assert (video.pixel_aspect, video.turn, video.field_order) == (Fraction(4, 3), Orientation(270), "tt")
    assert (video.average_rate, video.start_time, video.duration) == (Fraction(30_000, 1001), 1.4, 10.01)
    assert (video.default, video.cover, sound.default) == (True, False, False)
    assert (sound.channels, sound.sample_rate, sound.duration) == (6, 48_000, None)


def test_side_data_without_a_matrix_are_passed_over() -> None:
    """Mastering metadata may stand before the display matrix."""
    sides = [{"side_data_type": "Content light level metadata"}, told(QUARTERS[90])]
    assert stream(side_data_list=sides).turn == Orientation(270)


@pytest.mark.parametrize("text", ["N/A", "nan", "inf", "-inf", None])
def test_times_that_are_no_number_are_unknown(text: str | None) -> None:
    """An unknown duration is None and an unknown start is the beginning."""
    probe = parse_probe({"streams": [VIDEO | {"duration": text, "start_time": text}], "format": {"duration": text}})
    assert (probe.duration, probe.streams[0].duration, probe.streams[0].start_time) == (None, None, 0.0)


@pytest.mark.parametrize("text", ["0/0", "25/0", "0/1", "-25/1", "25/-1", "60000/1", "", "N/A"])
def test_impossible_rates_are_unknown(text: str) -> None:
    """A rate with a denominator of 0 divides nothing, and a time base is no rate."""
    assert stream(avg_frame_rate=text).average_rate == 0


@pytest.mark.parametrize("text", ["0:1", "1:0", "N/A", "", "0:0", "-1:1"])
def test_impossible_pixels_are_square(text: str) -> None:
    """Pixels without a shape are square ones."""
    assert stream(sample_aspect_ratio=text).pixel_aspect == 1


def test_a_stream_may_say_nothing_at_all() -> None:
    """Of a stream that ffprobe cannot read only the number is sure."""
    bare = parse_probe({"streams": [{"index": 3}]}).streams[0]
    assert (bare.index, bare.kind, bare.codec, bare.width, bare.channels) == (3, "", "", 0, 0)


@pytest.mark.parametrize(("text", "number"), [("0x1e0", 480), ("0x1", 1), ("N/A", -1), ("", -1), ("0x", -1)])
def test_the_number_of_a_stream_in_its_container_is_read(text: str, number: int) -> None:
    """Containers without numbers have none."""
    assert stream(id=text).id == number


@pytest.mark.parametrize(
    ("side_data", "found"),
    [
        ({"side_data_type": "Spherical Mapping", "projection": "tiled equirectangular"}, ("tiled equirectangular", "")),
        ({"side_data_type": "Spherical Mapping", "projection": "rectilinear"}, ("", "")),
        ({"side_data_type": "Stereo 3D", "type": "side by side"}, ("", "side by side")),
        ({"side_data_type": "Stereo 3D", "type": "2D"}, ("", "")),
        ({"side_data_type": "Stereo 3D"}, ("", "")),
        ({"side_data_type": "Content light level metadata", "type": "side by side"}, ("", "")),
    ],
)
def test_projections_and_views_are_read(side_data: dict[str, Any], found: tuple[str, str]) -> None:
    """What is not flat is known by ffmpeg's own name of it."""
    seen = stream(side_data_list=[{"side_data_type": "Display Matrix"}, side_data])
    assert (seen.projection, seen.views) == found


@pytest.mark.parametrize(
    ("container", "raw"), [("h264", True), ("obu", True), ("mpegts", False), ("matroska,webm", False)]
)
def test_streams_without_a_container_are_raw(container: str, *, raw: bool) -> None:
    """Their packets have no times to be believed."""
    assert parse_probe({"streams": [VIDEO], "format": {"format_name": container}}).streams[0].raw is raw


@pytest.mark.parametrize("answer", [{}, {"streams": []}, {"format": {"format_name": "mov"}}])
def test_nothing_inside_is_refused(answer: dict[str, Any]) -> None:
    """A container with no stream is not a video."""
    with pytest.raises(NotMediaError, match="no streams"):
        parse_probe(answer)


def test_hundreds_of_streams_are_refused() -> None:
    """The limit itself passes, 1500 tracks do not, and the message says how many there are."""
    assert len(parse_probe({"streams": [VIDEO] * MAX_STREAMS}).streams) == MAX_STREAMS
    with pytest.raises(NotMediaError, match="1500 streams"):
        parse_probe({"streams": [VIDEO] * 1500})


@pytest.mark.parametrize(
    ("text", "order"),
    [("1|1\n1|1\n", "tt"), ("1|0|\n", "bb"), ("0|0\n1|0\n", "bb"), ("0|0\n0|0\n", "progressive"), ("", "progressive")],
)
def test_the_first_interlaced_picture_tells_the_order_of_fields(text: str, order: str) -> None:
    """Films may begin with progressive titles; without a picture nothing is interlaced."""
    assert parse_field_order(text) == order
