"""What ffmpeg says when it may not decode becomes the reason of a refusal."""

from __future__ import annotations

import pytest

from storage.media_errors import CodecUnsupportedError, TooComplexError, TooLargePictureError
from workers.planning.overheard import Overheard

LIMIT = 35_651_584


def test_a_picture_that_was_too_large_is_told_by_its_size() -> None:
    """The header may say something else: what was to be decoded counts."""
    overheard = Overheard()
    overheard.hear("[IMGUTILS @ 0x7ffd] Picture size 12000x12000 exceeds specified max pixel count 67108864, see")
    refusal = overheard.refusal(LIMIT)
    assert isinstance(refusal, TooLargePictureError)
    assert refusal.values == {"width": 12_000, "height": 12_000, "megapixels": 144.0, "limit": 35.651584}


def test_other_lines_are_no_reason() -> None:
    """Tools say much about damaged files."""
    overheard = Overheard()
    overheard.hear("[mov,mp4,m4a,3gp,3g2,mj2 @ 0x5] moov atom not found")
    assert overheard.refusal(LIMIT) is None


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("[asv1 @ 0x5] Codec (asv1) not on whitelist 'h264,hevc'", CodecUnsupportedError),
        ("file:/store/original: Cannot allocate memory", TooComplexError),
    ],
)
def test_what_tools_were_not_given_is_told(line: str, kind: type) -> None:
    """A decoder, and memory."""
    overheard = Overheard()
    overheard.hear(line)
    assert isinstance(overheard.refusal(LIMIT), kind)


def test_a_container_that_is_not_listed_is_no_codec() -> None:
    """It is refused as no video that is taken here."""
    overheard = Overheard()
    overheard.hear("[swf @ 0x5] Format not on whitelist 'mov,matroska'")
    assert overheard.refusal(LIMIT) is None
