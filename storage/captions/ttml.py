"""TTML (DFXP, SMPTE-TT, EBU-TT-D, IMSC): its texts, with their nested times and a few of their styles. Pure.

Expat reads it. What would declare an entity ends the reading, so none is ever expanded, and nothing else is opened. An
element costs a bounded time, and there is a bound for elements.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from xml.parsers import expat

from storage.captions.cues import LONGEST_MILLISECONDS, MOST_CUES, Cue
from storage.captions.markup import LONGEST_RAW, Styled, strict
from storage.captions.ttml_styles import Styles, Told, is_hidden, marks
from storage.captions.ttml_times import Counting, counting_of
from storage.subtitle_errors import SubtitleTooLargeError

# A cue has a paragraph, and a break and two spans at times. Spans with times of their own count once for each time.
MOST_ELEMENTS = 8 * MOST_CUES
# In MP4 each sample is a document, of a second at least: of twelve hours.
_MOST_DOCUMENTS = 50_000
_DEEPEST = 50  # of elements in each other; ten are usual
# Of one paragraph. Texts that come word by word have twenty; of more all stands at once.
_MOST_TIMES, _MOST_RUNS = 32, 500
_EDGES = 2  # of a paragraph that comes and goes as one
_SHOWN = frozenset({"tt", "head", "styling", "layout", "region", "body", "div", "p", "span"})
_EMPTY = frozenset({"style", "br"})
_ASIDE = frozenset({"text", "textContainer", "delimiter"})  # how a word is read, which stands above it
_BLANKS = re.compile(r"[ \t\r\n]+")
_DOCUMENT = re.compile(r"</(?:[\w.-]{1,32}:)?tt\s{0,8}>")


def ttml(lines: Iterable[str]) -> Iterator[Cue]:
    """Yield the cues of TTML: of one document, or of several one behind the other.

    Raises SubtitleTooLargeError for more elements or documents than any film's subtitles have.
    """
    left = MOST_ELEMENTS
    for number, document in enumerate(_documents("\n".join(lines))):
        if number > _MOST_DOCUMENTS:
            raise SubtitleTooLargeError
        reader = _Reader(left)
        yield from reader.read(document)
        left = reader.left


def _documents(text: str) -> Iterator[str]:
    begin = 0
    for end in (*(found.end() for found in _DOCUMENT.finditer(text)), len(text)):
        yield text[begin:end].lstrip("\ufeff \t\r\n")  # a declaration stands at the very beginning
        begin = end


@dataclass(slots=True)
class _Element:
    """An element that is open: its times in milliseconds (`end` None: endless), and what it says to those within.

    `next` is when the next one within begins, where they follow each other.
    """

    name: str
    begin: int = 0
    end: int | None = None
    told: Told = field(default_factory=dict)
    region: str = ""
    preserves: bool = False
    follows: bool = False
    next: int = 0


@dataclass(frozen=True, slots=True)
class _Run:
    """A piece of a paragraph's text, and when it is shown."""

    begin: int
    end: int | None
    styled: Styled


