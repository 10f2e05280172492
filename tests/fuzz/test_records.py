"""A short form of `make fuzz`, with the same seeds in every run."""

from __future__ import annotations

from random import Random

import pytest

from tests.fuzz.targets import TARGETS, tried

CASES = 3000


def test_garbage_is_answered_or_refused() -> None:
    """No case ends with an error that is not ours, and what passes can be used."""
    assert [f"SEED={seed} {wrong}" for seed in range(CASES) if (wrong := tried(seed)) is not None] == []


def test_what_is_not_ours_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The net is seen to fail: a reader that raises anything else is named."""

    def odd(random: Random) -> None:
        raise KeyError(random.random())

    monkeypatch.setitem(TARGETS, "names", odd)
    assert any("names: KeyError" in (tried(seed) or "") for seed in range(100))
