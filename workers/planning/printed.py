"""What a tool prints, kept up to a bound: an upload decides how much that is."""

from __future__ import annotations

from storage.media_errors import TooComplexError

DESCRIPTION_BYTES = 4 * 1024**2  # of the container and at most 1000 streams in named fields: a hundred take 100 kB
FRAMES_BYTES = 32 * 1024**2  # of workers.planning.audio_facts.MAX_LINES lines of at most 300 bytes


class Printed:
    """A tool's output as it comes, at most so many bytes of it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept = bytearray()

    def take(self, data: bytes) -> None:
        """Keep the next piece. Raises TooComplexError where it is too much, which stops the tool."""
        if len(self._kept) + len(data) > self._most:
            raise TooComplexError
        self._kept += data

    def take_first(self, data: bytes) -> None:
        """Keep of the next piece what there is room for: the tool goes on."""
        self._kept += data[: self._most - len(self._kept)]

    def text(self) -> str:
        """Return what was kept; what is no text in it is replaced."""
        return self._kept.decode(errors="replace")