class _Reader:
    """Reads one document of at most `left` elements."""

    def __init__(self, left: int) -> None:
        self.left = left
        self._counting = Counting()
        self._styles = Styles()
        self._open = [_Element("")]
        self._skipped = 0
        self._runs: list[_Run] = []
        self._size = 0
        self._cues: list[Cue] = []

    def read(self, text: str) -> list[Cue]:
        """Return the document's cues, as far as it is XML."""
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = _refuse
        with suppress(expat.ExpatError, _DeclarationError):
            parser.Parse(text.encode("utf-8", "replace"), True)  # noqa: FBT003 - its last argument has no name
        return self._cues

    def _count(self, work: int) -> None:
        self.left -= work
        if self.left < 0 or len(self._cues) > 2 * MOST_CUES:  # layers say the same twice
            raise SubtitleTooLargeError

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._count(1)
        local, parent = _local(name), self._open[-1]
        told = {_local(key): value for key, value in attributes.items()}
        is_known = local in _SHOWN | _EMPTY and told.get("ruby") not in _ASIDE
        if self._skipped or not is_known or len(self._open) > _DEEPEST:
            self._skipped += 1
        elif local == "br":
            self._add("\n")
        elif local == "style" and parent.name == "region":
            self._styles.add_to_region(parent.region, told)
        elif local == "style":
            self._styles.note_style(told)
        else:
            self._open.append(self._element(local, told, parent))

    def _element(self, local: str, told: dict[str, str], parent: _Element) -> _Element:
        if local == "tt":
            self._counting = counting_of(told)
            self._styles.begin(told)
        elif local == "region":
            self._styles.note_region(told)
            return _Element(local, region=told.get("id", ""))
        elif local == "p":
            self._runs, self._size = [], 0
        begin, end = self._times(told, parent)
        return _Element(
            local,
            begin,
            end,
            parent.told | (self._styles.of(told) if local != "tt" else {}),
            told.get("region", parent.region),
            told["space"] == "preserve" if "space" in told else parent.preserves,
            told.get("timeContainer") == "seq",
            begin,
        )

    def _times(self, told: dict[str, str], parent: _Element) -> tuple[int, int | None]:
        """Return when an element is shown: its times count from those of the one around it, or before it."""
        begin, end, lasts = (self._counting.milliseconds(told.get(name, "")) for name in ("begin", "end", "dur"))
        base = parent.next if parent.follows else parent.begin
        at = base + (begin or 0)
        ends = [parent.end, None if end is None else base + end, None if lasts is None else at + lasts]
        return at, min((one for one in ends if one is not None), default=None)

    def _text(self, text: str) -> None:
        if self._skipped or self._open[-1].name not in {"p", "span"}:
            return
        if not self._open[-1].preserves:
            text = _BLANKS.sub(" ", text)
            if not self._runs or self._runs[-1].styled.text.endswith((" ", "\n")):
                text = text.removeprefix(" ")
        self._add(text)

    def _add(self, text: str) -> None:
        present = self._open[-1]
        around = self._styles.regions.get(present.region, {}) | present.told
        if text and self._size < LONGEST_RAW and len(self._runs) < _MOST_RUNS and not is_hidden(around):
            self._runs.append(_Run(present.begin, present.end, Styled(text[:LONGEST_RAW], marks(around))))
            self._size += len(text)

    def _end(self, name: str) -> None:
        if self._skipped:
            self._skipped -= 1
        elif _local(name) not in _EMPTY:
            ended = self._open.pop()
            self._open[-1].next = ended.begin if ended.end is None else ended.end
            if ended.name == "p":
                self._cues += self._said(ended)

    def _said(self, paragraph: _Element) -> Iterator[Cue]:
        """Yield the cues of a paragraph: several where parts of it have times of their own."""
        last = paragraph.begin + LONGEST_MILLISECONDS if paragraph.end is None else paragraph.end
        is_above = self._styles.is_above(paragraph.region)
        spans = [(run.begin, last if run.end is None else run.end, run.styled) for run in self._runs]
        edges = sorted({edge for begin, end, _ in spans for edge in (begin, end)})
        self._runs = []
        if len(edges) > _EDGES:
            self._count(len(edges) * len(spans))
        if len(edges) > _MOST_TIMES:
            yield Cue(paragraph.begin, last, strict(styled for _, _, styled in spans), is_above)
            return
        for begin, end in pairwise(edges):
            shown = strict(styled for since, until, styled in spans if since <= begin and end <= until)
            yield Cue(begin, end, shown, is_above)


class _DeclarationError(Exception):
    """Tells that a document declares what its text may stand for."""


def _refuse(*_: object) -> None:
    raise _DeclarationError


def _local(name: str) -> str:
    """Return a name without its prefix, which each document chooses by itself."""
    return name.rpartition(":")[2]
