"""One client holds its share, and no more."""

from __future__ import annotations

import pytest

from storage.errors import AddressShareError
from web.admission.decision import share_of
from web.admission.shares import Shares


@pytest.mark.parametrize(("total", "percent", "share"), [(64, 25, 16), (375, 25, 93), (2, 25, 1), (8, 100, 8)])
def test_a_share_is_at_least_one(total: int, percent: int, share: int) -> None:
    """Whole ones only; a small installation gives one."""
    assert share_of(total, percent) == share


def test_a_client_has_its_share_and_others_theirs() -> None:
    """What one gives back, it may hold again."""
    shares = Shares(2)
    with shares.hold("a"):
        with shares.hold("a"), shares.hold("b"):
            with pytest.raises(AddressShareError) as caught, shares.hold("a"):
                pass
            assert caught.value.retry_after > 0
        with shares.hold("a"):
            pass
