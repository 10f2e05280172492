"""What a tool prints is kept up to a bound."""

from __future__ import annotations

import pytest

from storage.media_errors import TooComplexError
from workers.planning.printed import Printed


def test_what_is_too_much_stops_the_tool() -> None:
    """The error is what run_tool raises."""
    printed = Printed(4)
    printed.take(b"abcd")
    with pytest.raises(TooComplexError):
        printed.take(b"e")
    assert printed.text() == "abcd"


def test_the_first_of_much_is_kept() -> None:
    """Of looks the first do."""
    printed = Printed(4)
    for piece in (b"abc", b"def", b"ghi"):
        printed.take_first(piece)
    assert printed.text() == "abcd"
