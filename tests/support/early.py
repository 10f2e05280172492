"""A file of which some has come, and its index where that lies behind the media, as planning and encoding see it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from storage.model.early import HandedIndex
from storage.objects.contract import ObjectInfo
from web.client.index_ahead import index_of
from workers.sandbox.arriving_view import GuessingView, WaitingView

MOST = 64 * 1024 * 1024
_CHUNK = 256 * 1024
_DEADLINE_SECONDS = 120


class ComingFile:
    """An Arriving of which the first `come` bytes are there, and its index if page and command send that."""

    def __init__(self, path: Path, come: int = 0) -> None:
        self.data = path.read_bytes()
        self.come = come
        self.asked_to = 0  # how far the file was read, its index aside
        with path.open("rb") as file:
            place = index_of(file, len(self.data), MOST)
        self.index = None if place is None else HandedIndex("index", place.begin, place.end - place.begin, "")
        self._ahead = _Index(self.data[place.begin : place.end] if place else b"")

    def guess(self, come: int) -> GuessingView:
        """Return the view for planning when so many bytes have come."""
        self.come = come
        return GuessingView(self._ahead, self, len(self.data), self.index)

    def waiting(self, come: int) -> WaitingView:
        """Return the view for encoding when so many bytes have come."""
        self.come = come
        return WaitingView(self._ahead, self, len(self.data), self.index)

    def arrived(self) -> int:
        """See Arriving.arrived."""
        return self.come

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """See Arriving.read."""
        assert end <= self.come
        for at in range(start, end, _CHUNK):
            self.asked_to = max(self.asked_to, min(end, at + _CHUNK))
            yield self.data[at : min(end, at + _CHUNK)]


class _Index:
    """The Readable of an index."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stat(self, key: str) -> ObjectInfo:
        """See Readable.stat."""
        return ObjectInfo(key, len(self._data), 0.0)

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:  # noqa: ARG002
        """See Readable.read."""
        yield self._data[start : None if length is None else start + length]


def remuxed(source: Path, target: Path, *options: str) -> Path:
    """Copy the pictures and the sounds of a file into another one, by default with its index behind them."""
    command = [
        "ffmpeg",
        "-nostdin",
        "-v",
        "error",
        "-y",
        "-i",
        str(source),
        "-map",
        "0:v",
        "-map",
        "0:a?",
        "-c",
        "copy",
    ]
    subprocess.run([*command, *options, str(target)], check=True, timeout=_DEADLINE_SECONDS)
    return target
