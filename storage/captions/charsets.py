"""In which characters a file of subtitles is written: by its mark, as UTF-8, or as its language is written. Pure.

Files of SubRip do not say so. Most are UTF-8 by now; older ones are in what Windows used where they were made.
"""

from __future__ import annotations

import codecs
import re

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
# Letters of the West and of its neighbours look alike to whoever guesses: without a language they are Western ones.
_GUESSED = ["cp949", "gb18030", "big5hkscs", "cp874", "cp1251", "cp1252", "cp1253", "cp1255", "cp1256"]
_JAPANESE = ("cp932", "euc_jp")
_KANA = re.compile("[\u3040-\u30ff]")
_KANA_SHARE = 0.2  # of what is not ASCII: Japanese has half, and no other language any
_SAMPLE_BYTES = 32 * 1024  # of lines that are looked at to guess: hundreds


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
    sample, left = [], _SAMPLE_BYTES
    for line in data.splitlines():
        if not line.isascii():
            sample.append(line[:left])
            left -= len(sample[-1])
        if left <= 0:
            break
    told = b"\n".join(sample)
    japanese = (name for name in _JAPANESE if _has_kana(told, name))
    best = from_bytes(told, cp_isolation=_GUESSED).best()
    return next(japanese, _WESTERN if best is None else best.encoding)


def _has_kana(sample: bytes, name: str) -> bool:
    text = sample.decode(name, errors="replace")
    return len(_KANA.findall(text)) > _KANA_SHARE * sum(not sign.isascii() for sign in text)
