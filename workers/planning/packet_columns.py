"""ffprobe's lines of packets, read into a column for each thing that they say of a stream. Pure."""

from __future__ import annotations

import math
import re
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress

from storage.media_errors import TooComplexError

# A film of 12 hours, 60 pictures and 50 packets of sound a second: planning it takes 0.4 GiB.
MOST_PACKETS = 12 * 3600 * (60 + 50)
# Who uploads little has not so many: 4 bytes are less than any container and codec need for a picture or a sound, on
# the average of a file. The first ones are free.
PACKET_BYTES, FREE_PACKETS = 4, 200_000
FIELDS = ("stream_index", "pts_time", "dts_time", "duration_time", "pos", "flags")
KEY, HIDDEN = 1, 2  # marks of a packet: one that decoding may begin at, one that is not to be shown
# A whole line; others are passed over. Behind the flags ffprobe leaves a bar where there is more to a packet.
_PACKET = re.compile(rb"^(\d{1,9})\|([^|\n]*)\|([^|\n]*)\|([^|\n]*)\|([^|\n]*)\|(.*)$", re.MULTILINE)
_MAX_DIGITS = 9
MAX_POSITION_DIGITS = 18  # of bytes: more do not fit into 64 bits
UNKNOWN_POSITION = -1
_STRIDE = len(FIELDS) + 1
_UNKNOWN = math.nan


@dataclass(frozen=True, slots=True)
class Columns:
    """The packets of a stream in the order of the file, as ffprobe says them; NaN for a number that it does not say.

    `places` number them among those of all streams, `times` are when they show, `decoded` when they are decoded and
    `lengths` how long they last, in seconds. `positions` are where they begin in the file, in bytes, -1 for those of
    which that is not said. `marks` are KEY, HIDDEN, both or 0. Arrays, as lists of rows or texts kept
    the garbage collector busy for half of the planning of two hours.
    """

    places: array[int] = field(default_factory=lambda: array("q"))
    times: array[float] = field(default_factory=lambda: array("d"))
    decoded: array[float] = field(default_factory=lambda: array("d"))
    lengths: array[float] = field(default_factory=lambda: array("d"))
    positions: array[int] = field(default_factory=lambda: array("q"))
    marks: bytearray = field(default_factory=bytearray)

    def without_first(self, count: int) -> Columns:
        """Return the columns without so many packets at their beginning."""
        return Columns(
            self.places[count:],
            self.times[count:],
            self.decoded[count:],
            self.lengths[count:],
            self.positions[count:],
            self.marks[count:],
        )

    def only(self, chosen: Sequence[bool | int]) -> Columns:
        """Return the columns with only the chosen packets: something true or false is told of each."""
        return Columns(
            array("q", list(compress(self.places, chosen))),
            array("d", list(compress(self.times, chosen))),
            array("d", list(compress(self.decoded, chosen))),
            array("d", list(compress(self.lengths, chosen))),
            array("q", list(compress(self.positions, chosen))),
            bytearray(compress(self.marks, chosen)),
        )

    def keys(self, times: Sequence[float]) -> list[float]:
        """Return which of the packets' times are those of keyframes."""
        return list(compress(times, self.marks.translate(IS_KEY)))

    def not_hidden(self) -> Columns:
        """Return the columns of what is shown."""
        first = len(self.marks) - len(self.marks.lstrip(_HIDDEN_MARKS))  # an encoder's run-in: most have no other
        shown = self.without_first(first) if first else self
        return shown.only(shown.marks.translate(_IS_SHOWN)) if max(shown.marks, default=0) >= HIDDEN else shown


