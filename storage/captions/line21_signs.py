"""The signs of EIA-608 (CTA-608): its own alphabet, and the pairs of bytes that are a sign beyond it. Pure."""

from __future__ import annotations

_BLOCK = "\u2588"
_OWN = {0x2A: "á", 0x5C: "é", 0x5E: "í", 0x5F: "ó", 0x60: "ú", 0x7B: "ç", 0x7C: "÷", 0x7D: "Ñ", 0x7E: "ñ", 0x7F: _BLOCK}
_OWN[0x27] = "\u2019"
BASIC = {code: _OWN.get(code, chr(code)) for code in range(0x20, 0x80)}
_FIRST = 0x20  # of the second bytes of what follows
# One of them is a blank through which the picture is seen.
SPECIAL = dict(enumerate("®°½¿™¢£♪à èâêîôû", 0x30))
# They take the place of a sign before them, which receivers that do not know them show.
_SPANISH_FRENCH = "ÁÉÓÚÜü\u2018¡*'\u2014©\u2120•“”ÀÂÇÈÊËëÎÏïÔÙùÛ«»"
_PORTUGUESE_GERMAN = "ÃãÍÌìÒòÕõ{}\\^_|~ÄäÖöß¥¤¦ÅåØø┌┐└┘"
EXTENDED = {0x12: dict(enumerate(_SPANISH_FRENCH, _FIRST)), 0x13: dict(enumerate(_PORTUGUESE_GERMAN, _FIRST))}
