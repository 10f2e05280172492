"""Markup of subtitles: of three formats, what becomes strict WebVTT with italics, bold and underlined alone. Pure.

Each reader yields runs, a text and its styles. One writer cleans and escapes them, so nothing of a file reaches a
player as markup. A pattern here takes time in proportion to the text, whatever that is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from storage.captions.webvtt import escaped

LONGEST_CUE = 2_000  # characters; two lines of forty are usual, a page of credits has some hundred
LONGEST_RAW = 4 * LONGEST_CUE  # characters of a cue in its file that are looked at: markup and overrides take some
MOST_LINES = 12  # what fits above the controls of a player
ITALIC, BOLD, UNDERLINED = "i", "b", "u"

# Controls, and what forces letters to stand in the other direction. Marks that Arabic and Hebrew need stay: their reach
# ends with the line.
_DROPPED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]")
_BLANKS = str.maketrans({"\t": " ", "\u2028": "\n", "\u2029": "\n"})
_TAG = re.compile(r"<(/?)([a-zA-Z]++)([^<>]*+)>", re.ASCII)
_ANY_TAG = re.compile(r"<(/?)([a-z]*+)([^<>]*+)>", re.ASCII)
_OVERRIDE = re.compile(r"\{([^{}]*+)\}|\\([Nnh{}\\])")
_SETTING = re.compile(r"\\(?:(an|a|i|b|u|p)(\d{1,3})|r)", re.ASCII)
_BRACES = re.compile(r"\{\\([^{}]*+)\}")
# Tags of HTML that files of SubRip have; whatever else stands in angle brackets there was meant to be read.
_STYLES = {"i": ITALIC, "em": ITALIC, "b": BOLD, "strong": BOLD, "u": UNDERLINED}
_PASSED_OVER = frozenset({"font", "span", "p", "div", "s", "strike", "c", "v", "ruby", "rt", "lang"})


class Styled(NamedTuple):
    """A piece of text, in which lines end with a line feed, and its styles."""

    text: str
    styles: frozenset[str]


PLAIN: frozenset[str] = frozenset()
_BREAK = "\n"
TOP, OLD_TOP = frozenset("789"), frozenset("567")  # places at the top, by ASS and by SSA
_BOLD_WEIGHT = 600


def of_subrip(text: str) -> Iterator[Styled]:
    """Yield the runs of SubRip's text: some tags of HTML, overrides of ASS, and else what it says."""
    return _tagged(_BRACES.sub("", text), _TAG, _subrip_tag)


def of_webvtt(text: str) -> Iterator[Styled]:
    """Yield the runs of WebVTT's text: everything in angle brackets is markup there, and characters may be escaped."""
    return (Styled(html.unescape(run.text), run.styles) for run in _tagged(text, _ANY_TAG, _webvtt_tag))


def is_top(text: str) -> bool:
    """Tell whether an override of ASS, which SubRip has as well, puts the text at the top."""
    braces = "".join(f"\\{inner}" for inner in _BRACES.findall(text))
    return any(_is_top(name, number) for name, number in _SETTING.findall(braces))


def of_ass(text: str, styles: frozenset[str] = PLAIN, *, has_comments: bool = True) -> tuple[list[Styled], bool]:
    """Return the runs of ASS' text, whose style says `styles`, and whether an override puts it at the top.

    What stands in braces and is no override is a comment, or text unless it `has_comments`.
    """
    runs: list[Styled] = []
    present, at, top, drawing = set(styles), 0, False, False
    for found in _OVERRIDE.finditer(text):
        if not has_comments and found[1] is not None and not found[1].startswith("\\"):
            continue
        if not drawing:
            runs.append(Styled(text[at : found.start()], frozenset(present)))
        at = found.end()
        if found[2] is not None:
            runs.append(Styled({"N": "\n", "n": " ", "h": "\u00a0"}.get(found[2], found[2]), frozenset(present)))
            continue
        for name, number in _SETTING.findall(found[1]):
            top = top or _is_top(name, number)
            drawing = int(number) > 0 if name == "p" else drawing
            present = _after(present, name, number, styles)
    if not drawing:
        runs.append(Styled(text[at:], frozenset(present)))
    return runs, top


def strict(runs: Iterable[Styled]) -> str:
    """Return the runs as WebVTT without an empty line; empty where they show nothing."""
    lines: list[list[Styled]] = [[]]
    left = LONGEST_CUE
    for text, styles in runs:
        first, *rest = _DROPPED.sub("", text.translate(_BLANKS))[:left].split("\n")
        lines[-1].append(Styled(first, styles))
        lines += [[Styled(line, styles)] for line in rest]
        left -= len(text)
        if left <= 0:
            break
    return "\n".join([written for line in lines if (written := _line(line))][:MOST_LINES])


def _line(runs: list[Styled]) -> str:
    text = "".join(run.text for run in runs)
    if not text.strip():
        return ""
    return "".join(_marked(run) for run in runs if run.text).strip()


def _marked(run: Styled) -> str:
    tags = sorted(run.styles) if run.text.strip() else []
    opened, closed = "".join(f"<{tag}>" for tag in tags), "".join(f"</{tag}>" for tag in reversed(tags))
    return f"{opened}{escaped(run.text)}{closed}"


def _tagged(text: str, pattern: re.Pattern[str], meaning: Callable[[re.Match[str]], str | None]) -> Iterator[Styled]:
    styles, at = set[str](), 0
    for found in pattern.finditer(text):
        style = meaning(found)
        if style is None:
            continue
        yield Styled(text[at : found.start()], frozenset(styles))
        at = found.end()
        if style == _BREAK:
            yield Styled(_BREAK, PLAIN)
        elif style:
            (styles.discard if found[1] else styles.add)(style)
    yield Styled(text[at:], frozenset(styles))


def _subrip_tag(found: re.Match[str]) -> str | None:
    """Return what a tag does to the text: a style, a break, nothing; None where it is text itself."""
    name = found[2].lower()
    if name == "br":
        return _BREAK
    return "" if name in _PASSED_OVER else _STYLES.get(name)


def _webvtt_tag(found: re.Match[str]) -> str:
    return found[2] if found[2] in {ITALIC, BOLD, UNDERLINED} else ""


def _is_top(name: str, number: str) -> bool:
    return (name == "an" and number in TOP) or (name == "a" and number in OLD_TOP)


def _after(present: set[str], name: str, number: str, styles: frozenset[str]) -> set[str]:
    """Return the styles behind one setting of an override; `styles` are those to which it may go back."""
    if not name:
        return set(styles)
    if name not in {ITALIC, BOLD, UNDERLINED}:
        return present
    # A weight of letters is bold from 600 on, as fonts have it; 1 is bold as well.
    is_set = int(number) == 1 or int(number) >= _BOLD_WEIGHT
    return present | {name} if is_set else present - {name}
