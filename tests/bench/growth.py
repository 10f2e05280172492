"""`make bench-growth`: what a job costs while a hundred others wait, while ten thousand do, and beside finished ones.

Two installations run: in one a hundred jobs wait from beginning to end, in the other ever more. Both are measured by
turns, since the machine does not stay as fast as it was, and what is judged is how many times a figure is as high in
the second. Then a third one takes the place of the second: a hundred jobs wait there too, and a rebuild restored a
hundred thousand finished ones. No encoder takes work, so that what waits goes on waiting; everything else does.

    posts     uploads, one after another: until the answer, and from there until the job is planned
    answers   of pages and of the API, each after the service's picture of the queue has become old
    scripts   of all that while: what 95 % of the calls of the longest one stay below, by Redis' slow log
    rest      nobody asks for anything: what each part takes of the processor
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from tests.bench.curves import draw
from tests.bench.finished import finished_job, restore_finished
from tests.bench.gauges import web_bytes
from tests.bench.growing import (
    ANSWERS,
    AT_REST,
    FIGURES,
    PACE,
    PLANNED,
    POST,
    SCRIPT,
    SINGLE,
    WEB,
    Growth,
    Stage,
    middle,
)
from tests.bench.installation import Installation
from tests.bench.redis_calls import RedisCalls, longest, redis_bytes
from tests.bench.resting import resting
from tests.bench.results import FOLDER, keep
from tests.bench.waiting import SETTINGS, WaitingJobs
from tests.support.clips import make_clip

SIZES, FINISHED = (100, 1_000, 10_000), 100_000
SLOTS = 1  # they take no work
CLIP_SECONDS, CLIP_SIZE, CLIP_RATE = 1.0, "160x90", "10"
ROUNDS = 60
# The web service reads the queue at most once a second (web/read/queue_snapshot.py): each answer is to pay for that.
APART_SECONDS = 1.1
# What the last round left is done: what is deleted is cleared away, and the janitor has made its rounds.
SETTLED_SECONDS = 10.0
REST_SECONDS = 30.0
RESTS = 3  # of which the median counts: now and then a machine has something else to do
PLOTTED = "Each figure by the number of waiting jobs, with what it was beside a hundred, and its bound"


@dataclass(slots=True)
class Side:
    """One of the two installations that are measured by turns, and what was seen of it by figure, in basic units."""

    jobs: WaitingJobs
    calls: RedisCalls
    seen: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, installation: Installation, clip: bytes) -> Side:
        """Return the side of an installation that has no jobs yet."""
        return cls(WaitingJobs(installation, clip), RedisCalls(installation))

    @property
    def installation(self) -> Installation:
        """What is measured."""
        return self.jobs.installation

    @property
    def paths(self) -> dict[str, str]:
        """What is asked for, by figure; of the jobs' pages that of one which others stand before and behind."""
        page = f"/jobs/{self.jobs.ids[len(self.jobs.ids) // 2]}"
        return dict(zip((*ANSWERS, PACE), ("/", "/queue", "/api/queue", page, "/healthz"), strict=True))

    def begin(self) -> None:
        """Forget what was seen before."""
        self.seen.clear()
        self.calls.begin()

    def note(self, **seen: float) -> None:
        """Add to what was seen."""
        for name, value in seen.items():
            self.seen.setdefault(name, []).append(value)

    def figures(self) -> tuple[dict[str, float], tuple[str, str]]:
        """Return the figures of this stage, and the names of the script and the call that took longest."""
        found = {name: median(values) for name, values in self.seen.items()}
        for name in (POST, *ANSWERS, PACE):
            found |= {middle(name): found[name], name: p95(self.seen[name])}
        script = longest(self.calls.took)
        own = {SCRIPT: script.p95, SINGLE: script.single, WEB: float(web_bytes(self.installation.pid))}
        return {**found, **own}, (script.name, script.single_name)


def measured(sides: Sequence[Side], rounds: int, rest: float) -> None:
    """Measure the sides by turns, and who is first by turns too; then let both rest at the same time."""
    for side in sides:
        side.begin()
    for number in range(rounds):
        order = sides[:: 1 if number % 2 else -1]
        for name in (*ANSWERS, PACE):
            if name != PACE:  # which looks at nothing that gets old
                time.sleep(APART_SECONDS)
            for side in order:
                side.note(**{name: side.jobs.answer(side.paths[name])})
        time.sleep(APART_SECONDS)
        for side in order:
            answered, planned = side.jobs.post()
            side.note(**{POST: answered, PLANNED: planned})
            side.calls.collect()
    time.sleep(SETTLED_SECONDS)
    for _ in range(RESTS):
        for side, taken in zip(sides, resting([each.installation for each in sides], rest), strict=True):
            side.note(**{f"{part}{AT_REST}": spent for part, spent in taken.items()})
            side.calls.collect()


