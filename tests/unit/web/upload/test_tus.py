"""What headers of tus mean, for any text that a client may send."""

from __future__ import annotations

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import InvalidRequestError, RequestError
from web.upload import tus

KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=","), min_size=1, max_size=10)
PAIRS = st.dictionaries(KEYS, st.text(max_size=20), max_size=5)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Tus-Resumable", "Upload-Length", "Upload-Defer-Length", "Upload-Offset", "Upload-Metadata", "Upload-Checksum"]
    ),
    st.text(max_size=40) | st.integers().map(str) | st.builds("sha1 {}".format, st.text(max_size=30)),
)


def written(pairs: dict[str, str]) -> str:
    """Return the pairs as Upload-Metadata."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())


@given(PAIRS)
def test_metadata_comes_back(pairs: dict[str, str]) -> None:
    """Whatever the values say."""
    assert tus.metadata_of(written(pairs)) == pairs


@given(HEADERS)
def test_any_header_is_taken_or_refused(headers: dict[str, str]) -> None:
    """In words of ours: none of them is a fault of the service."""
    for read in (
        tus.check_version,
        tus.check_type,
        tus.offset_of,
        tus.checksum_of,
        tus.described,
        lambda said: tus.length_of(said, limit=1000, required=True),
        lambda said: tus.length_of(said, limit=1000, required=False),
        lambda said: tus.index_place(said, size=10, length=1000),
    ):
        with suppress(RequestError):
            read(headers)


@given(st.integers(0, 2000), st.booleans())
def test_a_length_is_within_its_limit(length: int, required: bool) -> None:  # noqa: FBT001 - given by hypothesis
    """And no file is empty."""
    headers = {"Upload-Length": str(length)}
    if 0 < length <= 1000:
        assert tus.length_of(headers, limit=1000, required=required) == length
        return
    with pytest.raises(RequestError):
        tus.length_of(headers, limit=1000, required=required)


@pytest.mark.parametrize("text", ["\uff11\uff12", "1_0", " 1", "1 ", "+1", "0x1", "1" * 17])
def test_numbers_are_digits_of_ascii(text: str) -> None:
    """Python's own reading takes more."""
    with pytest.raises(InvalidRequestError):
        tus.offset_of({"Upload-Offset": text})
