"""`make bench-overload`: clips come ten times as fast as they can be encoded; what is accepted must be worth it.

    saturated   a few uploads always wait, so that encoders are never idle: what goodput is held against
                before the burst and once more after it, as machines do not stay as fast as they were
    burst       MINUTES=5 of ten times that rate, from clients that honour Retry-After and clients that do not
    after it    everything that was accepted is finished and deleted; nothing may be left

Times are the server's own. What is bounded is read every second and drawn to docs/bench/overload.svg.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, quantiles

from storage.scheduling.fairness import budget, plans_budget
from tests.bench.crowd import Crowd, Kind, Tried
from tests.bench.curves import Curve, draw
from tests.bench.footage import CLIPS, MEDIA, cut_of, small_of
from tests.bench.gauges import Gauges, file_bytes, redis_of
from tests.bench.installation import Installation
from tests.bench.results import FOLDER, keep, markdown_table
from tests.chaos.remains import messages_in, stray_keys
from tests.support.forms import upload
from tests.support.waiting import wait_until

MIB = 1024**2
CLIP_SECONDS = 3.0
STARTS = (0, 10, 20, 30, 40)  # where clips are cut
LIMIT_SECONDS = 60  # ADMISSION_MAX_WAIT_SECONDS, small enough to be reached
SATURATED_SECONDS, WARM_SECONDS = 90.0, 20.0
TIMES_TOO_MUCH = 10.0
RETURN_SECONDS = 60.0  # after the burst, for those who are told to come then
IDLE_SECONDS = 600.0

WANTED_RATIO = 0.95
WANTED_SHARE = 0.90  # of the returns at the time told
WAIT_SHARE = 1.25  # of the limit
# What the figures may reach. A job's record, tasks and events are some 30 kB, and hardly more than the limit's worth of
# jobs is unfinished; ended ones stay until they are deleted. The web service holds one part of each upload.
REDIS_BYTES = 16 * MIB
WEB_GROWTH_BYTES = 64 * MIB
START_TASKS = 3  # first segment, sound and poster are handed out together
SCRATCH_BYTES_A_SLOT = 16 * MIB  # a segment of seconds, and a job that is packaged


@dataclass(frozen=True, slots=True)
class Ended:
    """A job's end: Unix seconds."""

    created: float
    started: float
    finished: float
    ready: bool


def forms(folder: Path) -> list[bytes]:
    """Return the clips as forms."""
    small = [small_of(MEDIA / clip, folder) for clip in CLIPS]
    cuts = [cut_of(clip, folder, start=start, seconds=CLIP_SECONDS) for start in STARTS for clip in small]
    return [upload(cut.read_bytes(), cut.name) for cut in cuts]


def saturated(installation: Installation, bodies: Sequence[bytes]) -> float:
    """Return the jobs a second that are finished while a few always wait."""
    began, sent = time.time(), 0
    while time.time() < began + SATURATED_SECONDS:
        queue = installation.get("/api/queue")
        for _ in range(3 * installation.slots - queue["waiting"] - queue["active"]):
            sent += installation.send(bodies[sent % len(bodies)])
        time.sleep(0.2)
    until = time.time()
    settle(installation)
    rate = rate_of(ended(installation), began + WARM_SECONDS, until)
    delete_all(installation)
    return rate


def delete_all(installation: Installation) -> None:
    """Delete every job."""
    for job in list(installation.jobs()):
        installation.delete(job["id"])


def settle(installation: Installation) -> None:
    """Wait until no job is unfinished."""

    def idle() -> bool:
        queue = installation.get("/api/queue")
        return not queue["waiting"] + queue["active"]

    wait_until(idle, seconds=IDLE_SECONDS, what="an idle system")


def ended(installation: Installation) -> list[Ended]:
    """Return how every job ended."""
    return [
        Ended(_unix(job["created_at"]), _unix(job["started_at"]), _unix(job["finished_at"]), job["state"] == "ready")
        for job in installation.jobs()
    ]


