"""Only names that a job can have are asked of the object store."""

from __future__ import annotations

import pytest

from tests.support.jobs import make_job
from web.routes.media import disposition, is_media_name


@pytest.mark.parametrize(
    "name",
    [
        "1080p.mp4",
        "600p.mp4",
        "poster.jpg",
        "storyboard.jpg",
        "storyboard.vtt",
        "report.json",
        "hls/master.m3u8",
        "hls/720p/init.mp4",
        "hls/720p/00012.m4s",
    ],
)
def test_names_of_renditions_are_known(name: str) -> None:
    """Rungs, poster, storyboard, report and the parts of HLS."""
    assert is_media_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "", "original", "manifest.json", "../originals/x/original", "hls/../../manifest.json", "hls/a/b/c.m4s",
        "0p.mp4", "1080P.mp4", "1080p.mp4\n", "poster.jpg/", "hls/x.html", "hls//x.m4s", "x.svg", "x.vtt",
    ],
)  # fmt: skip
def test_every_other_name_is_unknown(name: str) -> None:
    """Originals, paths that climb, and other kinds of files."""
    assert not is_media_name(name)


def test_a_download_is_named_after_the_title() -> None:
    """ASCII titles are quoted; others come in RFC 8187 form beside a plain stand-in."""
    assert disposition(make_job(title="My film"), "720p.mp4") == 'attachment; filename="My film 720p.mp4"'
    header = disposition(make_job(title='日本/"x"\\'), "720p.mp4")
    assert header == (
        "attachment; filename=\"__-'x'- 720p.mp4\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC-%22x%22-%20720p.mp4"
    )
