"""Names and addresses from a form are data: cleaned for display, checked before use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import InvalidRequestError
from web.upload.form_fields import NAME_LENGTH, URL_LENGTH, checked_webhook_url, clean_text, display_filename, title_of


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
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    """Other schemes, credentials, broken ports and characters are refused."""
    with pytest.raises(InvalidRequestError):
        checked_webhook_url(url)
