"""Languages as containers name them, as tags, as MP4 has them and as people read them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.languages import UNDETERMINED, language_name, language_tag, three_letters


@pytest.mark.parametrize(
    ("text", "tag", "code", "name"),
    [
        ("eng", "en", "eng", "English"),
        ("ger", "de", "deu", "German"),
        ("deu", "de", "deu", "German"),
        ("de", "de", "deu", "German"),
        (" KOR\n", "ko", "kor", "Korean"),
        ("chi", "zh", "zho", "Chinese"),
        ("cmn", "zh", "zho", "Chinese"),
        ("ZH_hant", "zh-Hant", "zho", "Traditional Chinese"),
        ("zh-Hant-TW", "zh-Hant-TW", "zho", "Chinese (Traditional, Taiwan)"),
        ("pt-br", "pt-BR", "por", "Brazilian Portuguese"),
        ("es-419", "es-419", "spa", "Latin American Spanish"),
        ("yue", "yue", "yue", "Cantonese"),
        ("grc", "grc", "grc", "Ancient Greek"),
        ("tgl", "tl", "tgl", "Tagalog"),
        ("fil", "fil", "fil", "Filipino"),
        ("iw", "he", "heb", "Hebrew"),
        ("scr", "hr", "hrv", "Croatian"),
        ("en-Zzzx-ZQ", "en", "eng", "English"),
    ],
)
def test_a_language_has_one_tag(text: str, tag: str, code: str, name: str) -> None:
    """Both forms of ISO 639-2, ISO 639-1 and BCP 47 come to the same."""
    assert (language_tag(text), three_letters(tag), language_name(tag)) == (tag, code, name)


@pytest.mark.parametrize(
    "text",
    [
        *("", "und", "mis", "mul", "zxx", "qaa", "xx", "xyz", "english", "e", "en-", "-en", "en--US", "x-klingon"),
        *("<b>", 'en"', "en\nUS", "\uff45\uff4e\uff47", "\u212aor", "en" * 10_000),
    ],
)
def test_what_is_no_language_has_no_tag(text: str) -> None:
    """No single language, codes for private use, and text that nobody should trust."""
    assert (language_tag(text), three_letters(""), language_name("")) == ("", UNDETERMINED, "")


@given(st.text() | st.from_regex(r"[a-z]{2,3}([-_][A-Za-z]{4})?([-_][A-Za-z]{2})?", fullmatch=True))
def test_a_tag_is_safe_wherever_it_stands(text: str) -> None:
    """It has no sign of markup or playlists, is its own tag, and MP4 has five bits for each letter of its code."""
    tag = language_tag(text)
    assert re.fullmatch(r"([a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?)?", tag)
    assert language_tag(tag) == tag
    assert re.fullmatch(r"[a-z]{3}", three_letters(tag))
    assert language_tag(three_letters(tag)).partition("-")[0] == tag.partition("-")[0]
