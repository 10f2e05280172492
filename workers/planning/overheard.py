"""What tools say of an upload that they were not allowed to decode: the reason why they found nothing. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from storage.media_errors import CodecUnsupportedError, MediaError, TooComplexError, TooLargePictureError

# In the words of ffmpeg 5.1 and 7.1 (libavutil/imgutils.c, libavcodec/avcodec.c).
_TOO_LARGE = re.compile(r"Picture size (\d{1,9})x(\d{1,9}) exceeds specified max pixel count")
_NO_MEMORY = "Cannot allocate memory"
_UNLISTED = re.compile(r"Codec \(\S+\) not on whitelist")


@dataclass(slots=True)
class Overheard:
    """The size, in pixels, of a picture that was too large to be decoded, None if there was none.

    `unlisted` tells that a decoder was asked for that no upload may reach, `exhausted` that a tool needed more memory
    than it may take.
    """

    size: tuple[int, int] | None = None
    unlisted: bool = False
    exhausted: bool = False

    def hear(self, line: str) -> None:
        """Note what a line of a tool's standard error tells."""
        if "exceeds" in line and (found := _TOO_LARGE.search(line)) is not None:
            self.size = int(found[1]), int(found[2])
        self.unlisted = self.unlisted or ("whitelist" in line and _UNLISTED.search(line) is not None)
        self.exhausted = self.exhausted or _NO_MEMORY in line

    def refusal(self, max_pixels: int) -> MediaError | None:
        """Return why nothing was found, None if tools did not say. `max_pixels` is what this installation takes."""
        if self.size is None:
            reasons = ((self.unlisted, CodecUnsupportedError), (self.exhausted, TooComplexError))
            return next((reason() for told, reason in reasons if told), None)
        width, height = self.size
        return TooLargePictureError(width=width, height=height, max_pixels=max_pixels)
