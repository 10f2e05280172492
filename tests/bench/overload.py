"""`make bench-overload`: clips come ten times as fast as they can be encoded; what is accepted must be worth it.

    saturated   a few uploads always wait, so that encoders are never idle: what goodput is held against
                before the burst and once more after it, as machines do not stay as fast as they were
    burst       MINUTES=5 of ten times that rate, from clients that honour Retry-After and clients that do not
    after it    everything that was accepted is finished and deleted; nothing may be left

With CLIENTS=10000 so many clients come within the burst, each from an address of its own. All of them come back when
they are told to, for RETURNS=900 s after the burst.

With SLOW=4 all of it is measured once more while so many others trickle in by tus, of a video that is encoded early
wherever a slot would be idle: nobody is to wait for them.

Times are the server's own. What is bounded is read every second and drawn to docs/bench/overload.svg (CLIENTS:
overload-clients.svg).
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.crowd import SHARES, Crowd, Kind, steadily, within
from tests.bench.curves import draw
from tests.bench.footage import CLIPS, FAST_START, MEDIA, cut_of, looped, small_of
from tests.bench.gauges import Gauges, file_bytes, redis_of
from tests.bench.installation import Installation
from tests.bench.overload_figures import LIMIT_SECONDS, WARM_SECONDS, Ended, Run, rate_of
from tests.bench.results import FOLDER, keep, markdown_table
from tests.bench.slow_uploads import NAME, slow_uploads
from tests.chaos.remains import messages_in, stray_keys
from tests.support.forms import upload
from tests.support.waiting import wait_until

CLIP_SECONDS = 3.0
STARTS = (0, 10, 20, 30, 40)  # where clips are cut
SATURATED_SECONDS = 90.0
TIMES_TOO_MUCH = 10.0
RETURN_SECONDS = 60.0  # after the burst, for those who are told to come then
CROWD_RETURN_SECONDS = 900.0  # in which as many turns as are kept come due (web/admission/turns.py)
IDLE_SECONDS = 600.0
LEFT_SECONDS = 60.0  # the janitor's time for what was deleted, and for each job of a crowd:
LEFT_SECONDS_A_JOB = 0.1
# Short: an upload counts as work at the door from its first byte on, and a film's would close it.
SLOW_VIDEO_SECONDS = 50.0
SEED = 0


@dataclass(frozen=True, slots=True)
class Load:
    """Who comes for `seconds` and back for `returns` more: ten times what can be encoded, or so many `clients`."""

    seconds: float
    clients: int | None = None
    returns: float = RETURN_SECONDS
    slow: int = 0

    @property
    def name(self) -> str:
        """Name of its files."""
        return "overload" if self.clients is None else "overload-clients"

    @property
    def command(self) -> str:
        """How to repeat it."""
        slow = f" SLOW={self.slow}" if self.slow else ""
        if self.clients is None:
            return f"make bench-overload{slow}"
        asked = f"CLIENTS={self.clients} MINUTES={self.seconds / 60:g} RETURNS={self.returns:g}"
        return f"make bench-overload {asked}{slow}"

    @property
    def shares(self) -> Mapping[Kind, float]:
        """Kinds of clients: in a crowd of a given size all come back with their turns."""
        return SHARES if self.clients is None else {Kind.TURN: 1.0}

    def arrivals(self, rate: float) -> list[float]:
        """Return when they come, where `rate` clips a second can be encoded."""
        chance = random.Random(SEED)
        if self.clients is None:
            return list(steadily(TIMES_TOO_MUCH * rate, self.seconds, chance))
        return list(within(self.clients, self.seconds, chance))


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
    delete(installation, jobs_of_load(installation))
    return rate


def jobs_of_load(installation: Installation) -> Iterator[dict[str, Any]]:
    """Yield every job but those of slow uploads."""
    return (job for job in installation.jobs() if job["filename"] != NAME)


def delete(installation: Installation, jobs: Iterable[Mapping[str, Any]]) -> int:
    """Delete the jobs; return how many there were."""
    gone = list(jobs)
    for job in gone:
        installation.delete(job["id"])
    return len(gone)


def settle(installation: Installation) -> None:
    """Wait until no job is unfinished."""

    def idle() -> bool:
        queue = installation.get("/api/queue")
        return not queue["waiting"] + queue["active"]

    wait_until(idle, seconds=IDLE_SECONDS, what="an idle system")


def ended(installation: Installation) -> list[Ended]:
    """Return how every job ended."""
    return [
        Ended(_unix(job["created_at"]), _unix(job["started_at"]), _unix(job["finished_at"]), _how(job))
        for job in jobs_of_load(installation)
    ]


def _how(job: Mapping[str, Any]) -> str:
    return str(job["error"]["code"] if job["error"] else job["state"])


def _unix(text: str | None) -> float:
    return float("nan") if text is None else dt.datetime.fromisoformat(text).timestamp()


def left(installation: Installation) -> list[str]:
    """Delete all jobs; return what is left of anything once the janitor had its time."""
    seconds = LEFT_SECONDS + LEFT_SECONDS_A_JOB * delete(installation, installation.jobs())
    with closing(redis_of(installation)) as client:

        def remains() -> list[str]:
            lasting = [str(key) for key in client.keys("*") if client.ttl(key) < 0]
            objects = [str(path) for path in (installation.data / "objects").rglob("*") if path.is_file()]
            return [*stray_keys(lasting, ()), *messages_in(client), *objects, *_scratch(installation)]

        try:
            wait_until(lambda: not remains(), seconds=seconds)
        except AssertionError:
            return remains()
    return []


def _scratch(installation: Installation) -> list[str]:
    return [f"{size} bytes of scratch" for size in file_bytes(installation.data / "scratch") if size]


def stand_aside() -> None:
    """Let the installation have the machine: in earnest the crowd would be on others.

    Niceness counts within a session, and for what the kernel gives sessions there is another one.
    """
    os.nice(19)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text("19")


def run(installation: Installation, load: Load, bodies: Sequence[bytes], video: Path, slow: int) -> tuple[Run, str]:
    """Measure the throughput, then send the crowd and wait until all is over; tell what became of the slow uploads."""
    with slow_uploads(installation, video, slow) as beside:
        before = saturated(installation, bodies)
        crowd = Crowd(installation.port, bodies, load.arrivals(before), load.shares)
        began = time.time()
        with Gauges(installation) as gauges:
            later = crowd.run(load.seconds + load.returns)
            settle(installation)
        jobs = ended(installation)
    remains = left(installation)
    with slow_uploads(installation, video, slow):
        after = saturated(installation, bodies)
    found = Run((before, after), began, load.seconds, jobs, crowd.tried, later, gauges, remains, installation.slots)
    return found, f"{beside}. " if slow else ""


def told(load: Load, found: Run) -> str:
    """Return in sentences what was sent."""
    refused = sum(not one.accepted for one in found.tried)
    kept = sum(one.kept for one in found.tried)
    before, after = (rate * 60 for rate in found.saturated)
    came = f"{TIMES_TOO_MUCH:.0f} times as many" if load.clients is None else f"{load.clients} clients"
    return (
        f"Just below saturation {before:.1f} clips a minute before the burst and {after:.1f} after it; in between "
        f"{found.seconds:.0f} s of {came}, ADMISSION_MAX_WAIT_SECONDS={LIMIT_SECONDS}. "
        f"{len(found.tried)} tries, {refused} of them refused, {kept} with a turn, 95 % within "
        f"{found.refusal_seconds * 1000:.0f} ms; "
        f"{found.later} clients were told to come later than {load.returns:.0f} s after the burst, which the bench "
        "does not wait for."
    )


def _load() -> tuple[int, Load]:
    """Return the slots and the load that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slots", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minutes", type=float, default=5.0, help="of the burst (default %(default)s)")
    parser.add_argument("--clients", type=int, help="that come in the burst (default: ten times what can be encoded)")
    parser.add_argument("--returns", type=float, help="seconds after the burst in which clients still come back")
    parser.add_argument("--slow-uploads", type=int, default=0, metavar="N", help="measure once more beside N of them")
    options = parser.parse_args()
    usual = RETURN_SECONDS if options.clients is None else CROWD_RETURN_SECONDS
    returns = usual if options.returns is None else options.returns
    return options.slots, Load(options.minutes * 60, options.clients, returns, options.slow_uploads)


