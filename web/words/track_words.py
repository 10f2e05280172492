"""What warnings call tracks, in the language of the request: languages, and what tracks are. Pure.

Records have the labels of playlists, which are English. What a track's author wrote stays as it is.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from babel import Locale

from web.words.language import DEFAULT_LANGUAGE, language
from web.words.texts import TEXTS

_LABELS = frozenset({"label", "names", "languages"})  # values of warnings that are labels, one or several
_SEPARATOR = ", "
# `English (SDH) 2`: a name, what kind of track it is, and a number where labels would be alike.
_PART = re.compile(r"(?P<name>[^()]+?)(?P<kind> \((?:SDH|forced)\))?(?P<number> [0-9]+)?", re.ASCII)
_KINDS = {" (SDH)": "track.sdh", " (forced)": "track.forced"}
_UNNAMED = {"Audio": "track.audio", "Subtitles": "subtitle.plain", "unknown": "track.unknown"}


def translated(values: Mapping[str, str]) -> dict[str, str]:
    """Return a warning's values with the labels among them in the language of the request."""
    if language() == DEFAULT_LANGUAGE:
        return dict(values)
    return {name: _labels(value) if name in _LABELS else value for name, value in values.items()}


def _labels(text: str) -> str:
    return _SEPARATOR.join(map(_part, text.split(_SEPARATOR)))


def _part(part: str) -> str:
    """Return a part of a label as the reader knows it; as it is where it is no language."""
    found = _PART.fullmatch(part)
    if found is None:
        return part
    name = _name(found["name"])
    if name is None:
        return part
    kind = _KINDS.get(found["kind"])
    return (str(TEXTS[kind]) % {"name": name} if kind else name) + (found["number"] or "")


def _name(name: str) -> str | None:
    if name in _UNNAMED:
        return str(TEXTS[_UNNAMED[name]])
    tag = _tags().get(name)
    return None if tag is None else str(Locale(language()).languages.get(tag, name))


@functools.cache
def _tags() -> dict[str, str]:
    """Return the tags of languages by their English names, which labels have."""
    return {str(name): str(tag) for tag, name in Locale(DEFAULT_LANGUAGE).languages.items()}
