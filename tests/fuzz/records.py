"""Garbage in the place of names, ranges, cursors and records: `make fuzz`, CASES=n, SEED=n for one of them again."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from random import SystemRandom

from tests.fuzz.targets import tried

_BATCH = 1000  # cases in one message to a process
_SHOWN = 20  # failures that are printed, each of another kind


def failures(first: int, count: int, processes: int) -> Counter[str]:
    """Try so many cases from a seed on; return what went wrong, each with its first seed, by how often."""
    batches = [(start, min(_BATCH, first + count - start)) for start in range(first, first + count, _BATCH)]
    kinds: dict[str, str] = {}
    counted: Counter[str] = Counter()
    with ProcessPoolExecutor(processes) as pool:
        for found in pool.map(_batch, batches):
            for seed, wrong in found:
                kind = wrong[:60]
                counted[kinds.setdefault(kind, f"SEED={seed} {wrong}")] += 1
    return counted


def _batch(batch: tuple[int, int]) -> list[tuple[int, str]]:
    start, count = batch
    return [(seed, wrong) for seed in range(start, start + count) if (wrong := tried(seed)) is not None]


def main() -> int:
    """Try the cases; print what went wrong with its seed, then one line of summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    first = SystemRandom().randrange(10**9) if options.seed is None else options.seed
    began = time.monotonic()
    found = failures(first, options.cases, options.processes)
    for wrong, times in found.most_common(_SHOWN):
        print(f"{wrong} ({times} times)")
    print(f"{options.cases} cases from seed {first}: {found.total()} wrong, {time.monotonic() - began:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
