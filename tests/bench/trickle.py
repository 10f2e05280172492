"""`make bench-trickle`: what answers take beside slow and greedy clients, and what they take without them.

The real web service over MinIO and Redis. First fifty uploads of as many addresses go on with 4 kB/s, each of which has
sent nearly its first part, which is held in memory. Then one address attacks, in one way after the other, by itself and
behind nginx, while others are answered. An event is timed from the beginning of the upload that it tells of.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from storage.model.job import JobState
from storage.objects.contract import PART_BYTES
from storage.services.connect import connect
from storage.settings import Settings
from tests.bench.results import keep, markdown_table
from tests.bench.service import web_over_minio
from tests.support.attacks import Attack, attacking, attacks, hoarding
from tests.support.forms import upload
from tests.support.jobs import make_job
from tests.support.nginx import NginxServer
from tests.support.trickling import HELD_BYTES, answer_seconds, trickling
from tests.support.waiting import wait_until
from tests.support.web_client import Listening, figure, send_upload
from tests.support.web_server import WebServer

MIB = 1024**2
FIRST_BYTES = PART_BYTES - MIB
ALLOWED_SECONDS = 0.2  # of 95 % of all answers beside the slow uploads
ATTACKED_SECONDS = 0.3  # the same beside an attack
ATTACK_SECONDS = 20.0  # longer than the deadline of heads and forms
MOST_JOBS = "100000"  # nothing is encoded here, and a quick machine takes thousands of uploads beside the attacks
PAUSE_SECONDS = 5.0  # between two bytes of a connection
HUGE = 10**13  # bytes of a job that fills any queue

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


def beside_uploads(server: WebServer, uploads: int, rounds: int) -> tuple[list[str], bool]:
    """Return the table of the slow uploads, and whether answers and memory stayed within their bounds."""
    answer_seconds(server, rounds=5)
    alone, before = answer_seconds(server, rounds), server.resident_bytes()
    with trickling(server, uploads, first=FIRST_BYTES):
        beside = answer_seconds(server, rounds)
        grown = server.resident_bytes() - before
    head = ["answer", "alone, median", "alone, 95 %", f"beside {uploads}, median", f"beside {uploads}, 95 %"]
    memory = f"Memory of the web process: {grown / MIB:.0f} MiB more (bound: {uploads * HELD_BYTES // MIB} MiB)."
    within = grown < uploads * HELD_BYTES and all(_late(times) < ALLOWED_SECONDS for times in beside.values())
    return [markdown_table(head, list(rows(alone, beside))), memory], within


@dataclass(frozen=True, slots=True)
class Attacked:
    """What answers took beside an attack, on which its author was answered so often, by status."""

    attack: Attack
    took: Times
    answers: Mapping[int, int]

    @property
    def within(self) -> bool:
        """Tell whether everybody else was answered in time."""
        return all(_late(times) < ATTACKED_SECONDS for times in self.took.values())

    def row(self, front: str) -> list[str]:
        """Return the row of the table."""
        late = [f"{_late(times) * 1000:.0f} ms" for times in self.took.values()]
        said = ", ".join(f"{number} x {status}" for status, number in sorted(self.answers.items()))
        return [self.attack.name, front, *late, said or "none"]


def beside_attack(server: Listening, attack: Attack, rounds: int) -> Attacked:
    """Attack the server and measure what others wait for."""
    with attacking(server, attack) as attackers:
        return Attacked(attack, answer_seconds(server, rounds, seconds=ATTACK_SECONDS), attackers.answers)


def beside_hoarding(server: Listening, web: WebServer, attack: Attack, rounds: int) -> Attacked:
    """Fill the queue, let the attack collect turns, empty the queue, and measure while the turns are kept."""
    jobs = connect(Settings(redis_url=SecretStr(web.environment()["REDIS_URL"])), patience=5.0).jobs
    huge = make_job(size=HUGE)
    jobs.create(huge)
    body = upload()
    wait_until(lambda: send_upload(server, body, len(body))["status"] != 202, what="a full queue")
    with attacking(server, attack) as attackers:
        wait_until(lambda: figure(web, "rungs_turns") > 1, what="hoarded turns")
        jobs.move(huge.id, JobState.CANCELLED)
        wait_until(lambda: send_upload(server, body, len(body))["status"] == 202, what="a queue with room")
        return Attacked(attack, answer_seconds(server, rounds, seconds=ATTACK_SECONDS), attackers.answers)


@contextmanager
def fronted(front: str) -> Iterator[tuple[Listening, WebServer]]:
    """Run the web service, alone or behind nginx; yield what clients talk to, and the service."""
    if front == "bare":
        with web_over_minio("bench", OWNER_MAX_JOBS=MOST_JOBS) as (web, _):
            yield web, web
        return
    proxied = {"OWNER_MAX_JOBS": MOST_JOBS, "TRUSTED_PROXIES": "127.0.0.1"}
    with web_over_minio("bench", **proxied) as (web, _), TemporaryDirectory() as folder:
        nginx = NginxServer(Path(folder), web.port).start()
        try:
            yield nginx, web
        finally:
            nginx.stop()


def beside_attacks(front: str, connections: int, rounds: int) -> Iterator[Attacked]:
    """Yield what each attack does to everybody else."""
    nothing = Attack("nothing", 0, lambda _: b"", b"", PAUSE_SECONDS)
    with fronted(front) as (server, web):
        answer_seconds(server, rounds=5)
        for attack in (nothing, *attacks(connections, PAUSE_SECONDS)):
            yield beside_attack(server, attack, rounds)
        yield beside_hoarding(server, web, hoarding(connections, PAUSE_SECONDS), rounds)


def main() -> None:
    """Start the real servers in a temporary folder, measure, and fail when a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uploads", type=int, default=50, help="slow uploads at once (default %(default)s)")
    parser.add_argument("--connections", type=int, default=500, help="of an attack (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=40, help="answers of each kind (default %(default)s)")
    options = parser.parse_args()
    with web_over_minio("bench") as (web, _):
        parts, within = beside_uploads(web, options.uploads, options.rounds)
    table = []
    for front in ("bare", "nginx"):
        for attacked in beside_attacks(front, options.connections, options.rounds):
            within = within and attacked.within
            table.append(attacked.row(front))
            sys.stderr.write(f"{' | '.join(table[-1])}\n")
    busy = f"{os.getloadavg()[1]:.0f} programs wanted to run, with all that this machine did besides"
    said = f"{options.connections} connections of one address; what 95 % of others' answers stay below, while {busy}:"
    head = ["attack", "front", "page", "API", "upload", "event", "answers to the attacker"]
    keep("trickle", "make bench-trickle", [*parts, said, markdown_table(head, table)])
    sys.exit(0 if within else "an answer or the memory was beyond its bound")


if __name__ == "__main__":
    main()
