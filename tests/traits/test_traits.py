"""Coded clips of random traits through the real stages, MP4 and playlists beside what is right: a short form.

`make test-traits COUNT=2000` tries many, `make test-traits SEED=n` one again; a failure prints both its seed and its
parameters.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.traits.choosing import random_traits, simpler
from tests.traits.examples import EXAMPLES
from tests.traits.traits import Traits
from tests.traits.trying import tried

# Those that found the severe faults when these were put back: pauses, tails, recordings, cuts, PCM.
FIXED_SEEDS = (70040, 70009, 70022, 70031, 70003, 70014, 70038, 70235)


Say = Callable[[str], None]


def assert_right(traits: Traits, say: Say, *, seed: int | None = None) -> None:
    """Fail with what is unlike, after printing how to try it again."""
    outcome = tried(traits)
    if outcome.unlike:
        say(f"{'' if seed is None else f'SEED={seed} '}{traits.told}")
    assert outcome.unlike == (), f"{traits.told}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_named_combination_comes_out_right(name: str, say: Say) -> None:
    """Faults that were severe do not come back."""
    assert_right(EXAMPLES[name], say)


@pytest.mark.parametrize("seed", FIXED_SEEDS)
def test_a_known_combination_comes_out_right(seed: int, say: Say) -> None:
    """Seeds that are the same in every run."""
    assert_right(random_traits(seed), say, seed=seed)


def test_a_seed_is_a_combination() -> None:
    """The same seed gives the same clip, and what is printed of it gives it as well."""
    for seed in range(300):
        traits = random_traits(seed)
        assert traits == random_traits(seed)
        assert eval(traits.told) == traits  # noqa: S307 - what the test itself printed


def test_simpler_combinations_have_a_trait_less() -> None:
    """What shrinks ends: no combination comes back."""
    for seed in range(300):
        traits = random_traits(seed)
        assert traits not in set(simpler(traits))
