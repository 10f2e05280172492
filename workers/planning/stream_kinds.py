"""What a stream is, by what ffprobe says of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TTML = "ttml"
_TTML_IN_MP4 = "stpp"  # ISO/IEC 14496-30; to ffprobe 5.1 it is data of no known kind


def kind_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a Stream that say what it is."""
    if item.get("codec_tag_string") == _TTML_IN_MP4:
        return {"kind": "subtitle", "codec": TTML}
    return {"kind": str(item.get("codec_type", "")), "codec": str(item.get("codec_name", ""))}
