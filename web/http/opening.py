"""How much of a request must be there before a thread is spent on it: its head, and a form's small body. Pure."""

from __future__ import annotations

import re
from enum import Enum, auto

HEAD_BYTES = 32 * 1024  # as much as nginx takes by default, in four buffers of 8 kB
FORM_BYTES = 64 * 1024  # every body but an upload's is a small form
_END = b"\r\n\r\n"
_UPLOAD = re.compile(
    rb"(?:\r\n)?(?:(?:POST|PATCH) +(?:https?://[^/ ]*)?/api/(?:jobs[? ]|uploads[/? ])"
    rb"|PUT +(?:https?://[^/ ]*)?/api/uploads/"
    rb"|(?:POST|PUT) +(?:https?://[^/ ]*)?/api/jobs/[^/? ]{1,64}/subtitles[/? ])"
)
_LENGTH = re.compile(rb"\r\nContent-Length:[ \t]*(\d{1,6})[ \t]*\r\n", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nExpect:", re.IGNORECASE)
_BARE_LF = re.compile(rb"(?<!\r)\n")


class HeadStage(Enum):
    """How far a request has come."""

    PARTIAL = auto()
    WHOLE = auto()  # nothing more is waited for before a thread takes it
    TOO_LONG = auto()
    NO_HEAD = auto()  # a line that ends without CR: no head will come of it


class Opening:
    """The first bytes of a request, as they come."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray()
        self._wanted: int | None = None
        self.arrival = HeadStage.PARTIAL
        self.take(data)

    def take(self, data: bytes) -> HeadStage:
        """Add what came, and return how far the request is."""
        searched = max(0, len(self.data) - len(_END) + 1)
        self.data += data
        if self._wanted is None:
            self._look_for_end(searched)
        if self._wanted is not None:
            self.arrival = HeadStage.WHOLE if len(self.data) >= self._wanted else HeadStage.PARTIAL
        return self.arrival

    def _look_for_end(self, searched: int) -> None:
        end = self.data.find(_END, searched)
        if end >= 0 and end <= HEAD_BYTES:
            self._wanted = end + len(_END) + _small_body(bytes(self.data[: end + len(_END)]))
        elif len(self.data) > HEAD_BYTES:
            self.arrival = HeadStage.TOO_LONG
        elif _BARE_LF.search(self.data, searched):
            self.arrival = HeadStage.NO_HEAD


def _small_body(head: bytes) -> int:
    """Return how many bytes of body are waited for: none of an upload, nor of a client that wants to be asked."""
    length = _LENGTH.search(head)
    if length is None or _UPLOAD.match(head) or _EXPECT.search(head) or int(length[1]) > FORM_BYTES:
        return 0
    return int(length[1])
