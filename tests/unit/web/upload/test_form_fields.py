"""Names and addresses from a form are data: cleaned for display, checked before use."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import InvalidRequestError
from storage.model.shown_text import NAME_LENGTH, clean_text
from web.upload.form_fields import URL_LENGTH, checked_webhook_url, display_filename, title_of


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("holiday.mp4", "holiday.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\clip.mov", "clip.mov"),
        ("\u202egpj.4pm.mp4", "gpj.4pm.mp4"),
        ("a\r\nb\x00.mp4", "ab.mp4"),
        ("  한국어 日本 🎬.mkv ", "한국어 日本 🎬.mkv"),
        ("", "video"),
        ("///", "video"),
        (".mp4", ".mp4"),
        ("\u200b\u2060.mp4", ".mp4"),
        ("\u3164\u200d.mp4", "video.mp4"),
        ("\u2800", "video"),
        ("fi\u00adlm\ufeff.mp4", "film.mp4"),
    ],
)
def test_file_names_are_shown_without_paths_and_tricks(raw: str, shown: str) -> None:
    """Paths, controls and direction marks go; letters of all scripts stay."""
    assert display_filename(raw) == shown


@given(st.text(max_size=600))
def test_any_name_becomes_something_short_and_printable(raw: str) -> None:
    """Whatever is sent, the name is not empty, on one line, bounded and without a path."""
    shown = display_filename(raw)
    assert 0 < len(shown) <= NAME_LENGTH
    assert not set(shown) & set("\r\n\x00\u202e/\\")


def test_a_long_name_keeps_its_extension() -> None:
    """The stem is cut, not what tells the kind of file."""
    assert display_filename("x" * 500 + ".webm").endswith("x.webm")


def test_the_title_falls_back_to_the_name() -> None:
    """Without a title the name without its extension is used."""
    assert title_of("  My\tfilm\u202e ", "a.mp4") == "My film"
    assert title_of("   ", "a.b.mp4") == "a.b"
    assert title_of("", ".mp4") == ".mp4"
    assert len(clean_text("y" * 5000)) == NAME_LENGTH


@pytest.mark.parametrize(
    "title",
    [
        "\u200b",
        "\u200d\u200c",
        "\u3164\u115f\uffa0\u2800",
        "\u00ad \ufe0f",
        "\u202e\u2066\u061c",
        "\u0301",
        "\U000e0041",
        "\ue000",
        "\x1b\x07",
        "\u2028\u00a0\u3000",
    ],
)
def test_a_title_that_shows_nothing_is_none(title: str) -> None:
    """Controls, formats, marks without a letter, fillers and spaces: the file's name is used."""
    assert title_of(title, "a.mp4") == "a"


@pytest.mark.parametrize(
    "title",
    ["\u2764\ufe0f", "👩\u200d🚀", "क\u094d\u200dष", "\u0645\u06cc\u200c\u062e\u0648", "e\u0327\u0301", "1", "…"],
)
def test_what_joins_letters_stays(title: str) -> None:
    """Emoji, Devanagari and Persian are written with joiners and selectors."""
    assert clean_text(title) == unicodedata.normalize("NFC", title)


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200f", "\u061c", "\u200b", "\ufeff", "\x1b", "\x85"])
def test_no_mark_hides_in_a_title(mark: str) -> None:
    """Nothing turns the direction around, takes no room or steers a terminal."""
    assert clean_text(f"mp4{mark}exe") in {"mp4exe", "mp4 exe"}


@pytest.mark.parametrize("url", ["https://example.org/hook?x=1", "http://10.0.0.1:8080/", "http://[::1]:9/x"])
def test_plain_addresses_are_taken(url: str) -> None:
    """The schemes http and https with a host, whatever the port and path."""
    assert checked_webhook_url(f" {url} ") == url


def test_an_empty_address_is_none() -> None:
    """An empty field of a form is the same as no field."""
    assert checked_webhook_url("  ") is None


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "javascript:alert(1)",
        "example.org/hook",
        "http://",
        "http://user:pw@example.org/",
        "http://user@example.org/",
        "http://example.org:99999/",
        "http://example.org/a b",
        "http://example.org/\r\nX: y",
        "http://[::1/",
        "http://example.org/" + "x" * URL_LENGTH,
        "http://例え.jp/",
        "http://a!b/",
        "http://example.org/\u00a0",
        " " * (URL_LENGTH + 1),
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    """Other schemes, credentials, broken ports and characters are refused."""
    with pytest.raises(InvalidRequestError):
        checked_webhook_url(url)