@dataclass(frozen=True, slots=True)
class Bench:
    """How it is measured: the waiting jobs of each stage, the finished ones, rounds, seconds of a rest, the clip."""

    sizes: Sequence[int]
    finished: int
    rounds: int
    rest: float
    clip: bytes

    def growth(self) -> Growth:
        """Run all stages."""
        model = finished_job()
        with Installation(SLOTS, SETTINGS) as steady:
            beside = Side.of(steady, self.clip)
            beside.jobs.fill(self.sizes[0])
            with Installation(SLOTS, SETTINGS) as growing:
                side = Side.of(growing, self.clip)
                stages = [self._stage(side, beside, size) for size in self.sizes]
            with Installation(SLOTS, SETTINGS) as old:
                side = Side.of(old, self.clip)
                side.jobs.fill(self.sizes[0])
                before = redis_bytes(old)
                took = restore_finished(old, model, self.finished)
                say(f"{self.finished} finished jobs: {took[0]:.0f} s to write, {took[1]:.0f} s to rebuild")
                return Growth(stages, self._stage(side, beside, self.sizes[0], self.finished), before)

    def _stage(self, side: Side, beside: Side, waiting: int, finished: int = 0) -> Stage:
        """Let so many jobs wait and measure."""
        began = time.monotonic()
        side.jobs.fill(waiting)
        filled = time.monotonic()
        measured((side, beside), self.rounds, self.rest)
        values, scripts = side.figures()
        stage = Stage(waiting, finished, values, beside.figures()[0], redis_bytes(side.installation), scripts)
        say(f"{stage.name}: {filled - began:.0f} s to fill, {time.monotonic() - filled:.0f} s to measure")
        for figure in FIGURES:
            say(f"  {figure.head}: {figure.cell(stage)}")
        return stage


def p95(values: Sequence[float]) -> float:
    """Return what 95 % of the values stay below."""
    return quantiles(values, n=20, method="inclusive")[-1]


def say(line: str) -> None:
    """Tell whoever waits for hours how far it is, and what was seen should it end early."""
    sys.stderr.write(f"{line}\n")


def told(bench: Bench, growth: Growth) -> list[str]:
    """Return the parts of the result."""
    scripts = "; ".join(f"{stage.name}: `{stage.scripts[0]}`, `{stage.scripts[1]}`" for stage in growth.columns)
    said = (
        f"{bench.rounds} rounds for each column, by turns with another installation, in which {bench.sizes[0]} jobs "
        f"wait: `x` tells how many times a figure is as high as there, and the first column what chance does. "
        f"Of {RESTS} rests of {bench.rest:.0f} s the median counts."
    )
    return [
        said,
        growth.table(),
        f"The longest scripts and the longest single calls: {scripts}.",
    ]


def main() -> int:
    """Print the table; keep it and the plots of a whole run; return 1, and say why, if a figure is beyond its bound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=SIZES, help="waiting jobs, ever more (default %(default)s)"
    )
    parser.add_argument("--finished", type=int, default=FINISHED, help="finished jobs (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each stage (default %(default)s)")
    parser.add_argument("--rest", type=float, default=REST_SECONDS, help="seconds (default %(default)s)")
    options = parser.parse_args()
    if len(options.sizes) == 1 or list(options.sizes) != sorted(set(options.sizes)):
        parser.error("--sizes wants growing numbers")
    with tempfile.TemporaryDirectory() as name:
        clip = make_clip(Path(name) / "holiday.mp4", seconds=CLIP_SECONDS, size=CLIP_SIZE, rate=CLIP_RATE)
        bench = Bench(tuple(options.sizes), options.finished, options.rounds, options.rest, clip.read_bytes())
        growth = bench.growth()
    parts = told(bench, growth)
    if (bench.sizes, bench.finished) == (SIZES, FINISHED):
        draw(FOLDER / "growth.svg", growth.curves(), along="waiting jobs")
        keep("growth", "make bench-growth", [*parts, f"![{PLOTTED}](bench/growth.svg)"])
    else:  # what a short run sees is no result
        print("\n\n".join(parts))
    beyond = list(growth.beyond())
    for sentence in beyond:
        say(f"beyond its bound: {sentence}")
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main())