def measured(slots: int, load: Load) -> list[tuple[Run, str]]:
    """Return the run without slow uploads, then that beside them if any are wanted."""
    settings, asked = {"ADMISSION_MAX_WAIT_SECONDS": str(LIMIT_SECONDS)}, dict.fromkeys((0, load.slow))
    with tempfile.TemporaryDirectory() as name, ExitStack() as opened:
        folder = Path(name)
        bodies = forms(folder)
        video = looped(small_of(MEDIA / CLIPS[0], folder), folder / NAME, SLOW_VIDEO_SECONDS, FAST_START)
        # All before this process stands aside, and with it whatever it starts from then on.
        installations = [opened.enter_context(Installation(slots, settings)) for _ in asked]
        stand_aside()
        return [run(one, load, bodies, video, slow) for one, slow in zip(installations, asked, strict=True)]


def main() -> int:
    """Print the tables and keep the plots; return 0 if everything is as wanted."""
    slots, load = _load()
    runs, notes = zip(*measured(slots, load), strict=True)
    names = ["measured", *(f"beside {load.slow} slow uploads" for _ in runs[1:])]
    good, lines = True, list[list[str]]()
    for same in zip(*(found.rows() for found in runs), strict=True):
        well = all(row[-1] for row in same)
        lines.append([same[0][0], *(row[1] for row in same), same[0][2], "yes" if well else "**no**"])
        good &= well
    clients = ["clients that", "came", "taken at once", "taken at the time told", "taken in all", "tries"]
    parts = [
        *(f"{note}{told(load, found)}" for found, note in zip(runs, notes, strict=True)),
        markdown_table(["", *names, "wanted", "so it is"], lines),
        *(markdown_table(clients, list(found.by_kind())) for found in runs),
        f"![Wait, jobs, messages, memory and scratch space over time, with their bounds](bench/{load.name}.svg)",
    ]
    draw(FOLDER / f"{load.name}.svg", runs[-1].curves(), until=runs[-1].seconds)
    keep(load.name, load.command, parts)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
