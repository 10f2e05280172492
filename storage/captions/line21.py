"""A reader of EIA-608 (CTA-608, 47 CFR 15.119): from pairs of bytes in time to cues, as a receiver shows them. Pure.

A receiver shows letters as they come, two with each picture. As cues that is a page for each pair; so what comes
without a pause is one cue, from its first letter on. It stands until it is erased, or something is added to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, IntEnum, auto

from storage.captions.a53 import Pair
from storage.captions.cues import Cue
from storage.captions.line21_screen import COLUMNS, LAST_COLUMN, ROWS, CaptionScreen
from storage.captions.line21_signs import BASIC, EXTENDED, SPECIAL
from storage.captions.markup import ITALIC, PLAIN, UNDERLINED

CHANNELS = (1, 2, 3, 4)  # of captions: CC1 and CC2 in the first field, CC3 and CC4 in the second
PAUSE_MILLISECONDS = 500  # without a letter: whoever writes as people speak sends word by word, faster than this
# Commands are sent twice, with pictures in between where there are more than sixty bytes a second have room in.
_REPEAT_MILLISECONDS = 100
# Without data of its field a receiver erases what it shows (47 CFR 15.119).
SILENT_MILLISECONDS = 16_000

_OTHER_CHANNEL, _COMMANDS, _LETTERS = 0x08, 0x10, 0x20  # of the first byte: the second channel's, and where they begin
_MISCELLANEOUS, _MIDDLE, _TABS = frozenset({0x14, 0x15}), 0x11, 0x17  # first bytes of the first channel
_PLACES, _FIRST_SPECIAL = 0x40, 0x30  # from where on second bytes are places of rows, and signs
_TABULATORS = frozenset({0x21, 0x22, 0x23})  # second bytes that go on by one column to three
_INDENTED, _SLANTED, _UNDERLINED = 0x10, 0x0E, 0x01  # in a place, and in what stands in the middle of a row
# Rows by the first byte of a place, and whether the second one has this bit.
_LOWER = 0x20
_PLACED = {0x10: (11, 11), 0x11: (1, 2), 0x12: (3, 4), 0x13: (12, 13), 0x14: (14, 15), 0x15: (5, 6), 0x16: (7, 8)}
_PLACED[0x17] = (9, 10)


class _Do(IntEnum):
    """What a receiver is told by the second byte of a command of the first kind."""

    LOAD = 0x20
    STEP_BACK = 0x21
    ERASE_TO_END = 0x24
    ROLL_TWO = 0x25
    ROLL_THREE = 0x26
    ROLL_FOUR = 0x27
    PAINT = 0x29
    TEXT = 0x2A
    TEXT_ON = 0x2B
    ERASE = 0x2C
    RETURN = 0x2D
    ERASE_LOADED = 0x2E
    SHOW = 0x2F


_OF_CAPTIONS = frozenset(_Do) - {_Do.TEXT, _Do.TEXT_ON, _Do.RETURN}  # a page of text has returns as well


class _Mode(Enum):
    POP = auto()  # a page is loaded, and shown when it is whole
    PAINT = auto()  # letters are shown as they come
    ROLL = auto()  # as well, and each row moves those before it up
    TEXT = auto()  # they are none of the captions


_MODES: Mapping[int, _Mode] = {
    _Do.LOAD: _Mode.POP,
    _Do.PAINT: _Mode.PAINT,
    _Do.TEXT: _Mode.TEXT,
    _Do.TEXT_ON: _Mode.TEXT,
}


def captions_channel(pair: Pair) -> int | None:
    """Return the channel, 1 to 4, of a pair that only captions have; None for any other."""
    field, first, second = pair
    command = first & ~_OTHER_CHANNEL
    is_place = _COMMANDS <= command < _LETTERS and second >= _PLACES
    if is_place or (command in _MISCELLANEOUS and second in _OF_CAPTIONS):
        return 2 * field + (2 if first & _OTHER_CHANNEL else 1)
    return None


def line21_cues(timed: Iterable[tuple[int, Pair]], channel: int) -> Iterator[Cue]:
    """Yield the cues of a channel, 1 to 4, given pairs of both fields and when they are shown, in milliseconds.

    They are in the order of time. What is never erased may end behind the last picture. Each takes a bounded time, and
    what takes long yields a cue, be it an empty one: who counts them has a bound for all.
    """
    receiver, told_to = _Receiver(is_second=channel % 2 == 0), 0
    for at, (field, first, second) in timed:
        if field != (channel - 1) // 2:
            continue
        if at > told_to and (cue := receiver.erase(told_to)) is not None:
            yield cue
        if (cue := receiver.take(at, first, second)) is not None:
            yield cue
        told_to = at + SILENT_MILLISECONDS
    if (cue := receiver.erase(told_to)) is not None:
        yield cue


class _Receiver:
    """A receiver that is set to one channel; times in milliseconds."""

    def __init__(self, *, is_second: bool) -> None:
        self._is_second = is_second
        self._listens = False
        self._mode = _Mode.POP
        self._shown, self._loaded = CaptionScreen(), CaptionScreen()
        self._row, self._column, self._styles = ROWS, 0, PLAIN
        self._height = 2
        self._command: tuple[int, int, int] | None = None
        # Since when what is shown stands, None for nothing; when its last letter came; and what is shown though the
        # screen is prepared for the next row already.
        self._since: int | None = None
        self._written = 0
        self._kept: tuple[str, bool] | None = None

    def take(self, at: int, first: int, second: int) -> Cue | None:
        """Take the next pair of the field; return the cue that it ends."""
        if first < _COMMANDS:
            if first:  # of programme guides, in the second field; captions go on with a command
                self._listens = False
            return self._letters(at, second) if not first and second else None
        if first >= _LETTERS:
            self._command = None
            return self._letters(at, first, second)
        told = self._command
        self._command = (at, first, second)
        if told is not None and told[1:] == (first, second) and at - told[0] <= _REPEAT_MILLISECONDS:
            self._command = None
            return None
        self._listens = bool(first & _OTHER_CHANNEL) == self._is_second
        return self._obey(at, first & ~_OTHER_CHANNEL, second) if self._listens else None

    def erase(self, at: int) -> Cue | None:
        """Erase what is shown; return the cue that this ends."""
        cue = self._end(at)
        self._shown = CaptionScreen()
        return cue

    def _end(self, at: int) -> Cue | None:
        """Return what is shown until now, None where nothing is; from now on it is another cue."""
        if self._since is None:
            return None
        (text, top), since = self._kept or self._shown.text(), self._since
        self._since, self._kept = None, None
        return Cue(since, at, text, top)

    def _obey(self, at: int, first: int, second: int) -> Cue | None:
        if first in _MISCELLANEOUS and second < _PLACES:
            return self._manage(at, second)
        if self._mode is _Mode.TEXT or second < _LETTERS:
            return None
        if second >= _PLACES:
            self._place(first, second)
        elif first == _TABS and second in _TABULATORS:
            self._column = min(LAST_COLUMN, self._column + second - _LETTERS)
        elif first == _MIDDLE and second < _FIRST_SPECIAL:
            self._styles = _styles(second)
            return self._write(at, " ", PLAIN)
        elif first == _MIDDLE:
            return self._write(at, SPECIAL[second])
        elif first in EXTENDED:
            self._column = max(0, self._column - 1)
            return self._write(at, EXTENDED[first][second])
        return None

    def _place(self, first: int, second: int) -> None:
        row = _PLACED[first][bool(second & _LOWER)]
        if row != self._row and self._mode is _Mode.ROLL:
            self._shown.move(row - self._row, 1, ROWS)
        if row != self._row and self._mode is _Mode.PAINT:
            self._keep()
        is_indented = bool(second & _INDENTED)
        self._row, self._column = row, (second & _SLANTED) * 2 if is_indented else 0
        self._styles = _styles(second & _UNDERLINED if is_indented else second)

    def _manage(self, at: int, told: int) -> Cue | None:
        self._mode = _MODES.get(told, self._mode)
        match told:
            case _Do.ROLL_TWO | _Do.ROLL_THREE | _Do.ROLL_FOUR:
                return self._roll(at, told - _Do.ROLL_TWO + 2)
            case _Do.ERASE:
                return self.erase(at)
            case _Do.ERASE_LOADED:
                self._loaded = CaptionScreen()
            case _Do.SHOW:
                return self._swap(at)
            case _Do.RETURN if self._mode is _Mode.ROLL:
                return self._return(at)
            case _Do.STEP_BACK if self._mode is not _Mode.TEXT:
                self._column = max(0, self._column - 1)
                self._screen.erase(self._row, range(self._column, self._column + 1))
            case _Do.ERASE_TO_END if self._mode is not _Mode.TEXT:
                self._screen.erase(self._row, range(self._column, COLUMNS))
        return None

    def _roll(self, at: int, height: int) -> Cue | None:
        cue = None
        if self._mode is not _Mode.ROLL:
            cue = self.erase(at)
            self._loaded = CaptionScreen()
            self._mode, self._row, self._column, self._styles = _Mode.ROLL, ROWS, 0, PLAIN
        self._height = height
        return cue

    def _return(self, at: int) -> Cue | None:
        self._keep()
        self._shown.move(-1, max(1, self._row - self._height + 1), self._row)
        self._column, self._styles = 0, PLAIN
        return self._end(at) if self._shown.is_empty else None

    def _swap(self, at: int) -> Cue | None:
        cue = self._end(at)
        self._mode = _Mode.POP
        self._shown, self._loaded = self._loaded, self._shown
        self._since = None if self._shown.is_empty else at
        self._written = at
        return cue

    def _keep(self) -> None:
        """Go on showing what is shown until there is more of it."""
        if self._since is not None and self._kept is None:
            self._kept = self._shown.text()

    def _letters(self, at: int, *codes: int) -> Cue | None:
        ended = None
        if self._listens and self._mode is not _Mode.TEXT:
            for code in codes:
                if code >= _LETTERS:
                    ended = self._write(at, BASIC[code]) or ended
        return ended

    def _write(self, at: int, sign: str, styles: frozenset[str] | None = None) -> Cue | None:
        """Write a sign where the next one belongs; return what it ends where that is shown."""
        ended = self._before_writing(at) if self._mode is not _Mode.POP else None
        self._screen.write(self._row, self._column, sign, self._styles if styles is None else styles)
        self._column = min(LAST_COLUMN, self._column + 1)
        return ended

    def _before_writing(self, at: int) -> Cue | None:
        is_more = self._kept is not None or at - self._written > PAUSE_MILLISECONDS
        ended = self._end(at) if is_more else None
        self._since = at if self._since is None else self._since
        self._written = at
        return ended

    @property
    def _screen(self) -> CaptionScreen:
        return self._loaded if self._mode is _Mode.POP else self._shown


def _styles(told: int) -> frozenset[str]:
    """Return the styles that a place or a byte in the middle of a row tells; colours are given up."""
    named = ((ITALIC, told & _SLANTED == _SLANTED), (UNDERLINED, told & _UNDERLINED))
    return frozenset(name for name, is_set in named if is_set)
