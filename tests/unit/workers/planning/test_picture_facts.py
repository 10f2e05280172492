"""What ffprobe prints of pictures, read defensively; and where a file is looked at."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.workers.planning.test_make_plan import probed, video
from workers.planning.make_plan import choose_video
from workers.planning.picture_facts import MAX_LOOKS, MIN_LOOKS, Look, gaps_of, parse_looks, places

LINE = (
    "best_effort_timestamp_time=4.440000|width=544|height=576|pix_fmt=yuv420p|sample_aspect_ratio=24:17|"
    "interlaced_frame=1|top_field_first=0|color_range=tv|color_space=unknown|color_primaries=unknown|"
    "color_transfer=unknown|"
)
UNKNOWN = dict.fromkeys(("matrix", "primaries", "transfer"), "unknown")
TAGS: dict[str, Any] = {"pixel_format": "yuv420p", "range": "tv", **UNKNOWN}


def test_a_picture_is_read() -> None:
    """Size, shape, fields and colours of one line; empty lines between them are nothing."""
    expected = Look(4.44, 544, 576, Fraction(24, 17), interlaced=True, **TAGS)
    assert parse_looks(f"\n{LINE}\n\n") == (expected,)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("width=320|height=180|best_effort_timestamp_time=N/A|sample_aspect_ratio=N/A", Look(None, 320, 180)),
        ("width=320|height=180|best_effort_timestamp_time=nan|sample_aspect_ratio=0:1", Look(None, 320, 180)),
        ("width=320|height=180|best_effort_timestamp_time=1e999|sample_aspect_ratio=1:0", Look(None, 320, 180)),
        ("width=320|height=180|sample_aspect_ratio=-1:1", Look(None, 320, 180)),
        ("width=0|height=180", None),
        ("width=٣|height=180", None),
        ("width=99999999999|height=180", None),
        ("side_data_type=x", None),
    ],
)
def test_nonsense_is_unknown(line: str, expected: Look | None) -> None:
    """A number that is none counts as not said, a picture without a size is none."""
    assert parse_looks(line) == (() if expected is None else (expected,))


@given(st.text(max_size=200))
def test_nothing_printed_breaks_it(text: str) -> None:
    """Whatever a hostile file makes ffprobe print."""
    parse_looks(text)
    parse_looks(f"width=2|height=2|{text}")


def asked(seconds: float, container: str = "matroska,webm", **fields: Any) -> str | None:
    """Return the places in a file of one such stream."""
    probe = probed(video(**fields), container=container)
    return places(probe, choose_video(probe), seconds)


def test_short_files_are_looked_at_as_a_whole() -> None:
    """All keyframes of a small one; of codecs that decode all pictures for it, places."""
    assert asked(6, width=320, height=180) is None
    assert asked(6, width=320, height=180, codec_name="vp9", avg_frame_rate="60/1") is not None


@pytest.mark.parametrize(("seconds", "width"), [(60, 1920), (600, 1920), (7200, 1920), (7200, 720), (50_000, 7680)])
def test_long_files_are_looked_at_here_and_there(seconds: float, width: int) -> None:
    """Places all over the file, never fewer or more than what a plan may cost."""
    found = (asked(seconds, width=width, height=width * 9 // 16) or "").split(",")
    assert MIN_LOOKS <= len(found) <= MAX_LOOKS
    assert found[0] == "0.000%+#1"
    assert float(found[-1].split("%")[0]) >= seconds * (1 - 1 / len(found)) - 0.01


def test_streams_are_read_until_a_keyframe_comes() -> None:
    """Seeking in them does not look for one."""
    assert all(place.endswith("%+3") for place in (asked(600, "mpegts") or "").split(","))


def test_a_change_that_needs_its_time_is_looked_for() -> None:
    """Pixels of another shape or colours, not another size, which shows by itself."""
    old, new = Fraction(16, 15), Fraction(64, 45)
    first, later = Look(1.0, 720, 576, old), Look(31.0, 720, 576, new)
    assert gaps_of((later, first)) == "1.000000%31.000000"
    assert gaps_of((first, Look(31.0, 544, 576, new))) is None
    assert gaps_of((first, Look(31.0, 544, 576, new, matrix="bt709"))) == "1.000000%31.000000"
    assert gaps_of((first, Look(None, 720, 576, new))) is None
