"""The header Range as this service honours it: one range of bytes. Pure."""

from __future__ import annotations

import re

# 18 digits are an exabyte and fit any file's offset; more is nothing that a player asks for.
_ONE_RANGE = re.compile(r"bytes=[ \t]*(?:[0-9]{1,18}-[0-9]{0,18}|-[0-9]{1,18})[ \t]*", re.IGNORECASE)


def is_one_range(header: str) -> bool:
    """Tell whether the header asks for one range of bytes; anything else is to be ignored.

    RFC 9110 (14.2) wants that of other units, and allows it of several ranges at once, which no player needs, and of
    what has no right form.
    """
    found = _ONE_RANGE.fullmatch(header)
    if found is None:
        return False
    first, _, last = found[0].partition("=")[2].strip(" \t").partition("-")
    return not (first and last) or int(first) <= int(last)
