"""ASS and SSA: styles and events, as far as WebVTT can show them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from storage.captions.cues import Cue, milliseconds_of
from storage.captions.markup import ITALIC, LONGEST_RAW, OLD_TOP, PLAIN, TOP, of_ass, strict

_SECTION = re.compile(r"\[(.{1,40})\]\s*")
_TIME = re.compile(r"\s*(\d{1,4}):(\d{1,2}):(\d{1,2})(?:[.:,](\d{1,3}))?\s*", re.ASCII)
_MOST_STYLES = 1000  # a film with signs in many shapes has a hundred
_FIELDS = 24  # of a line; styles have 23
_EVENTS = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")


@dataclass(frozen=True, slots=True)
class _Style:
    styles: frozenset[str] = PLAIN
    top: bool = False


@dataclass(slots=True)
class _Script:
    """What was read so far: where the reader is, the order of fields there, and the styles."""

    section: str = ""
    order: tuple[str, ...] = ()
    styles: dict[str, _Style] = field(default_factory=dict)


def ass(lines: Iterable[str], *, has_comments: bool = True) -> Iterator[Cue]:
    """Yield the cues of ASS or SSA: what is said, in italics or at the top where style or text tell so.

    What stands in braces and is no override is a comment, or text unless the script `has_comments`.
    """
    script = _Script()
    for line in lines:
        if (section := _SECTION.fullmatch(line)) is not None:
            script.section, script.order = section[1].strip().lower(), ()
            continue
        kind, _, rest = line[:LONGEST_RAW].partition(":")
        match kind.strip().lower():
            case "format":
                script.order = tuple(name.strip().lower() for name in rest.split(",")[:_FIELDS])
            case "style" if len(script.styles) < _MOST_STYLES:
                _note_style(script, _fields(rest, script.order))
            case "dialogue":
                yield from _cues(script, _fields(rest, script.order or _EVENTS), has_comments=has_comments)


def _fields(rest: str, order: tuple[str, ...]) -> Mapping[str, str]:
    """Return the fields of a line by name; the last one may hold commas."""
    return dict(zip(order, rest.lstrip().split(",", max(0, len(order) - 1)), strict=False))


def _note_style(script: _Script, fields: Mapping[str, str]) -> None:
    top = OLD_TOP if script.section == "v4 styles" else TOP
    is_italic = fields.get("italic", "0").strip() in {"-1", "1"}
    style = _Style(frozenset({ITALIC}) if is_italic else PLAIN, fields.get("alignment", "").strip() in top)
    script.styles[fields.get("name", "").strip().lstrip("*")] = style


def _cues(script: _Script, fields: Mapping[str, str], *, has_comments: bool) -> Iterator[Cue]:
    start, end = (_milliseconds(fields.get(name, "")) for name in ("start", "end"))
    if start is None or end is None:
        return
    style = script.styles.get(fields.get("style", "").strip().lstrip("*"), _Style())
    runs, is_top = of_ass(fields.get("text", ""), style.styles, has_comments=has_comments)
    yield Cue(start, end, strict(runs), is_top or style.top)


def _milliseconds(text: str) -> int | None:
    found = _TIME.fullmatch(text)
    return None if found is None else milliseconds_of(*found.groups())
