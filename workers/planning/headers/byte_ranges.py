"""Pieces of an original: a file, or an address of workers.sandbox.relay. Bounded in bytes and patience."""

from __future__ import annotations

import http.client
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from storage.errors import ToolTimeoutError

BLOCK_BYTES = 64 * 1024  # one read of the store: headers lie close together, and a request costs as much as this
# 32 MiB: the index of a long film is read for its few descriptions, not whole; who hides them farther is not believed.
MOST_BLOCKS = 512
KEPT_BLOCKS = 16
CHUNK_BYTES = 1024 * 1024  # of what is read through
MOST_READS = 20_000  # a hundred tracks are described in some thousands; tables that never end stop here
ANSWER_SECONDS = 60.0  # as ffprobe has for a header
_UNREACHED = "The beginning of the file could not be read in reasonable time."

Fetch = Callable[[int, int], bytes]


class Ranges:
    """Reads of a file of `size` bytes through blocks: MOST_READS of MOST_BLOCKS, and then there is nothing more."""

    def __init__(self, fetch: Fetch, size: int) -> None:
        self.size = size
        self._fetch = fetch
        self._left = MOST_BLOCKS
        self._reads = MOST_READS
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def again(self) -> Ranges:
        """Return the same file with as much patience as at first, and what was read of it last."""
        other = Ranges(self._fetch, self.size)
        other._blocks = self._blocks
        return other

    def read(self, start: int, length: int) -> bytes:
        """Return up to `length` bytes from `start` on: fewer where the file, or what may be read of it, ends."""
        found = bytearray()
        self._reads -= 1
        if self._reads < 0:
            return b""
        start, end = max(0, start), min(self.size, start + length)
        while start < end:
            block, offset = divmod(start, BLOCK_BYTES)
            part = self._block(block)[offset : offset + end - start]
            if not part:
                break
            found += part
            start += len(part)
        return bytes(found)

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from `start` to `end` in large pieces, which do not count: who asks knows where to stop."""
        for at in range(start, min(end, self.size), CHUNK_BYTES):
            yield self._fetch(at, min(CHUNK_BYTES, end - at, self.size - at))

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        if not self._left:
            return b""
        self._left -= 1
        data = self._fetch(number * BLOCK_BYTES, min(BLOCK_BYTES, self.size - number * BLOCK_BYTES))
        self._blocks[number] = data
        if len(self._blocks) > KEPT_BLOCKS:
            self._blocks.popitem(last=False)
        return data


@contextmanager
def ranges_of(url: str) -> Iterator[Ranges]:
    """Give the ranges of what is at a path or an http address. Raises ToolTimeoutError, and OSError of a file."""
    if "://" in url:
        yield Ranges(lambda start, length: _asked(url, start, length)[0], _asked(url, 0, 1)[1])
        return
    path = Path(url)
    with path.open("rb") as file:

        def fetch(start: int, length: int) -> bytes:
            file.seek(start)
            return file.read(length)

        yield Ranges(fetch, path.stat().st_size)


def _asked(url: str, start: int, length: int) -> tuple[bytes, int]:
    """Return a range of what the relay serves, and the size of the whole; nothing of what is empty."""
    parts = urlsplit(url)
    try:
        with closing(http.client.HTTPConnection(parts.netloc, timeout=ANSWER_SECONDS)) as connection:
            connection.request("GET", parts.path, headers={"Range": f"bytes={start}-{start + length - 1}"})
            answer = connection.getresponse()
            if answer.status != HTTPStatus.PARTIAL_CONTENT:
                return b"", 0
            whole = answer.getheader("Content-Range", "").rpartition("/")[2]
            return answer.read(length), int(whole) if whole.isdecimal() else 0
    except (OSError, http.client.HTTPException) as error:
        raise ToolTimeoutError(detail=f"{_UNREACHED} {type(error).__name__}") from error
