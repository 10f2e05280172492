"""The memory of a receiver of EIA-608: fifteen rows of signs, and what they say as WebVTT. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from storage.captions.markup import PLAIN, Styled, strict

ROWS, COLUMNS = 15, 32
LAST_COLUMN = COLUMNS - 1
_LAST_AT_TOP = 6  # as of WebVTT: in the upper part stands what is above two fifths
_BLANK = (" ", PLAIN)

_Cell = tuple[str, frozenset[str]]


class CaptionScreen:
    """Signs by row (from 1) and column (from 0), each with its styles."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[int, _Cell]] = {}

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was written, not even a blank."""
        return not any(self._rows.values())

    def write(self, row: int, column: int, sign: str, styles: frozenset[str]) -> None:
        """Write a sign over whatever stands there."""
        self._rows.setdefault(row, {})[column] = (sign, styles)

    def erase(self, row: int, columns: range) -> None:
        """Take away what stands in these columns of a row."""
        cells = self._rows.get(row, {})
        for column in columns:
            cells.pop(column, None)

    def move(self, by: int, first: int, last: int) -> None:
        """Move all rows down, or up by a negative number; none is left before `first` or behind `last`."""
        self._rows = {row + by: cells for row, cells in self._rows.items() if first <= row + by <= last}

    def text(self) -> tuple[str, bool]:
        """Return what it says as strict WebVTT, empty where that is nothing, and whether all of it stands above."""
        rows = sorted(row for row, cells in self._rows.items() if cells)
        return strict(run for row in rows for run in self._runs(row)), bool(rows) and rows[-1] <= _LAST_AT_TOP

    def _runs(self, row: int) -> Iterator[Styled]:
        cells = self._rows[row]
        line = [cells.get(column, _BLANK) for column in range(min(cells), max(cells) + 1)]
        for styles, part in groupby(line, key=itemgetter(1)):
            yield Styled("".join(sign for sign, _ in part), styles)
        yield Styled("\n", PLAIN)
