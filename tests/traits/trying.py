"""Trying combinations: one, many in parallel, and simpler ones of what failed."""

from __future__ import annotations

import logging
import multiprocessing
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.support.fenced import fence_quietly
from tests.traits.checking import Outcome, check
from tests.traits.choosing import random_traits, simpler
from tests.traits.making import MakingError
from tests.traits.traits import Traits
from workers.sandbox.fork_server import end_server

SHRINK_STEPS = 25  # tries at a simpler clip that fails as well

QUIET = logging.CRITICAL  # seeds could not be found among what thousands of jobs log


def tried(traits: Traits) -> Outcome:
    """Check the combination in a folder of its own; a clip that cannot be made is an outcome, too."""
    with tempfile.TemporaryDirectory(prefix="traits_") as folder:
        try:
            return check(traits, Path(folder) / "clip")
        except MakingError as error:
            return Outcome(traits, (f"not made: {str(error).splitlines()[-1]}",), (), 0.0)
        except Exception as error:  # noqa: BLE001 - one crash must not end two thousand
            return Outcome(traits, (f"{type(error).__name__}: {str(error)[:300]}",), (), 0.0)


def tried_seed(seed: int) -> Outcome:
    """Check the combination of this seed."""
    try:
        return tried(random_traits(seed))
    finally:
        end_server()  # only then is what its tools used counted


def shrunk(found: Outcome) -> Outcome:
    """Return the simplest clip that still fails, traits dropped one by one."""
    for _ in range(SHRINK_STEPS):
        failing = (outcome for traits in simpler(found.traits) if (outcome := tried(traits)).unlike)
        simplest = next(failing, None)
        if simplest is None or simplest.unlike[0].startswith("not made"):
            return found
        found = simplest
    return found


def outcomes(seeds: list[int], processes: int) -> Iterator[tuple[int, Outcome]]:
    """Yield each seed's outcome as it comes."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=fence_quietly, initargs=(QUIET,)) as pool:
        running = {pool.submit(tried_seed, seed): seed for seed in seeds}
        for future in as_completed(running):
            yield running[future], future.result()