def _unix(text: str | None) -> float:
    return float("nan") if text is None else dt.datetime.fromisoformat(text).timestamp()


def rate_of(jobs: Sequence[Ended], begin: float, end: float) -> float:
    """Return the jobs a second that were ready between two times."""
    return sum(job.ready and begin <= job.finished < end for job in jobs) / (end - begin)


def left(installation: Installation) -> list[str]:
    """Delete all jobs; return what is left of anything once the janitor had its time."""
    delete_all(installation)
    with closing(redis_of(installation)) as client:

        def remains() -> list[str]:
            lasting = [str(key) for key in client.keys("*") if client.ttl(key) < 0]
            objects = [str(path) for path in (installation.data / "objects").rglob("*") if path.is_file()]
            return [*stray_keys(lasting, ()), *messages_in(client), *objects, *_scratch(installation)]

        try:
            wait_until(lambda: not remains(), seconds=60.0)
        except AssertionError:
            return remains()
    return []


def _scratch(installation: Installation) -> list[str]:
    return [f"{size} bytes of scratch" for size in file_bytes(installation.data / "scratch") if size]


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that was seen: jobs a second before and after the burst, which `began` (Unix) and took `seconds`."""

    saturated: tuple[float, float]
    began: float
    seconds: float
    jobs: Sequence[Ended]
    tried: Sequence[Tried]
    later: int
    gauges: Gauges
    left: Sequence[str]
    slots: int

    @property
    def returned(self) -> list[Tried]:
        """First returns of clients that came when they were told to."""
        return [one for one in self.tried if one.kind.honours and one.number == 2]

    def rows(self) -> Iterator[tuple[str, str, str, bool]]:
        """Yield for each figure its name, value, what is wanted, and whether that is so."""
        goodput = rate_of(self.jobs, self.began + WARM_SECONDS, self.began + self.seconds)
        ratio = goodput / fmean(self.saturated)
        yield "goodput / throughput just below saturation", f"{ratio:.2f}", f">= {WANTED_RATIO}", ratio >= WANTED_RATIO
        accepted, ready = sum(one.accepted for one in self.tried), sum(job.ready for job in self.jobs)
        yield "accepted / ready", f"{accepted} / {ready}", "equal", accepted == ready == len(self.jobs)
        bound = WAIT_SHARE * LIMIT_SECONDS
        for name, waits in (
            ("until it starts", [job.started - job.created for job in self.jobs]),
            ("until it is ready", [job.finished - job.created for job in self.jobs]),
        ):
            p95 = quantiles(waits, n=20)[-1]
            yield f"p95 of a job's wait {name}", f"{p95:.0f} s", f"<= {bound:.0f} s", p95 <= bound
        came = sum(one.accepted for one in self.returned)
        share = came / max(1, len(self.returned))
        yield (
            "accepted when they came back as told",
            f"{came} of {len(self.returned)}, {share:.0%}",
            f">= {WANTED_SHARE:.0%}",
            share >= WANTED_SHARE,
        )
        for curve in self.curves():
            if curve.bound is not None:
                most = max(curve.values)
                yield f"most: {curve.title}", f"{most:.0f}", f"<= {curve.bound:.0f}", most <= curve.bound
        yield "left after the burst", "; ".join(self.left)[:80] or "nothing", "nothing", not self.left

    def curves(self) -> list[Curve]:
        """Return what was read over time, with its bounds."""
        readings = self.gauges.readings
        at = [reading.at for reading in readings]

        def curve(title: str, name: str, bound: float | None, unit: float = 1.0) -> Curve:
            return Curve(title, at, [getattr(reading, name) / unit for reading in readings], bound)

        web = readings[0].web + WEB_GROWTH_BYTES
        jobs = sorted(self.jobs, key=lambda job: job.created)
        stays = Curve(
            "a job's wait until it is ready, by its acceptance, s",
            [job.created - self.began for job in jobs],
            [job.finished - job.created for job in jobs],
        )
        return [
            curve("predicted wait, s", "wait", WAIT_SHARE * LIMIT_SECONDS),
            stays,
            curve("unfinished jobs", "jobs", None),
            curve("encode messages at the broker", "encode", budget(self.slots) + START_TASKS - 1),
            # Plans are handed out like that too, and as many jobs may be ready to be packaged.
            curve("plan and package messages at the broker", "control", 2 * plans_budget(self.slots)),
            curve("Redis memory, MiB", "redis", REDIS_BYTES / MIB, MIB),
            curve("web memory, MiB", "web", web / MIB, MIB),
            curve("scratch space, MiB", "scratch", self.slots * SCRATCH_BYTES_A_SLOT / MIB, MIB),
        ]

    def by_kind(self) -> Iterator[list[str]]:
        """Yield for each kind of client how many came, and what became of them."""
        for kind in Kind:
            own = [one for one in self.tried if one.kind is kind]
            first = [one for one in own if one.number == 1]
            back = [one for one in own if one.number == 2 and kind.honours]
            yield [
                kind.value,
                str(len(first)),
                str(sum(one.accepted for one in first)),
                f"{sum(one.accepted for one in back)} of {len(back)}" if kind.honours else "",
                str(sum(one.accepted for one in own)),
                str(len(own)),
            ]


def stand_aside() -> None:
    """Let the installation have the machine: in earnest the crowd would be on others.

    Niceness counts within a session, and for what the kernel gives sessions there is another one.
    """
    os.nice(19)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text("19")


def run(installation: Installation, bodies: Sequence[bytes], seconds: float) -> Run:
    """Measure the throughput, then send the crowd and wait until all is over."""
    before = saturated(installation, bodies)
    crowd = Crowd(installation.port, bodies, TIMES_TOO_MUCH * before)
    began = time.time()
    with Gauges(installation) as gauges:
        later = crowd.run(seconds, returns=RETURN_SECONDS)
        settle(installation)
    jobs = ended(installation)
    remains = left(installation)
    after = saturated(installation, bodies)
    return Run((before, after), began, seconds, jobs, crowd.tried, later, gauges, remains, installation.slots)


def told(found: Run) -> str:
    """Return in a sentence what was sent."""
    refused = sum(not one.accepted for one in found.tried)
    before, after = (rate * 60 for rate in found.saturated)
    return (
        f"Just below saturation {before:.1f} clips a minute before the burst and {after:.1f} after it; in between "
        f"{found.seconds:.0f} s of {TIMES_TOO_MUCH:.0f} times as many, ADMISSION_MAX_WAIT_SECONDS={LIMIT_SECONDS}. "
        f"{len(found.tried)} tries, {refused} of them refused; {found.later} clients were told to come later than "
        f"{RETURN_SECONDS:.0f} s after the burst, which the bench does not wait for."
    )


def main() -> int:
    """Print the tables and keep the plots; return 0 if everything is as wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slots", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minutes", type=float, default=5.0, help="of the burst (default %(default)s)")
    options = parser.parse_args()
    settings = {"ADMISSION_MAX_WAIT_SECONDS": str(LIMIT_SECONDS)}
    with tempfile.TemporaryDirectory() as name, Installation(options.slots, settings) as installation:
        stand_aside()
        found = run(installation, forms(Path(name)), options.minutes * 60)
    rows = list(found.rows())
    lines = [[figure, value, wanted, "yes" if well else "**no**"] for figure, value, wanted, well in rows]
    clients = ["clients that", "came", "taken at once", "taken at the time told", "taken in all", "tries"]
    parts = [
        told(found),
        markdown_table(["", "measured", "wanted", "so it is"], lines),
        markdown_table(clients, list(found.by_kind())),
        "![Wait, jobs, messages, memory and scratch space over time, with their bounds](bench/overload.svg)",
    ]
    draw(FOLDER / "overload.svg", found.curves(), until=found.seconds)
    keep("overload", "make bench-overload", parts)
    return 0 if all(well for *_, well in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
