"""Where the index of a file lies, for files of any kind."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.boxes_ahead import FILES, MOST, SIZES
from web.client.index_ahead import index_of


@pytest.mark.parametrize(("data", "expected"), FILES.values(), ids=FILES)
def test_where_the_index_lies(data: bytes, expected: tuple[int, int] | None) -> None:
    """Behind the media or not at all."""
    assert index_of(BytesIO(data), len(data), MOST) == expected


@given(
    st.lists(
        st.sampled_from([b"ftyp", b"mdat", b"moov", b"free", b"moof"]).flatmap(
            lambda kind: SIZES.map(lambda size: size.to_bytes(4, "big") + kind + bytes(12))
        ),
        max_size=6,
    ).map(b"".join)
)
def test_any_file_is_read_in_bounds(data: bytes) -> None:
    """What is found is the end of the file, or its index."""
    found = index_of(BytesIO(data), len(data), MOST)
    if found is not None:
        assert found.end == len(data) or data[found.begin + 4 : found.begin + 8] == b"moov"
        assert b"moov" in data
        assert 8 <= found.end - found.begin <= MOST
        assert found.end <= len(data)
