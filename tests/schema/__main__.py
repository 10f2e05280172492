"""The longer form of the gate: `make test-schema`, EXAMPLES=150 of each operation, SEED=n to repeat one."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from random import SystemRandom

from tests.schema.asking import OPEN, ask, errors_logged
from tests.support.servers import RedisServer
from tests.support.web_server import WebServer


def main() -> int:
    """Ask, print what schemathesis said, and return its exit status; 1 also if the service logged an error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=150)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = SystemRandom().randrange(2**32) if options.seed is None else options.seed
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / name for name in ("redis", "web")]
        for place in places:
            place.mkdir()
        redis = RedisServer(places[0]).start()
        server = WebServer(places[1], redis.url, **OPEN).start()
        try:
            said = ask(server, redis.url, examples=options.examples, seed=seed)
        finally:
            server.stop()
            redis.stop()
        errors = errors_logged(server)
    print(said.stdout, said.stderr, errors, f"SEED={seed}", sep="\n")
    return said.returncode or bool(errors)


if __name__ == "__main__":
    sys.exit(main())
