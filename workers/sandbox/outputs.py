"""What a tool left in its attempt's folder, taken as hostile input: whoever takes over ffmpeg writes there at will.

Every stage that reads or publishes such a file opens it here. It is a regular file of one name, no link led to it, it
is no larger than was reserved, and what was checked is what is read: by one descriptor, and unchanged in between.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from storage.errors import OutputMismatchError
from storage.objects.plain_files import open_new, open_regular
from workers.sandbox.scratch import full_is_said

LISTING_BYTES = 512 * 1024**2  # what a tool lists of its work: of 12 hours of sound it is about 120 MB
LINE_CHARACTERS = 4096  # of a listing; a line has under a hundred
_COPIED_BYTES = 1024 * 1024


@dataclass(slots=True)
class ToolFile:
    """An opened file that a tool left; `size` is what it had when it was opened, at most `most`, in bytes."""

    name: str
    file: BinaryIO
    most: int
    size: int
    changed_at: int

    def grown(self) -> int:
        """Return the present size of a file that is still being written. Raises OutputMismatchError if too large."""
        status = os.fstat(self.file.fileno())
        _check(self.name, status, self.most)
        return status.st_size

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes from `start` to the end. Raises OutputMismatchError behind the last if any was changed."""
        self.file.seek(start)
        left = self.size - start
        while left > 0 and (data := self.file.read(min(_COPIED_BYTES, left))):
            left -= len(data)
            yield data
        status = os.fstat(self.file.fileno())
        if left or (status.st_size, status.st_ctime_ns) != (self.size, self.changed_at):
            raise OutputMismatchError(detail=f"{self.name} was changed while it was read.")

    def whole(self) -> bytes:
        """Return all bytes. Raises OutputMismatchError as `pieces` does."""
        return b"".join(self.pieces())


@contextmanager
def left_by_tool(scratch: Path, name: str, *, most: int, least: int = 1) -> Iterator[ToolFile]:
    """Give the file that a tool left under this name in the attempt's folder, of `least` to `most` bytes.

    Raises OutputMismatchError where it is missing, a link or anything else that is no regular file of its own.
    """
    try:
        descriptor, status = open_regular(scratch.parent, (scratch.name, *name.split("/")))
    except OSError as error:
        raise OutputMismatchError(detail=f"{name} is no regular file: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        _check(name, status, most, least)
        yield ToolFile(name, file, most, status.st_size, status.st_ctime_ns)


def left_lines(scratch: Path, name: str) -> Iterator[str]:
    """Yield the lines of a listing, which may have none. Raises OutputMismatchError, for an endless line too."""
    with left_by_tool(scratch, name, most=LISTING_BYTES, least=0) as left:
        while line := left.file.readline(LINE_CHARACTERS):
            if len(line) == LINE_CHARACTERS:
                raise OutputMismatchError(detail=f"{name} has a line that does not end.")
            yield line.decode(errors="replace")


def left_end(scratch: Path, name: str, size: int) -> str:
    """Return the last `size` bytes, or all, of a listing that a tool left. Raises as `left_by_tool` does."""
    with left_by_tool(scratch, name, most=LISTING_BYTES) as left:
        return b"".join(left.pieces(max(0, left.size - size))).decode("ascii", "replace")


@contextmanager
def own_file(scratch: Path, name: str) -> Iterator[BinaryIO]:
    """Give a new file of our own beside a tool's, for writing and reading.

    Raises OutputMismatchError for whatever a tool put there, as it might lead anywhere, and StorageFullError.
    """
    try:
        with full_is_said(), os.fdopen(open_new(scratch.parent, (scratch.name, name), readable=True), "w+b") as file:
            yield file
    except FileExistsError as error:
        raise OutputMismatchError(detail=f"A tool wrote {name}, which is not its own.") from error


def own_folder(scratch: Path, name: str) -> Path:
    """Make a folder in the attempt's and return it. Raises what `own_file` does."""
    try:
        with full_is_said():
            (scratch / name).mkdir()
    except FileExistsError as error:
        raise OutputMismatchError(detail=f"A tool made {name}, which is not its own.") from error
    return scratch / name


def _check(name: str, status: os.stat_result, most: int, least: int = 1) -> None:
    if status.st_nlink > 1:
        raise OutputMismatchError(detail=f"{name} has several names.")
    if not least <= status.st_size <= most:
        raise OutputMismatchError(detail=f"{name} has {status.st_size} bytes; {least} to {most} were planned.")
