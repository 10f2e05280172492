"""`make bench-watch`: WATCHERS=500 people watch waiting jobs, each another one, while the queue moves.

Clips of a second wait in a long queue and are encoded one after another, and a new one comes each second. Three times
the same is measured, for MINUTES=1.5 each: without watchers, with them, and without them once more, as machines do not
stay as fast as they were. Each watcher has an address of its own; WEB_THREADS has room for all of them.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import fmean, quantiles
from typing import Any

from tests.bench.gauges import web_bytes, web_cpu_seconds
from tests.bench.installation import Installation
from tests.bench.results import keep, markdown_table
from tests.bench.watchers import Stream, Watchers
from tests.support.clips import make_clip
from tests.support.forms import upload
from web.app import watchers_of
from web.routes.events import HEARTBEAT_SECONDS

MIB = 1024**2
CLIP_SECONDS, CLIP_SIZE = 1.0, "160x90"
MOVES_A_SECOND = 3.0  # jobs that may leave the queue, on a quick machine; none of the watched ones is to start
SENDERS = 8  # of the clips that wait from the beginning: far fewer than an address may send at once
ROUND_SECONDS = 1.0  # in each of which a clip comes, and
GETS_A_ROUND = 4  # jobs are asked for
LATE_SECONDS = 3.0  # that a sign of life may come late: a busy machine's
# What 95 % of others' answers may take: as beside an attack (tests/bench/trickle.py), or, on a machine that does much
# else, so many times what they take without watchers.
ANSWER_SECONDS, ANSWER_TIMES = 0.3, 1.5
LOOK_SECONDS = 0.005  # of CPU that a look at one watched job may cost, at each sign of life: a page takes some 10 ms
SPARE_THREADS = 100
UNLIMITED = str(10**8)  # seconds of wait, jobs of an owner


@dataclass(slots=True)
class Phase:
    """What was measured in so many `seconds`: CPU of the web service, seconds that answers took, jobs that left.

    `behind` is by how many places watchers showed another one than the job had at that moment.
    """

    seconds: float = 0.0
    cpu: float = 0.0
    left: int = 0
    gets: list[float] = field(default_factory=list)
    posts: list[float] = field(default_factory=list)
    behind: list[int] = field(default_factory=list)

    @property
    def share(self) -> float:
        """CPU of the web service as a share of a core."""
        return self.cpu / self.seconds

    def row(self, name: str) -> list[str]:
        """Return the row of the table."""
        return [
            name,
            f"{self.share:.0%}",
            f"{late(self.gets) * 1000:.0f} ms",
            f"{late(self.posts) * 1000:.0f} ms",
            f"{self.left / self.seconds:.1f}",
        ]


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything: the phases before, with and after watchers, and what their streams told `until` then (monotonic).

    The web service had `grown` by so many bytes with them.
    """

    before: Phase
    beside: Phase
    after: Phase
    streams: Sequence[Stream]
    until: float
    grown: int

    @property
    def more(self) -> float:
        """CPU of the web service for the watchers, as a share of a core."""
        return self.beside.share - fmean([self.before.share, self.after.share])

    def rows(self) -> Iterator[tuple[str, str, str, bool]]:
        """Yield for each figure its name, value, what is wanted, and whether that is so."""
        broken = sorted({stream.trouble for stream in self.streams if stream.trouble})
        count = sum(bool(stream.trouble) for stream in self.streams)
        yield "streams that broke", f"{count} {'; '.join(broken)[:80]}".strip(), "0", not count
        silences = [silence for stream in self.streams for silence in stream.silences(self.until)]
        most, bound = max(silences, default=float("inf")), HEARTBEAT_SECONDS + LATE_SECONDS
        yield "a place is as old as, at most", f"{most:.1f} s", f"<= {bound:.0f} s", most <= bound
        moved = max(1, round(max(self.beside.left / self.beside.seconds, 1.0) * bound))
        behind = max(map(abs, self.beside.behind), default=0)
        yield "places that it was wrong by, at most", str(behind), f"<= {moved}, what moved since", behind <= moved
        share = len(self.streams) * LOOK_SECONDS / HEARTBEAT_SECONDS
        yield "of a core for the watchers", f"{self.more:.0%}", f"<= {share:.0%}", self.more <= share
        for name, kind in (("GET of a job", "gets"), ("POST", "posts")):
            took = late(getattr(self.beside, kind))
            alone = fmean(late(getattr(phase, kind)) for phase in (self.before, self.after))
            bound = max(ANSWER_SECONDS, ANSWER_TIMES * alone)
            wanted = f"<= {bound * 1000:.0f} ms"
            yield f"95 % of others' answers, {name}", f"{took * 1000:.0f} ms", wanted, took <= bound


def late(times: Sequence[float]) -> float:
    """Return what 95 % of them stay below."""
    return quantiles(times, n=20)[-1]