class Reader:
    """Reads what ffprobe prints piece by piece, up to so many packets; where the pieces end does not matter."""

    def __init__(self, most: int = MOST_PACKETS) -> None:
        self._most = most
        self._columns: dict[int, Columns] = {}
        self._places = 0
        self._begun: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Read another piece. Raises TooComplexError where that makes too many packets."""
        end = data.rfind(b"\n") + 1
        if not end:  # joined only at its end: a line may be as long as all that a tool may print
            self._begun.append(data)
            return
        self._read(b"".join((*self._begun, data[:end])))
        self._begun = [data[end:]]

    @property
    def so_far(self) -> Mapping[int, Columns]:
        """The columns of whole lines by the index of their stream; they grow with each piece."""
        return self._columns

    def columns(self) -> dict[int, Columns]:
        """Return the columns of all streams by their index; nothing may be fed after this."""
        self._read(b"".join(self._begun))
        self._begun = []
        return self._columns

    def _read(self, lines: bytes) -> None:
        indexes, *said = _whole(lines) or tuple(zip(*_PACKET.findall(lines), strict=True)) or ((),)
        numbers = defaultdict[bytes, list[int]](list)
        for number, index in enumerate(indexes):
            numbers[index].append(number)
        for index, mine in numbers.items():
            times, decoded, lengths, positions, flags = ([column[number] for number in mine] for column in said)
            columns = self._columns.setdefault(int(index), Columns())
            columns.places.extend([self._places + number for number in mine])
            columns.times.extend(found := _numbers(times))
            columns.decoded.extend(found if decoded == times else _numbers(decoded))
            columns.lengths.extend(_repeated(lengths))
            columns.positions.extend(map(_position, positions))
            marks = {text: _marks(text) for text in set(flags)}
            columns.marks.extend([marks[text] for text in flags])
        self._places += len(indexes)
        if self._places > self._most:
            raise TooComplexError


def _whole(lines: bytes) -> tuple[Sequence[bytes], ...] | None:
    """Return the columns of lines that are packets one and all, as they nearly always are; None for others.

    They are what _PACKET finds, in three quarters of the time.
    """
    # Each end of a line becomes a column of its own, so that lines of other lengths are noticed.
    packets = lines.replace(b"|\n\n", b"\n").replace(b"|\n", b"\n")  # the bar behind flags, of ffprobe 5.1 and 7.1
    fields = packets.replace(b"\n", b"|\n|").split(b"|")
    count = len(fields) // _STRIDE
    ends = fields[_STRIDE - 1 :: _STRIDE]
    if len(fields) != count * _STRIDE + 1 or not ends.count(b"\n") == fields.count(b"\n") == count or fields[-1]:
        return None
    indexes = fields[:-1:_STRIDE]
    if not all(index.isdigit() and len(index) <= _MAX_DIGITS for index in set(indexes)):
        return None
    return indexes, *(fields[column::_STRIDE] for column in range(1, len(FIELDS)))


def most_packets(size: int) -> int:
    """Return how many packets a file of so many bytes may have."""
    return min(MOST_PACKETS, FREE_PACKETS + size // PACKET_BYTES)


def read(text: str) -> dict[int, Columns]:
    """Return the columns of a whole text."""
    reader = Reader()
    reader.feed(text.encode())
    return reader.columns()


def all_told(numbers: Sequence[float]) -> bool:
    """Tell whether none of the numbers is missing."""
    return not math.isnan(sum(numbers)) or not any(map(math.isnan, numbers))


IS_KEY = bytes(mark & KEY for mark in range(256))
_HIDDEN_MARKS = bytes([HIDDEN, KEY | HIDDEN])
_IS_SHOWN = bytes(mark < HIDDEN for mark in range(256))


def _marks(flags: bytes) -> int:
    return KEY * (b"K" in flags) | HIDDEN * (b"D" in flags)


def _repeated(texts: Sequence[bytes]) -> array[float]:
    """Return the numbers of texts of which most are alike."""
    known = {text: _number(text) for text in set(texts)}
    return array("d", [known[text] for text in texts])


def _position(text: bytes) -> int:
    return int(text) if text.isdigit() and len(text) <= MAX_POSITION_DIGITS else UNKNOWN_POSITION


def _numbers(texts: Sequence[bytes]) -> array[float]:
    try:
        return array("d", list(map(float, texts)))
    except ValueError:
        return array("d", list(map(_number, texts)))


def _number(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return _UNKNOWN
