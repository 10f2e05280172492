"""`make chaos`: uploads without end while something is killed, frozen or cut every few seconds; then the verdict."""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.chaos.attack import Attack
from tests.chaos.clips import make_clips
from tests.chaos.faults import Broker
from tests.chaos.report import report
from tests.chaos.verdict import violations

MINUTES = 10.0
MOST_SEEDS = 1_000_000


def main() -> int:
    """Run; return 0 if no promise was broken."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is to be ended then too
    folder = Path(tempfile.mkdtemp(prefix="rungs-chaos-"))
    seconds = options.minutes * 60
    attack = Attack(
        folder, make_clips(folder), options.broker, seed=options.seed, seconds=seconds, waiting=options.waiting
    )
    passed = False
    try:
        run = attack.run()
        broken = violations(run)
        print(report(run, broken))
        passed = not broken
    finally:
        attack.installation.kill_everything()
        if passed and not options.keep:
            shutil.rmtree(folder)
        else:
            print(f"journal, logs and data are kept in {folder}")
    return 0 if passed else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(MOST_SEEDS), help="the schedule of faults")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="how long faults go on")
    parser.add_argument("--broker", type=Broker, default=Broker.REDIS, help="redis or rabbitmq")
    parser.add_argument("--waiting", type=int, default=0, help="jobs that wait before anything is broken")
    parser.add_argument("--keep", action="store_true", help="keep journal and logs of a run that passed too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
