"""Text of strangers that people are shown: titles of videos and of tracks, names of files. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import count

NAME_LENGTH = 200  # characters of a title or file name that are kept: more does not fit any page

# Controls, the marks that turn the reading direction around (`exe.4pm` must not look like `mp4.exe`), and what takes no
# room and only makes two names look like one. Joiners stay: letters of several scripts and emoji are joined by them.
HIDDEN = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufffe\uffff]"
)
SPACES = re.compile(r"\s+")
# Letters and symbols by their category that show nothing: fillers of Hangul, a blank of Braille.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
# Categories of what shows nothing by itself: controls, formats, surrogates, private and unassigned, marks, separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me", "Zs", "Zl", "Zp"})


def clean_text(text: str) -> str:
    """Return the text on one line, composed, without what is hidden, cut to NAME_LENGTH; empty if it shows nothing."""
    composed = unicodedata.normalize("NFC", text)
    line = SPACES.sub(" ", HIDDEN.sub("", SPACES.sub(" ", composed))).strip()[:NAME_LENGTH].strip()
    return line if is_visible(line) else ""


def told_apart(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Return the names so that no two are alike, nor like one that is `taken`: with a number where they would be."""
    others = set(taken)
    found: list[str] = []
    for name in names:
        numbered = (name if number == 1 else f"{name} {number}" for number in count(1))
        found.append(next(one for one in numbered if one not in others))
        others.add(found[-1])
    return found


def is_visible(text: str) -> bool:
    """Tell whether somebody who looks at the text sees anything."""
    return any(unicodedata.category(sign) not in _UNSEEN and sign not in _BLANK for sign in text)
