"""Styles and regions of TTML, as far as WebVTT of ours can show them: slanted, bold, underlined, above. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from storage.captions.markup import BOLD, ITALIC, UNDERLINED

Told = dict[str, str]  # attributes that count, by their names without a prefix
_COUNTING = frozenset({"fontStyle", "fontWeight", "textDecoration", "display", "visibility"})
_PLACING = frozenset({"displayAlign", "origin", "extent"})
_MOST_NAMES = 2000  # of styles and regions; what programs write for every cue anew would be more
_MOST_REFERENCES = 16  # of one element
_LENGTHS = re.compile(r"\S{1,20}\s{1,9}(-?\d{1,6}(?:\.\d{1,9})?)(%|px|c|rh)", re.ASCII)  # across and down
_CELLS = re.compile(r"\d{1,4}\s{1,9}(\d{1,4})", re.ASCII)  # columns and rows
_ROWS = 15  # of cells, where a document says nothing (TTML2, 7.2.1)
_ABOVE = 40.0  # per cent of the picture's height: a text whose middle or edge lies higher stands above


@dataclass(slots=True)
class Styles:
    """The styles and regions of a document that were read so far; `height` is its root's in pixels, 0: unknown."""

    rows: int = _ROWS
    height: float = 0.0
    styles: dict[str, Told] = field(default_factory=dict)
    regions: dict[str, Told] = field(default_factory=dict)

    def begin(self, told: Mapping[str, str]) -> None:
        """Note how the document measures, by the attributes of its first element."""
        cells = _CELLS.fullmatch(told.get("cellResolution", "").strip())
        self.rows = (int(cells[1]) if cells else 0) or _ROWS
        value, unit = _down(told.get("extent", ""))
        self.height = value if unit == "px" else 0.0

    def of(self, told: Mapping[str, str]) -> Told:
        """Return what an element says, by itself and by the styles that it names."""
        found: Told = {}
        for name in told.get("style", "").split()[:_MOST_REFERENCES]:
            found |= self.styles.get(name, {})
        return found | {name: told[name] for name in (_COUNTING | _PLACING) & told.keys()}

    def note_style(self, told: Mapping[str, str]) -> None:
        """Note a style under its name."""
        self._note(self.styles, told)

    def note_region(self, told: Mapping[str, str]) -> None:
        """Note a region under its name."""
        self._note(self.regions, told)

    def add_to_region(self, name: str, told: Mapping[str, str]) -> None:
        """Note a style that stands within a region."""
        if name in self.regions:
            self.regions[name] = self.of(told) | self.regions[name]

    def _note(self, known: dict[str, Told], told: Mapping[str, str]) -> None:
        if len(self.styles) + len(self.regions) < _MOST_NAMES:
            known[told.get("id", "")] = self.of(told)

    def is_above(self, region: str) -> bool:
        """Tell whether texts of the region stand in the upper part of the picture."""
        told = self.regions.get(region, {})
        if "origin" not in told and "displayAlign" not in told:
            return False
        top = self._vertical(told.get("origin", "0% 0%"))
        height = self._vertical(told.get("extent", "100% 100%"))
        if top is None or height is None:
            return False
        share = {"center": 0.5, "after": 1.0}.get(told.get("displayAlign", "before"), 0.0)
        return top + share * height < _ABOVE

    def _vertical(self, text: str) -> float | None:
        """Return the second of two lengths in per cent of the height, None where it is not known."""
        value, unit = _down(text)
        whole = {"%": 100.0, "rh": 100.0, "c": float(self.rows), "px": self.height}.get(unit, 0.0)
        return value / whole * 100 if whole else None


def marks(told: Mapping[str, str]) -> frozenset[str]:
    """Return the styles of a text of which this is told."""
    found = {
        ITALIC: told.get("fontStyle") in {"italic", "oblique"},
        BOLD: told.get("fontWeight") == "bold",
        UNDERLINED: "underline" in told.get("textDecoration", "").split(),
    }
    return frozenset(mark for mark, holds in found.items() if holds)


def is_hidden(told: Mapping[str, str]) -> bool:
    """Tell whether a text of which this is told is not shown."""
    return told.get("display") == "none" or told.get("visibility") == "hidden"


def _down(text: str) -> tuple[float, str]:
    """Return the second of two lengths and its unit, 0 and none where there are not two."""
    found = _LENGTHS.fullmatch(text.strip())
    return (0.0, "") if found is None else (float(found[1]), found[2])