def fill(installation: Installation, body: bytes, count: int) -> None:
    """Send so many clips, some at a time."""
    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(lambda _: _sent(installation, body), range(count)))


def _sent(installation: Installation, body: bytes) -> float:
    began = time.monotonic()
    if not installation.send(body):
        raise RuntimeError("an upload was refused, though no limit is set")
    return time.monotonic() - began


def last_in_line(installation: Installation, count: int) -> list[str]:
    """Return the newest waiting jobs: of one owner's equal jobs they start last."""
    return [job["id"] for job in islice(_waiting(installation), count)]


def _waiting(installation: Installation) -> Iterator[dict[str, Any]]:
    return (job for job in installation.jobs() if job["state"] == "queued")


def measured(
    installation: Installation, body: bytes, job_ids: Sequence[str], seconds: float, streams: Sequence[Stream] = ()
) -> Phase:
    """Ask for the jobs and upload for so many seconds; `streams` watch some of the jobs."""
    phase, chance, shown = Phase(), random.Random(0), {stream.job_id: stream for stream in streams}
    pid, began = installation.pid, time.monotonic()
    waiting, cpu = installation.get("/api/queue")["waiting"], web_cpu_seconds(pid)
    while (due := began + len(phase.posts) * ROUND_SECONDS) < began + seconds:
        time.sleep(max(0.0, due - time.monotonic()))
        for job_id in chance.choices(job_ids, k=GETS_A_ROUND):
            _ask(installation, job_id, phase, shown.get(job_id))
        phase.posts.append(_sent(installation, body))
    phase.seconds, phase.cpu = time.monotonic() - began, web_cpu_seconds(pid) - cpu
    phase.left = waiting + len(phase.posts) - installation.get("/api/queue")["waiting"]
    return phase


def _ask(installation: Installation, job_id: str, phase: Phase, stream: Stream | None) -> None:
    asked = time.monotonic()
    place = installation.job(job_id)["queue_position"]
    phase.gets.append(time.monotonic() - asked)
    if stream is not None and stream.position is not None and place is not None:
        phase.behind.append(stream.position - place)


def run(installation: Installation, body: bytes, watchers: int, seconds: float) -> Seen:
    """Make the queue long, and measure the three phases."""
    fill(installation, body, watchers + round(3 * seconds * MOVES_A_SECOND))
    watched = last_in_line(installation, watchers)
    before, bytes_before = measured(installation, body, watched, seconds), web_bytes(installation.pid)
    with Watchers(installation.port, watched) as crowd:
        beside = measured(installation, body, watched, seconds, crowd.streams)
        until = time.monotonic()
        grown = web_bytes(installation.pid) - bytes_before
    after = measured(installation, body, watched, seconds)
    return Seen(before, beside, after, crowd.streams, until, grown)


def told(seen: Seen, phases: Sequence[tuple[str, Phase]]) -> list[str]:
    """Return the tables and what they leave out, in a sentence."""
    streams = seen.streams
    figures = [[name, value, wanted, "yes" if well else "**no**"] for name, value, wanted, well in seen.rows()]
    head = ["", "CPU of the web service", "GET of a job, 95 %", "POST, 95 %", "jobs begun in a second"]
    ended = sum(stream.closed and not stream.trouble for stream in streams)
    events = sum(stream.events for stream in streams)
    said = (
        f"{len(streams)} watchers of as many jobs for {seen.beside.seconds:.0f} s, {events} events; "
        f"{ended} of the jobs ended. The watchers took {seen.more:.0%} of a core and {seen.grown / MIB:.0f} MiB of the "
        "web service."
    )
    return [
        said,
        markdown_table(["", "measured", "wanted", "so it is"], figures),
        markdown_table(head, [phase.row(name) for name, phase in phases]),
    ]


def main() -> int:
    """Print the tables and keep them; return 0 if everything is as wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slots", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--watchers", type=int, default=500, help="streams at once (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=1.5, help="of each of three phases (default %(default)s)")
    options = parser.parse_args()
    threads = options.watchers * 4 // 3 + SPARE_THREADS  # three quarters of them may watch
    assert watchers_of(threads) >= options.watchers
    settings = {
        "WEB_THREADS": str(threads),
        "ADMISSION_MAX_WAIT_SECONDS": UNLIMITED,
        "OWNER_MAX_JOBS": UNLIMITED,
    }
    with tempfile.TemporaryDirectory() as name, Installation(options.slots, settings) as installation:
        clip = make_clip(Path(name) / "tiny.mp4", seconds=CLIP_SECONDS, size=CLIP_SIZE)
        seen = run(installation, upload(clip.read_bytes(), clip.name), options.watchers, options.minutes * 60)
    phases = (("before", seen.before), ("with watchers", seen.beside), ("after", seen.after))
    keep("watch", f"make bench-watch WATCHERS={options.watchers}", told(seen, phases))
    return 0 if all(well for *_, well in seen.rows()) else 1


if __name__ == "__main__":
    sys.exit(main())
