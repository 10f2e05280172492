"""The room for what tools leave: which files are opened there, and what is noticed of them later."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage.errors import OutputMismatchError, StorageFullError
from tests.support.odd_files import ODD, SECRET, put_odd
from workers.sandbox.outputs import LINE_CHARACTERS, left_by_tool, left_lines, own_file, own_folder

MOST = 1000


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Give an attempt's folder."""
    folder = tmp_path / "scratch" / "attempt"
    folder.mkdir(parents=True)
    return folder


def test_a_regular_file_is_read_whole_and_in_part(scratch: Path) -> None:
    """As it is, from any place on."""
    (scratch / "a.mp4").write_bytes(b"0123456789")
    with left_by_tool(scratch, "a.mp4", most=MOST) as left:
        assert (left.size, left.whole(), b"".join(left.pieces(4))) == (10, b"0123456789", b"456789")


@pytest.mark.parametrize("kind", ODD)
def test_nothing_else_is_opened(kind: str, scratch: Path, tmp_path: Path) -> None:
    """Neither followed nor waited for, in a folder of the tool as well."""
    put_odd(kind, scratch / "a.mp4", tmp_path / "secret")
    (scratch / "folder").mkdir()
    put_odd(kind, scratch / "folder" / "a.mp4", tmp_path / "secret")
    for name in ("a.mp4", "folder/a.mp4", "missing.mp4"):
        with pytest.raises(OutputMismatchError), left_by_tool(scratch, name, most=MOST):
            pass


def test_a_folder_that_became_a_link_is_not_entered(scratch: Path, tmp_path: Path) -> None:
    """The tool's own folder, and the attempt's: what lies where they lead is somebody else's."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1.jpg").write_bytes(SECRET)
    (scratch / "keyframes").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputMismatchError), left_by_tool(scratch, "keyframes/1.jpg", most=MOST):
        pass
    other = scratch.with_name("other")
    other.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputMismatchError), left_by_tool(other, "1.jpg", most=MOST):
        pass


def test_a_hard_link_is_somebody_elses_file(scratch: Path, tmp_path: Path) -> None:
    """It has another name, under which it may hold a secret, or change."""
    (tmp_path / "secret").write_bytes(SECRET)
    os.link(tmp_path / "secret", scratch / "a.mp4")
    with pytest.raises(OutputMismatchError), left_by_tool(scratch, "a.mp4", most=MOST):
        pass


@pytest.mark.parametrize("size", [0, MOST + 1])
def test_a_size_that_was_not_planned(size: int, scratch: Path) -> None:
    """Nothing at all, or more than was reserved."""
    (scratch / "a.mp4").write_bytes(bytes(size))
    with pytest.raises(OutputMismatchError), left_by_tool(scratch, "a.mp4", most=MOST):
        pass


@pytest.mark.parametrize("change", [b"x" * 10, b"x" * 11, b"x" * 9])
def test_a_change_is_noticed_before_the_end(change: bytes, scratch: Path) -> None:
    """Whatever still writes to the file: what was read is not what was checked."""
    (scratch / "a.mp4").write_bytes(b"0123456789")
    with left_by_tool(scratch, "a.mp4", most=MOST) as left:
        (scratch / "a.mp4").write_bytes(change)
        with pytest.raises(OutputMismatchError):
            left.whole()


def test_a_file_that_grows_is_bounded(scratch: Path) -> None:
    """Its size is asked anew."""
    (scratch / "a.mp4").write_bytes(b"x")
    with left_by_tool(scratch, "a.mp4", most=MOST) as left, (scratch / "a.mp4").open("ab") as file:
        file.write(bytes(9))
        file.flush()
        assert left.grown() == 10
        file.truncate(MOST + 1)
        with pytest.raises(OutputMismatchError):
            left.grown()


def test_a_line_without_end_is_not_read(scratch: Path) -> None:
    """A listing has lines of a hundred characters."""
    (scratch / "heard.txt").write_text("one\ntwo\n" + "x" * (LINE_CHARACTERS + 1))
    lines = left_lines(scratch, "heard.txt")
    assert [next(lines), next(lines)] == ["one\n", "two\n"]
    with pytest.raises(OutputMismatchError):
        next(lines)


@pytest.mark.parametrize("kind", ODD)
def test_our_own_file_is_written_through_nothing(kind: str, scratch: Path, tmp_path: Path) -> None:
    """What a tool put in its place is refused, and so is our folder."""
    put_odd(kind, scratch / "joined.mp4", tmp_path / "secret")
    with pytest.raises(OutputMismatchError), own_file(scratch, "joined.mp4") as file:
        file.write(b"fragments")
    with pytest.raises(OutputMismatchError):
        own_folder(scratch, "joined.mp4")
    assert (tmp_path / "secret").read_bytes() == SECRET


def test_a_full_scratch_disk_is_said(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a lack of space, for which an attempt waits, and not as a fault, which would be counted."""
    monkeypatch.setattr("workers.sandbox.outputs.open_new", lambda *_, **__: os.open("/dev/full", os.O_RDWR))
    with pytest.raises(StorageFullError), own_file(scratch, "joined.mp4") as file:
        file.write(bytes(100_000))
