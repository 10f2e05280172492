"""Mutated containers through probe and plan: `make fuzz`."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz.trying import Outcome, attempt, make_sources

AT_ONCE = 2  # each upload is examined by several tools
TOLD_EACH = 250


def main() -> int:
    """Try the seeds, print what is wrong as it is found and how often each end came; return 1 if any was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, help="the first seed; else a random one")
    asked = parser.parse_args()
    first = random.SystemRandom().randrange(10**9) if asked.seed is None else asked.seed
    print(f"seeds {first} to {first + asked.count - 1}", flush=True)
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(AT_ONCE) as pool:
        folder = Path(name)
        sources = make_sources(folder)
        found = pool.map(lambda seed: attempt(seed, sources, folder), range(first, first + asked.count))
        ends, wrong = Counter[str](), list[Outcome]()
        for outcome in found:
            ends[outcome.end] += 1
            if outcome.wrong:
                wrong.append(outcome)
                print(f"make fuzz SEED={outcome.seed}: {outcome.wrong}", flush=True)
            if ends.total() % TOLD_EACH == 0:
                print(f"{ends.total()} tried, {len(wrong)} wrong", flush=True)
    for end, count in ends.most_common():
        print(f"{count:6} {end}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
