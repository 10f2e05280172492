"""Text in a video's place is told by its kind, and nothing else is taken for text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.media_errors import PictureOnlyError, PlaylistOnlyError, SubtitlesOnlyError, TextOnlyError
from workers.planning.headers.text_files import TEXT_BYTES, text_refusal

PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n",
    "hls behind a mark and blanks": "\ufeff\n #EXTM3U\n",
    "list of addresses": "http://127.0.0.1/video.mp4\n",
    "ffconcat": "ffconcat version 1.0\nfile video.mp4\n",
    "concat": "file '/etc/passwd'\n",
    "dash": '<?xml version="1.0"?>\n<!-- made -->\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">',
    "smooth streaming": '<SmoothStreamingMedia MajorVersion="2">',
    "xspf": '<?xml version="1.0"?><playlist version="1">',
    "asx": '<ASX version="3.0">',
    "smil": '<!DOCTYPE smil PUBLIC "-//W3C//DTD"><smil>',
    "cinema": '<CompositionPlaylist xmlns="x">',
    "pls": "[playlist]\nFile1=a.mp4",
    "windows media": "[Reference]\nRef1=http://x/",
    "sdp": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
    "quicktime": "RTSPtext\nrtsp://x/",
}
SUBTITLES = {
    "webvtt": "WEBVTT\n\n00:00.000 --> 00:01.000\nHello",
    "subrip": "1\r\n00:00:00,000 --> 00:00:01,000\r\nHello",
    "subrip in Korean": "1\n00:00:00,000 --> 00:00:01,000\n안녕하세요",
    "ass": "[Script Info]\n; made by\n",
    "sami": "<SAMI>\n<HEAD>",
    "ttml": '<?xml version="1.0"?><tt:tt xmlns:tt="http://www.w3.org/ns/ttml">',
    "microdvd": "{0}{25}Hello",
    "mpl2": "[0][25]Hello",
    "vobsub": "# VobSub index file, v7",
    "captions": "Scenarist_SCC V1.0\n\n",
    "youtube": "0:00:00.000,0:00:01.000\nHello",
    "lyrics": "[ti:Song]\n[00:01.00]Hello",
}
TEXTS = {
    "screen": "\x1b[2J\x1b[31mHello\x1b[0m",
    "web page": "<!DOCTYPE html><html>",
    "error": '{"error": "not found"}',
    "script": "#!/bin/sh\nexit 1\n",
    "prose": "Dear all, the video is on the other disk.\n",
}


@pytest.mark.parametrize("coding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *((text, PlaylistOnlyError) for text in PLAYLISTS.values()),
        *((text, SubtitlesOnlyError) for text in SUBTITLES.values()),
        *((text, TextOnlyError) for text in TEXTS.values()),
        ('<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>', PictureOnlyError),
    ],
)
def test_each_kind_is_told(text: str, kind: type, coding: str) -> None:
    """By how it begins, in either coding."""
    assert text_refusal(text.encode(coding)) is kind


def test_subtitles_in_korean_coding_are_text() -> None:
    """Old files are not in UTF-8."""
    assert text_refusal(SUBTITLES["subrip in Korean"].encode("cp949")) is SubtitlesOnlyError


@pytest.mark.parametrize("data", [b"XBIN\x1a\x50\0", b"\x041.4\0\0"])
def test_text_that_is_drawn_on_screens_is_text(data: bytes) -> None:
    """Ffmpeg drew files with it that were named in a playlist."""
    assert text_refusal(data) is TextOnlyError


def test_subtitles_of_discs_and_broadcasters_are_told_though_no_text() -> None:
    """The segments of Blu-ray, the blocks of the EBU."""
    assert text_refusal(b"PG" + bytes(8) + b"\x16\0\x13") is SubtitlesOnlyError
    assert text_refusal(b"850STL25.01" + bytes(20)) is SubtitlesOnlyError


@pytest.mark.parametrize(
    "data", [b"", b"a", b"YUV4MPEG2 W320 H180 F25:1\nFRAME\n", b"%PDF-1.4\n1 0 obj", b"RIFF\x24\0\0\0AVI "]
)
def test_what_is_no_text_is_left_to_others(data: bytes) -> None:
    """Too little to tell, a video whose header is a line of text, documents, bytes."""
    assert text_refusal(data) is None


def test_no_video_is_taken_for_text(media_dir: Path) -> None:
    """All of the real ones."""
    videos = sorted((media_dir / "happy").iterdir())
    assert [path.name for path in videos if text_refusal(path.read_bytes()[:TEXT_BYTES]) is not None] == []


@given(st.binary(max_size=200))
def test_any_bytes_are_looked_at_without_an_error(data: bytes) -> None:
    """They are anybody's."""
    text_refusal(data)
