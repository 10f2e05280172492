"""The short form of `make fuzz`: new seeds with each run, printed where one is wrong."""

from __future__ import annotations

import random
from pathlib import Path

from tests.fuzz.mutations import mutated
from tests.fuzz.trying import attempt, make_sources

COUNT = 40  # about 15 s


def test_an_upload_is_the_same_from_the_same_seed() -> None:
    """So that one which was wrong can be tried again."""
    sources = [bytes(range(256)) * 4, b"moov" * 100]
    assert mutated(7, sources) == mutated(7, sources) != mutated(8, sources)


def test_no_mutated_container_ends_but_in_a_plan_or_a_typed_error(tmp_path: Path) -> None:
    """Whatever numbers its header holds."""
    sources = make_sources(tmp_path)
    first = random.SystemRandom().randrange(10**9)
    found = [attempt(seed, sources, tmp_path) for seed in range(first, first + COUNT)]
    assert [f"make fuzz SEED={outcome.seed}: {outcome.wrong}" for outcome in found if outcome.wrong] == []
