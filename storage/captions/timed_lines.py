"""SubRip and WebVTT: lines of times, and the lines of text that belong to them. Pure.

Both are read as people write them, not as they should: without numbers, without empty lines, with points for commas.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from storage.captions.cues import Cue, milliseconds_of
from storage.captions.markup import LONGEST_RAW, is_top, of_subrip, of_webvtt, strict

_ARROW = "-->"
_LONGEST_TIMING = 300  # characters of a line of times: settings of WebVTT stand behind them
_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,:](\d{1,3}))?"
_TIMING = re.compile(rf"\s*+{_TIME}\s*+{_ARROW}\s*+{_TIME}(.*)", re.ASCII | re.DOTALL)
_NUMBER = re.compile(r"\s*[0-9]{1,9}\s*")
_TOP = re.compile(r"\bline:(?:[0-3]|[0-9]%|[1-3][0-9](?:\.\d+)?%)(?![0-9.])", re.ASCII)  # of WebVTT, in the upper part


@dataclass(slots=True)
class _Block:
    """What belongs to one line of times; times in milliseconds."""

    start: int
    end: int
    settings: str
    lines: list[str] = field(default_factory=list)
    size: int = 0

    def take(self, line: str) -> None:
        """Keep a line of text, as far as any player would show it."""
        if self.size < LONGEST_RAW:
            self.lines.append(line[:LONGEST_RAW])
            self.size += len(line) + 1


def subrip(lines: Iterable[str]) -> Iterator[Cue]:
    """Yield the cues of SubRip."""
    for block in _blocks(lines, ends_when_empty=False):
        text = "\n".join(block.lines)
        yield Cue(block.start, block.end, strict(of_subrip(text)), is_top(text))


def webvtt(lines: Iterable[str]) -> Iterator[Cue]:
    """Yield the cues of WebVTT; styles, regions and notes are passed over."""
    for block in _blocks(lines, ends_when_empty=True):
        text = strict(of_webvtt("\n".join(block.lines)))
        yield Cue(block.start, block.end, text, _TOP.search(block.settings) is not None)


def _blocks(lines: Iterable[str], *, ends_when_empty: bool) -> Iterator[_Block]:
    present: _Block | None = None
    for line in lines:
        found = _timing(line)
        if found is not None:
            if present is not None:
                yield _without_number(present)
            present = found
        elif present is not None:
            if ends_when_empty and not line.strip():
                yield present
                present = None
            else:
                present.take(line)
    if present is not None:
        yield present


def _timing(line: str) -> _Block | None:
    found = _TIMING.match(line[:_LONGEST_TIMING]) if _ARROW in line[:_LONGEST_TIMING] else None
    if found is None:
        return None
    parts = found.groups()
    return _Block(milliseconds_of(*parts[:4]), milliseconds_of(*parts[4:8]), found[9])


def _without_number(block: _Block) -> _Block:
    """Return the block without the number of the next cue, which stands alone right ahead of its times."""
    lines = block.lines
    if lines and _NUMBER.fullmatch(lines[-1]) and (len(lines) == 1 or not lines[-2].strip()):
        lines.pop()
    return block
