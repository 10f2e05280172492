"""Files that come beside a video: in whichever characters, in whichever format, or refused."""

from __future__ import annotations

import pytest

from storage.captions.charsets import decoded
from storage.captions.side_files import LONGEST_FILE, converted
from storage.subtitle_errors import SubtitleTooLargeError, SubtitleUnreadableError

KOREAN = "\uc548\ub155\ud558\uc138\uc694. \uc774\uac83\uc740 \uc790\ub9c9 \ud30c\uc77c\uc785\ub2c8\ub2e4."
RUSSIAN = (
    "\u0417\u0434\u0440\u0430\u0432\u0441\u0442\u0432\u0443\u0439\u0442\u0435, "
    "\u044d\u0442\u043e \u0441\u0443\u0431\u0442\u0438\u0442\u0440\u044b."
)
FRENCH = "\u00c7a, c\u2019est l\u00e0 o\u00f9 l\u2019\u00e9t\u00e9 \u00e9tait d\u00e9j\u00e0 fini."
JAPANESE = (
    "\u3053\u3093\u306b\u3061\u306f\u3001\u3053\u308c\u306f\u5b57\u5e55\u30d5\u30a1\u30a4\u30eb\u3067\u3059\u3002"
)


def srt(text: str) -> str:
    """Return a file of twenty cues that say the same."""
    return "".join(f"{n}\n00:00:{n:02d},000 --> 00:00:{n:02d},900\n{text}\n\n" for n in range(20))


@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_marks_tell_unicode(name: str) -> None:
    """As editors write them."""
    data = ("\ufeff" if name == "utf-16-be" else "") + srt(KOREAN)
    assert decoded(data.encode(name), "fr").lstrip("\ufeff") == srt(KOREAN)


@pytest.mark.parametrize(
    ("text", "name", "language"),
    [
        (KOREAN, "cp949", "ko"),
        (JAPANESE, "cp932", "ja"),
        (RUSSIAN, "cp1251", "ru"),
        (FRENCH, "cp1252", "fr-CA"),
        ("\u7e41\u9ad4\u4e2d\u6587\u5b57\u5e55", "big5", "zh-Hant"),
        (KOREAN, "cp949", ""),
        (JAPANESE, "cp932", ""),
        (RUSSIAN, "cp1251", ""),
        (FRENCH, "cp1252", ""),
    ],
)
def test_the_language_or_the_text_tells_the_characters(text: str, name: str, language: str) -> None:
    """Where nothing else does."""
    assert decoded(srt(text).encode(name), language) == srt(text)


def test_a_file_becomes_strict_webvtt() -> None:
    """Whatever its name may be."""
    wanted = b"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nA &amp; <i>b</i>\n"
    for data in (
        b"1\r\n00:00:01,000 --> 00:00:02,000\r\nA & <i>b</i>\r\n",
        b"WEBVTT\n\n00:01.000 --> 00:02.000\nA &amp; <i>b</i>",
        b"[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,A & {\\i1}b",
        b"<tt xmlns:s='x'><body><p begin='1s' end='2s'>A &amp; <span s:fontStyle='italic'>b</span></p></body></tt>",
    ):
        assert converted(data, "") == wanted


@pytest.mark.parametrize("data", [b"", b"\x00" * 1000, b"{}", b"%PDF-1.7", b"\xff\xfe", bytes(range(256)) * 40])
def test_what_is_no_subtitles_is_refused(data: bytes) -> None:
    """And nothing else is raised."""
    with pytest.raises(SubtitleUnreadableError):
        converted(data, "")


def test_a_file_that_is_too_large_is_refused() -> None:
    """Unread."""
    with pytest.raises(SubtitleTooLargeError):
        converted(b"x" * (LONGEST_FILE + 1), "")
