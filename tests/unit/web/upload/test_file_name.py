"""File names of forms, as browsers, tools and old programs write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.forms import BOUNDARY
from web.upload.file_name import file_name
from web.upload.multipart_form import FileStart, TextField, read_form


def started(parameters: bytes) -> object:
    """Return the first event of a form whose part has these parameters behind its name."""
    head = b'--%b\r\nContent-Disposition: form-data; name="file"%b\r\n\r\n' % (BOUNDARY.encode(), parameters)
    pieces = [head + b"x\r\n--%b--\r\n" % BOUNDARY.encode(), b""]
    return next(read_form(lambda _: pieces.pop(0), BOUNDARY, announced=None))


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ('; filename="Müller à la carte.mp4"'.encode(), "Müller à la carte.mp4"),
        ('; filename="Müller à la carte.mp4"'.encode("latin-1"), "Müller à la carte.mp4"),
        ('; filename="Prix 5 € “neuf”.mp4"'.encode("cp1252"), "Prix 5 € “neuf”.mp4"),
        (b'; filename="\x81\x8d.mp4"', "\x81\x8d.mp4"),
        ('; filename="휴가 영상.mp4"'.encode(), "휴가 영상.mp4"),
        (b"; filename*=UTF-8''%ED%9C%B4%EA%B0%80.mp4", "휴가.mp4"),
        (b"; filename=\"x.mp4\"; filename*=utf-8'en'%E2%82%AC.mp4", "€.mp4"),
        (b"; filename*=ISO-8859-1''caf%E9.mp4; filename=\"x.mp4\"", "café.mp4"),
        (b"; filename=\"x.mp4\"; filename*=UTF-8''%FF.mp4", "x.mp4"),
        (b"; filename=\"x.mp4\"; filename*=no-such''a.mp4", "x.mp4"),
        (b"; filename=\"a; filename*=UTF-8''b.mp4\"", "a; filename*=UTF-8''b.mp4"),
        ("; filename=Müller.mp4".encode("latin-1"), "Müller.mp4"),
        ("; filename=Müller.mp4; size=3".encode(), "Müller.mp4"),
        (b"; filename=plain.mp4", "plain.mp4"),
        (b'; filename="a%22b%22.mp4"', 'a"b".mp4'),
        (b'; filename="=?UTF-8?B?TcO8bGxlci5tcDQ=?="', "Müller.mp4"),
        (b'; filename="=?no-such?B?TcO8bGxlci5tcDQ=?="', "=?no-such?B?TcO8bGxlci5tcDQ=?="),
        (b'; filename=""', ""),
    ],
)
def test_a_name_is_read_as_it_was_meant(parameters: bytes, name: str) -> None:
    """UTF-8 first, then what Windows and Latin-1 wrote, and the two ways in which headers spell other letters."""
    assert started(parameters) == FileStart("file", name)


def test_a_part_without_a_name_is_a_field() -> None:
    """Without a file name of any kind the part is text, whatever its own name holds."""
    assert started(b"; note=\"filename*=UTF-8''a.mp4\"") == TextField("file", "x")


@given(st.binary(max_size=60).filter(lambda name: not set(name) & set(b'\r\n"\\%')))
def test_whatever_bytes_a_name_has_it_is_a_name(name: bytes) -> None:
    """No file name makes a form invalid, and names in UTF-8 come out as they went in."""
    event = started(b'; filename="' + name + b'"')
    assert isinstance(event, FileStart)
    if b"=?" not in name and name.decode(errors="ignore").encode() == name:
        assert event.filename in {name.decode(), name.rpartition(b"\\")[2].decode()}


@pytest.mark.parametrize("charset", ["utf-7''+2AA-.mp4", "unicode_escape''%5Cud800.mp4", "unicode_escape''%5CuDC00"])
def test_half_a_character_is_no_name(charset: str) -> None:
    """Charsets that give what nothing can write: the plain name is taken."""
    assert file_name(f'form-data; name="file"; filename="a.mp4"; filename*={charset}', "a.mp4") == "a.mp4"
