"""Languages of tracks: whatever a container calls them as BCP 47 tags, and back for MP4. Pure.

Containers name languages by ISO 639-2 in both of its forms (`ger` and `deu`), by ISO 639-1 (`de`) or by BCP 47
(`pt-BR`). What they say is an upload's text, so only what the Unicode consortium's list knows becomes a tag.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from babel import Locale
from babel.core import get_global

_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-(?P<script>[a-z]{4}))?(?:-(?P<region>[a-z]{2}|[0-9]{3}))?", re.IGNORECASE | re.ASCII
)
_SEPARATORS = re.compile(r"[_-]")
_NO_LANGUAGE = frozenset({"und", "mis", "mul", "zxx"})  # not told, not coded, several, none
# The older form of ISO 639-2, after the English names; MP4 wants the other one.
_BIBLIOGRAPHIC = frozenset(
    {"alb", "arm", "baq", "bur", "chi", "cze", "dut", "fre", "geo", "ger"}
    | {"gre", "ice", "mac", "mao", "may", "per", "rum", "slo", "tib", "wel"}
)
# That list also replaces some languages by near ones; these stay what they are.
_OWN = {"tl": "tl", "tgl": "tl", "fil": "fil", "tw": "tw", "twi": "tw"}
# Of the codes of three letters that come to the same language, those of ISO 639-2; others are of its dialects.
_OF_THE_WHOLE = frozenset(
    {"aka", "ara", "aym", "aze", "cre", "dzo", "est", "fas", "ful", "grn", "guj", "hrv", "ipk", "iku", "kon", "kau"}
    | {"kur", "kom", "lav", "mlg", "mon", "msa", "nep", "oji", "orm", "ori", "pus", "que", "ron", "san", "srd", "sqi"}
    | {"srp", "swa", "tgl", "twi", "uzb", "yid", "zha", "zho"}
)
UNDETERMINED = "und"


def language_tag(text: str) -> str:
    """Return the BCP 47 tag (`en`, `zh-Hant`, `pt-BR`) of a language as a container names it, empty for anything else.

    Empty as well where no single language is told (`und`, `mis`, `mul`, `zxx`).
    """
    found = _TAG.fullmatch(_SEPARATORS.sub("-", text.strip()))
    if found is None:
        return ""
    language = _language(found["language"].lower())
    if not language:
        return ""
    script, region = (found["script"] or "").capitalize(), (found["region"] or "").upper()
    known = _english()
    parts = (language, script if script in known.scripts else "", region if region in known.territories else "")
    return "-".join(filter(None, parts))


def three_letters(tag: str) -> str:
    """Return the code of ISO 639-2/T that MP4 has for the language of a tag; `und` for none."""
    language = tag.partition("-")[0]
    return _three_letters().get(language, language if len(language) == len(UNDETERMINED) else UNDETERMINED)


def language_name(tag: str) -> str:
    """Return the English name of a tag, the tag itself where it has none; empty for no language."""
    language, *rest = tag.split("-")
    known = _english()
    names: Mapping[str, str] = known.languages
    if (whole := names.get(tag.replace("-", "_"))) is not None:
        return whole
    further = [known.scripts.get(part) or known.territories.get(part) or part for part in rest]
    return f"{names.get(language, language)} ({', '.join(further)})" if further else names.get(language, language)


def _language(code: str) -> str:
    """Return the language of a code of two or three letters, in its shortest form; empty for an unknown one."""
    if code in _NO_LANGUAGE:
        return ""
    # A replacement may be a tag of several parts, such as that of Serbo-Croatian.
    code = _aliases().get(code, code).partition("_")[0]
    return code if code in _known_languages() else ""


@functools.cache
def _english() -> Locale:
    return Locale("en")


@functools.cache
def _known_languages() -> frozenset[str]:
    """Return the languages of the list; its groups and its codes for private use are none."""
    named = {str(name).partition("_")[0] for name in _english().languages}
    likely = {str(name).partition("_")[0] for name in get_global("likely_subtags")}
    return frozenset(named | likely) - _NO_LANGUAGE


@functools.cache
def _aliases() -> dict[str, str]:
    return {name: str(meant) for name, meant in get_global("language_aliases").items()} | _OWN


@functools.cache
def _three_letters() -> dict[str, str]:
    """Return ISO 639-2/T by ISO 639-1."""
    size = len(UNDETERMINED)
    codes = [(two, three) for three, two in _aliases().items() if len(two) < size == len(three)]
    wanted = sorted(codes, key=lambda pair: pair[1] in _OF_THE_WHOLE)  # what comes last counts
    return {two: three for two, three in wanted if three not in _BIBLIOGRAPHIC}
