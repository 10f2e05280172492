"""Captions of EIA-608 put into the user data of pictures, by hand: CTA-608, and A/53 part 4."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

NOTHING = b"\0\0"
LOAD, ROLL, PAINT, ERASE, RETURN, SHOW = 0x20, 0x25, 0x29, 0x2C, 0x2D, 0x2F
_ROWS = {1: (1, 0x40), 2: (1, 0x60), 3: (2, 0x40), 14: (4, 0x40), 15: (4, 0x60)}  # of those that tests use
_START = b"\0\0\1"
_MPEG_GROUP, _LAST_SLICE = 0xB8, 0xAF


def command(second: int, channel: int = 1) -> list[bytes]:
    """Return a command to a channel, as it is sent: twice."""
    first = (0x14 if channel < 3 else 0x15) | (0 if channel % 2 else 0x08)
    return [bytes([first, second])] * 2


def row(number: int, text: str, channel: int = 1) -> list[bytes]:
    """Return a text in a row, with the command for its place."""
    group, place = _ROWS[number]
    first = 0x10 | group | (0 if channel % 2 else 0x08)
    return [bytes([first, place])] * 2 + letters(text)


def letters(text: str) -> list[bytes]:
    """Return a text where the next letter belongs; its letters are ASCII's."""
    data = text.encode("ascii")
    return [data[at : at + 2].ljust(2, b"\0") for at in range(0, len(data), 2)]


def page(*rows: list[bytes], channel: int = 1) -> list[bytes]:
    """Return what loads a page, which is not shown yet."""
    return command(LOAD, channel) + command(0x2E, channel) + [pair for one in rows for pair in one]


def sent(pictures: int, parts: Sequence[tuple[int, list[bytes]]], every: int = 1) -> list[bytes]:
    """Return the pairs of a field, one for each picture; each part begins at a picture and goes on at every so many."""
    line = [NOTHING] * pictures
    for begin, pairs in parts:
        assert line[begin : begin + every * len(pairs) : every] == [NOTHING] * len(pairs)
        line[begin : begin + every * len(pairs) : every] = pairs
    return line


def shown_at(picture: int, loaded: list[bytes], channel: int = 1, every: int = 1) -> list[tuple[int, list[bytes]]]:
    """Return the parts that load a page right before this picture and show it there."""
    return [(picture - every * len(loaded), loaded), (picture, command(SHOW, channel))]


def with_captions(stream: bytes, codec: str, first: Sequence[bytes], second: Sequence[bytes] = ()) -> bytes:
    """Return a raw stream with the pairs of both fields in its pictures, in the order in which they show.

    The codec is in ffmpeg's name. Of H.264 and HEVC pictures must stand in that order.
    """
    begins = [found.start() for found in re.finditer(re.escape(_START), stream)]
    units = [stream[at:end] for at, end in zip(begins, [*begins[1:], len(stream)], strict=True)]
    written = []
    for unit, picture in zip(units, _pictures(units, codec), strict=True):
        if picture is not None:
            pairs = [line[picture] if picture < len(line) else NOTHING for line in (first, second)]
            written.append(_unit(codec, cc_data(*pairs)))
        written.append(unit)
    return stream[: begins[0]] + b"".join(written)


def cc_data(*pairs: bytes) -> bytes:
    """Return what a picture says of captions: a pair of each field, and room for 708 that is not used."""
    triplets = [bytes([0xFC | field, *map(_odd, pair)]) for field, pair in enumerate(pairs)] + [b"\xfa\0\0"] * 8
    return b"GA94\x03" + bytes([0x40 | len(triplets), 0xFF]) + b"".join(triplets) + b"\xff"


def message(said: bytes) -> bytes:
    """Return a message of H.264 or HEVC that says this, without its head."""
    body = b"\xb5\x00\x31" + said
    return re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", b"\x04" + bytes([len(body)]) + body + b"\x80")


def _odd(byte: int) -> int:
    return byte if byte.bit_count() % 2 else byte | 0x80


def _unit(codec: str, said: bytes) -> bytes:
    heads = {"h264": b"\x06", "hevc": b"\x4e\x01"}
    return _START + (heads[codec] + message(said) if codec in heads else b"\xb2" + said)


def _pictures(units: Sequence[bytes], codec: str) -> Iterator[int | None]:
    """Yield for each unit the number of the picture, as it shows, that it is the first slice of; None for others."""
    count, group, waiting = 0, 0, None
    for unit in units:
        kind = unit[3]
        if codec == "mpeg2video":
            if kind == _MPEG_GROUP:
                group = count
            if kind == 0:
                waiting, count = group + (unit[4] << 2 | unit[5] >> 6), count + 1
            is_slice = 0 < kind <= _LAST_SLICE
            yield waiting if is_slice else None
            waiting = None if is_slice else waiting
            continue
        is_first = kind & 31 in {1, 5} and unit[4] & 0x80 if codec == "h264" else kind < 0x40 and unit[5] & 0x80
        yield count if is_first else None
        count += bool(is_first)
