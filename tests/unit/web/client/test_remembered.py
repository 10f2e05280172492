"""Uploads that are remembered between runs."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from web.client.remembered import KEPT_SECONDS, NOTHING_SAID, Remembered, Wanted, Wishes, state_folder

WANTED = Wanted("http://127.0.0.1:8000", "/films/a\udcff.mp4", 10, 1_790_000_000_000_000_001, NOTHING_SAID)
UPLOAD = "0123456789abcdef" * 2


def test_it_is_found_until_it_is_forgotten(tmp_path: Path) -> None:
    """By everything that makes it the same upload, and by nothing less."""
    remembered = Remembered(tmp_path / "state")
    assert remembered.find(WANTED) is None
    remembered.forget(WANTED)
    remembered.keep(WANTED, UPLOAD)
    assert remembered.find(WANTED) == UPLOAD
    others = [
        replace(WANTED, server="http://other"),
        replace(WANTED, path="/films/b.mp4"),
        replace(WANTED, size=11),
        replace(WANTED, mtime_ns=WANTED.mtime_ns + 1),
        replace(WANTED, said=Wishes(title="x")),
        replace(WANTED, said=Wishes(webhook_url="http://x")),
    ]
    assert [remembered.find(other) for other in others] == [None] * len(others)
    remembered.forget(WANTED)
    assert remembered.find(WANTED) is None
    assert list((tmp_path / "state").iterdir()) == []


def test_only_its_user_reads_it(tmp_path: Path) -> None:
    """The folder and the file are closed to others."""
    remembered = Remembered(tmp_path / "state")
    remembered.keep(WANTED, UPLOAD)
    assert [path.stat().st_mode & 0o077 for path in (remembered.folder, remembered.folder / WANTED.name)] == [0, 0]


@pytest.mark.parametrize(
    "said", [b"", b"\xff", b"../../x", UPLOAD.encode() + b"x", UPLOAD[:-1].encode(), b"\x00" * 9999]
)
def test_a_file_that_is_spoilt_is_none(tmp_path: Path, said: bytes) -> None:
    """The upload begins anew, and what it says never becomes part of an address."""
    (tmp_path / WANTED.name).write_bytes(said)
    assert Remembered(tmp_path).find(WANTED) is None


def test_what_no_server_has_any_more_is_forgotten(tmp_path: Path) -> None:
    """The next upload removes it."""
    remembered, other = Remembered(tmp_path), replace(WANTED, size=1)
    remembered.keep(WANTED, UPLOAD)
    old = time.time() - KEPT_SECONDS - 60
    os.utime(tmp_path / WANTED.name, (old, old))
    remembered.keep(other, UPLOAD)
    assert [path.name for path in tmp_path.iterdir()] == [other.name]


def test_where_it_is(tmp_path: Path) -> None:
    """As the XDG base directories say: a relative path counts as none."""
    assert state_folder({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "rungs" / "uploads"
    usual = Path.home() / ".local" / "state" / "rungs" / "uploads"
    assert state_folder({}) == state_folder({"XDG_STATE_HOME": "state"}) == usual
