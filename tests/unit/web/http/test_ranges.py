"""Which Range headers are honoured."""

from __future__ import annotations

import pytest

from web.http.ranges import is_one_range


@pytest.mark.parametrize("header", ["bytes=0-0", "bytes=5-", "bytes=-5", "Bytes=0-1", "bytes= 0-1 ", "bytes=-0"])
def test_one_range_of_bytes_is_honoured(header: str) -> None:
    """From here to there, to the end, and the last bytes."""
    assert is_one_range(header)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-4",
        "bytes=0-1,2-3",
        "bytes=0-1,",
        "items=0-1",
        "lines=1-",
        "bytes=0x0-0x1",
        "bytes=+1-2",
        "bytes=1_0-2_0",
        "bytes=\u0663-\u0664",
        "bytes=\u00b2-",
        "bytes=0-1\n",
        "bytes=" + "9" * 5000 + "-",
    ],
)
def test_anything_else_is_ignored(header: str) -> None:
    """Other units, lists, and what is no range."""
    assert not is_one_range(header)
