"""The name of a file in a form, in whatever encoding its client wrote it. Pure; a name is never a reason to refuse."""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from urllib.parse import unquote_to_bytes

# What a header's bytes are read as, each as one character: no byte is lost, and nothing fails.
HEADER_CHARSET = "latin-1"
# What clients write that do not write UTF-8: Windows' Western letters, and Latin-1 for the few bytes that it lacks.
_LEGACY = ("cp1252", "latin-1")
_HALF = re.compile(r"[\ud800-\udfff]")
_QUOTED = re.compile(r'"[^"]*"')
_EXTENDED = re.compile(r";\s*filename\*\s*=\s*([\w.:+-]+)'[^']*'([^;\s]+)", re.ASCII | re.IGNORECASE)  # RFC 5987
_BARE = re.compile(r";\s*filename\s*=\s*([^\";]+)", re.IGNORECASE)
_ENCODED_WORD = re.compile(r"(=\?[\w-]+\?[bq]\?[^?]*\?=\s*)+", re.ASCII | re.IGNORECASE)  # RFC 2047


def file_name(disposition: str, parsed: str | None) -> str | None:
    """Return the file name of a part by its header, None for a part that is no file.

    Both the header and the name that the parser found in it hold a byte in each character. A name by RFC 5987 comes
    first, then what is quoted or stands bare.
    """
    outside = _QUOTED.sub('""', disposition)
    extended = _EXTENDED.search(outside)
    name = None if extended is None else _decoded(unquote_to_bytes(extended[2]), extended[1])
    if name is not None or parsed is None:
        return name
    bare = _BARE.search(outside)
    return text_of(bare[1].strip() if bare and bare[1].startswith(parsed) else parsed)


def text_of(raw: str) -> str:
    """Return the text whose bytes are the characters of `raw`: UTF-8, encoded words of mail, or what is left."""
    data = raw.encode(HEADER_CHARSET)
    if _ENCODED_WORD.fullmatch(raw):
        return _worded(raw)
    found = (text for charset in ("utf-8", *_LEGACY) if (text := _decoded(data, charset)) is not None)
    return next(found, raw)


def _decoded(data: bytes, charset: str) -> str | None:
    try:
        text = data.decode(charset)
    except (UnicodeError, LookupError, ValueError):
        return None
    # Some charsets, UTF-7 among them, give halves of characters, which nothing can write.
    return None if _HALF.search(text) else text


def _worded(raw: str) -> str:
    try:
        return str(make_header(decode_header(raw)))
    except (HeaderParseError, UnicodeDecodeError, LookupError, ValueError):
        return raw
