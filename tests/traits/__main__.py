"""Many combinations in parallel: `make test-traits`, COUNT=2000, SEED=n to begin with a seed or to repeat one alone."""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from pathlib import Path
from random import SystemRandom

from tests.support.fenced import fence_quietly
from tests.traits.choosing import random_traits
from tests.traits.making import make
from tests.traits.trying import QUIET, outcomes, shrunk


def main() -> int:
    """Run them and print failures with their parameters, then one line of summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path, help="write the first clip there, and try nothing")
    parser.add_argument("--shrink", action="store_true", help="drop traits of each failure while it fails")
    options = parser.parse_args()
    first = SystemRandom().randrange(10**9) if options.seed is None else options.seed
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
        print(random_traits(first).told, make(random_traits(first), options.keep), sep="\n")
        return 0
    fence_quietly(QUIET)
    began, failed = time.monotonic(), 0
    for seed, outcome in outcomes(list(range(first, first + options.count)), options.processes):
        if outcome.unlike:
            failed += 1
            print(f"SEED={seed} {outcome.traits.told}")
            for sentence in outcome.unlike:
                print(f"    {sentence}")
            if options.shrink:
                print(f"    simplest: {shrunk(outcome).traits.told}")
            sys.stdout.flush()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{options.count} combinations from seed {first}: {failed} unlike, {time.monotonic() - began:.0f} s,"
        f" {(used.ru_utime + used.ru_stime) / options.count:.2f} s of CPU each"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
