"""Small files of boxes with their index in many places, for those who look for it ahead of an upload."""

from __future__ import annotations

from hypothesis import strategies as st

MOST = 64  # bytes of the longest index
SIZES = st.sampled_from([0, 1, 7, 8, 20, 21, 2**31, 2**32 - 1])


def _box(kind: str, content: int = 12, *, size: int | None = None) -> bytes:
    """Return a box of so many bytes of content, which says that it has another size."""
    return (8 + content if size is None else size).to_bytes(4, "big") + kind.encode() + bytes(content)


def _long_box(kind: str, size: int, content: int = 12) -> bytes:
    return (1).to_bytes(4, "big") + kind.encode() + size.to_bytes(8, "big") + bytes(content)


_HEAD, _MEDIA, _INDEX = _box("ftyp"), _box("mdat", 100), _box("moov", 30)
_AT = len(_HEAD + _MEDIA)

FILES: dict[str, tuple[bytes, tuple[int, int] | None]] = {
    "behind the media": (_HEAD + _MEDIA + _INDEX, (_AT, _AT + 38)),
    "with a little behind it": (_HEAD + _MEDIA + _INDEX + _box("free", 4), (_AT, _AT + 50)),
    "with much behind it": (_HEAD + _MEDIA + _INDEX + _box("free", 40), (_AT, _AT + 38)),
    "media of a long size": (_HEAD + _long_box("mdat", 28) + _INDEX, (len(_HEAD) + 28, len(_HEAD) + 66)),
    "up to the end": (_HEAD + _MEDIA + _box("moov", 30, size=0), (_AT, _AT + 38)),
    "without a head, as old MOVs": (_box("wide", 0) + _MEDIA + _INDEX, (8 + 108, 8 + 108 + 38)),
    "before the media": (_HEAD + _INDEX + _MEDIA, None),
    "without media": (_HEAD + _INDEX, None),
    "before the media, with a little behind them": (_HEAD + _INDEX + _MEDIA + _box("free", 4), (_AT + 38, _AT + 50)),
    "before the media, with much behind them": (_HEAD + _INDEX + _MEDIA + _box("free", 80), None),
    "between media": (_HEAD + _MEDIA + _INDEX + _box("mdat", 20) + _box("free", 0), (_AT + 66, _AT + 74)),
    "in fragments": (_HEAD + _box("moof") + _MEDIA + _INDEX, None),
    "too large": (_HEAD + _MEDIA + _box("moov", MOST), None),
    "cut off": (_HEAD + _MEDIA + _INDEX[:-1], None),
    "media up to the end": (_HEAD + _box("mdat", 50, size=0) + _INDEX, None),
    "a size of nothing": (_HEAD + _box("free", 0, size=4) + _MEDIA + _INDEX, None),
    "a size that runs over": (_HEAD + _long_box("mdat", 2**64 - 1) + _INDEX, None),
    "behind many boxes": (_HEAD + _MEDIA + _box("free", 0) * 40 + _INDEX, None),
    "another kind of file": (b"\x1aE\xdf\xa3" + b"matroska" * 9 + _INDEX, None),
    "short": (b"ftyp", None),
    "empty": (b"", None),
}
