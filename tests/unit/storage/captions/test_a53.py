"""Pairs of captions in the bytes of pictures, however these lie and whatever is wrong with them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.captions.a53 import has_captions, pairs_of
from tests.support.line21 import cc_data, message

HELLO, OTHER = (0, 0x48, 0x65), (1, 0x41, 0x42)
SAID = cc_data(b"He", b"AB")
BEGUN = b"\xb5\x00\x31GA94\x03"


@pytest.mark.parametrize("data", [message(SAID), b"\0\0\1\xb2" + SAID], ids=["message", "mpeg2video"])
def test_pairs_of_both_fields_are_found(data: bytes) -> None:
    """Between whatever else there is, one picture behind another; 708 is none of them."""
    assert list(pairs_of(b"\0\0\1\6\5\4abcd" + data + b"\0\0\1\x65\xff" + data)) == [HELLO, OTHER] * 2
    assert has_captions(data)


def test_fillings_are_pairs_of_zeros() -> None:
    """They tell that there is room."""
    assert list(pairs_of(message(cc_data(b"\0\0", b"\0\0")))) == [(0, 0, 0), (1, 0, 0)]


def test_bytes_that_keep_start_codes_apart_are_taken_out() -> None:
    """Of encoders that leave reserved bits zero, before a triplet that counts."""
    assert list(pairs_of(BEGUN + b"\x43\xff\0\0\3\0\0\3\0\0\x04\xc8\xe5\xff")) == [HELLO]


@pytest.mark.parametrize(
    "data",
    [
        BEGUN,
        BEGUN + b"\x41",
        BEGUN + b"\x41\xff\xfc\xc8",  # cut off
        BEGUN + b"\x01\xff\xfc\xc8\xe5",  # says that it has none
        BEGUN + b"\x41\xff\xf8\xc8\xe5",  # invalid
        BEGUN + b"\x41\xff\xfc\x48\xe5",  # wrong parity
        BEGUN + b"\x41\xff\xfe\xc8\xe5",  # 708
        SAID,  # of nobody
    ],
)
def test_what_is_no_pair(data: bytes) -> None:
    """It is passed over."""
    assert list(pairs_of(data)) == []


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([BEGUN, BEGUN + b"\x5f\xff", message(SAID)]))))
def test_whatever_the_bytes_are(parts: list[bytes]) -> None:
    """Pairs are no more than bytes have room for."""
    data = b"".join(parts)
    found = list(pairs_of(data))
    assert 3 * len(found) <= len(data)
    assert all(field in {0, 1} and first < 128 and second < 128 for field, first, second in found)
