"""In which characters a file of subtitles is written: by its mark, as UTF-8, or as its language is written. Pure.

Files of SubRip do not say so. Most are UTF-8 by now; older ones are in what Windows used where they were made.
"""

from __future__ import annotations

import codecs

from charset_normalizer import from_bytes

from storage.model.languages import language_tag

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN = "cp1252"
# What Windows wrote before UTF-8. Of several the first one that can be read wins.
_OF_LANGUAGE = {
    "ko": ("cp949",),
    "ja": ("cp932", "euc_jp"),
    "zh": ("gb18030", "big5hkscs"),
    "zh-Hant": ("big5hkscs", "gb18030"),
    "th": ("cp874",),
    "vi": ("cp1258",),
    "el": ("cp1253",),
    "tr": ("cp1254",),
    "he": ("cp1255",),
    **dict.fromkeys(("ar", "fa", "ur"), ("cp1256",)),
    **dict.fromkeys(("ru", "uk", "be", "bg", "mk"), ("cp1251", "koi8_r")),
    **dict.fromkeys(("pl", "cs", "sk", "hu", "ro", "sl", "hr", "bs"), ("cp1250",)),
    **dict.fromkeys(("et", "lv", "lt"), ("cp1257",)),
    **dict.fromkeys(("en", "de", "fr", "es", "pt", "it", "nl", "sv", "da", "nb", "no", "fi", "is"), (_WESTERN,)),
}
_ALL = sorted({name for names in _OF_LANGUAGE.values() for name in names})
_SAMPLE_BYTES = 32 * 1024  # looked at to guess: hundreds of lines, and a tenth of a second


def decoded(data: bytes, language: str) -> str:
    """Return the text of a file, whose `language` is a BCP 47 tag or empty; what is no character in it is replaced."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, errors="replace")
    for name in ("utf-8", *_usual(language)):
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            continue
    return data.decode(_guessed(data), errors="replace")


def _usual(language: str) -> tuple[str, ...]:
    tag = language_tag(language)
    return _OF_LANGUAGE.get(tag, _OF_LANGUAGE.get(tag.partition("-")[0], ()))


def _guessed(data: bytes) -> str:
    """Return the characters that make most sense of the first lines that are not ASCII."""
    first = next(at for at, byte in enumerate(data) if byte >= 0x80)  # noqa: PLR2004 - ASCII ends there
    begin = data.rfind(b"\n", 0, first) + 1
    sample = data[begin : begin + _SAMPLE_BYTES]
    whole = sample.rpartition(b"\n")[0] or sample  # a character in two parts at its end is none
    best = from_bytes(whole, cp_isolation=_ALL).best()
    return _WESTERN if best is None else best.encoding
