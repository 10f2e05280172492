"""`make bench-trickle`: what answers take while fifty uploads trickle, beside what they take without them.

The real web service over MinIO and Redis. Each slow upload has sent nearly its first part, which is held in memory, and
goes on with 4 kB/s. An event is timed from the beginning of the upload that it tells of.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from statistics import median, quantiles

from storage.objects.contract import PART_BYTES
from tests.bench.results import keep, markdown_table
from tests.bench.service import web_over_minio
from tests.support.trickling import HELD_BYTES, answer_seconds, trickling
from tests.support.web_server import WebServer

MIB = 1024**2
FIRST_BYTES = PART_BYTES - MIB
ALLOWED_SECONDS = 0.2  # of 95 % of all answers beside the slow uploads

Times = Mapping[str, Sequence[float]]


def rows(alone: Times, beside: Times) -> Iterator[list[str]]:
    """Yield a row for each kind of answer."""
    for kind, seconds in alone.items():
        yield [kind, *(f"{figure * 1000:.0f} ms" for times in (seconds, beside[kind]) for figure in _figures(times))]


def _figures(times: Sequence[float]) -> tuple[float, float]:
    return median(times), _late(times)


def _late(times: Sequence[float]) -> float:
    """Return what 95 % of them stay below."""
    return quantiles(times, n=20)[-1]


def measure(server: WebServer, uploads: int, rounds: int) -> bool:
    """Print and keep the table; tell whether answers and memory stayed within their bounds."""
    answer_seconds(server, rounds=5)
    alone, before = answer_seconds(server, rounds), server.resident_bytes()
    with trickling(server, uploads, first=FIRST_BYTES):
        beside = answer_seconds(server, rounds)
        grown = server.resident_bytes() - before
    head = ["answer", "alone, median", "alone, 95 %", f"beside {uploads}, median", f"beside {uploads}, 95 %"]
    memory = f"Memory of the web process: {grown / MIB:.0f} MiB more (bound: {uploads * HELD_BYTES // MIB} MiB)."
    keep("trickle", "make bench-trickle", [markdown_table(head, list(rows(alone, beside))), memory])
    return grown < uploads * HELD_BYTES and all(_late(times) < ALLOWED_SECONDS for times in beside.values())


def main() -> None:
    """Start the real servers in a temporary folder, measure, and fail when a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uploads", type=int, default=50, help="slow uploads at once (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=40, help="answers of each kind (default %(default)s)")
    options = parser.parse_args()
    with web_over_minio("bench") as (web, _):
        within = measure(web, options.uploads, options.rounds)
    sys.exit(0 if within else "an answer or the memory was beyond its bound")


if __name__ == "__main__":
    main()
