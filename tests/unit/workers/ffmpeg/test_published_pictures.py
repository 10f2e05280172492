"""Pictures that are published: real ones pass, and nothing that hides behind or in them."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import OutputMismatchError
from workers.ffmpeg.published_pictures import check_jpeg

SIZE = (64, 48)


@pytest.fixture(scope="module")
def picture() -> bytes:
    """Give a JPEG as our commands write it."""
    made = "ffmpeg -nostdin -v error -f lavfi -i testsrc2=size=64x48 -frames:v 1 -q:v 3 -f mjpeg -"
    return subprocess.run(made.split(), check=True, capture_output=True, timeout=60).stdout


def passes(data: bytes, size: tuple[int, int] = SIZE) -> bool:
    """Tell whether it may be published; fail on any error that is not ours."""
    try:
        check_jpeg(data, width=size[0], height=size[1])
    except OutputMismatchError:
        return False
    return True


def test_a_picture_of_ours_passes(picture: bytes) -> None:
    """In its own size alone."""
    assert passes(picture)
    assert not passes(picture, (48, 64))


def test_nothing_lies_behind_or_in_it(picture: bytes) -> None:
    """No second picture, no text, no long comment, no profile, no end before the end."""
    scan = picture.index(b"\xff\xda")
    comment = b"\xff\xfe" + (2 + 2000).to_bytes(2, "big") + bytes(2000)
    profile = b"\xff\xe2\x00\x06abcd"
    for odd in (
        picture + b"secret",
        picture + picture,
        picture[:-2] + b"\xff\xd9secret\xff\xd9",
        picture[:2] + comment + picture[2:],
        picture[:scan] + profile + picture[scan:],
        b"",
        b"GIF89a" + picture,
    ):
        assert not passes(odd)


def test_every_cut_is_noticed(picture: bytes) -> None:
    """Wherever it ends early."""
    assert not any(passes(picture[:end]) for end in range(len(picture)))


@given(st.data())
def test_changed_bytes_are_judged(picture: bytes, data: st.DataObject) -> None:
    """They pass or not, and nothing else is raised."""
    changed = bytearray(picture)
    for _ in range(data.draw(st.integers(1, 5))):
        changed[data.draw(st.integers(0, len(picture) - 1))] = data.draw(st.integers(0, 255))
    passes(bytes(changed))
