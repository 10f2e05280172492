"""`make bench-encode`: this pipeline beside what others do, as ratios in one run, and how it scales with slots.

Sides, all with the same x264 settings:

    three   three ffmpegs one after another, one rung each (MediaCMS, PeerTube)
    one     one multi-threaded ffmpeg, one decode, `split`, cascaded scaling (SVT Encore)
    bare    our segments' own ffmpegs, as many at a time as there are slots, no pipeline around them
    whole   the running installation: from the last byte of the upload to `ready`

The first two scale as those projects do, by ffmpeg's scaler with its own filter (bicubic), which is the cheaper one.

Sides alternate round by round, because machines are shared and noisy; minimum and median are printed. CPU is that of
the ffmpegs (their own user and system seconds); for `whole` that of every process of the installation, less what an
idle one of the same age uses.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

from storage.model.plan import Plan, Segment
from tests.bench.footage import CLIPS, FILM_SECONDS, MEDIA, film_of
from tests.bench.installation import Cost, Installation, Took
from tests.bench.replay import SECONDS_A_SEGMENT, replayed
from tests.bench.results import keep, markdown_table
from workers.ffmpeg.audio_commands import SoundFiles, audio_command
from workers.ffmpeg.commands import segment_command
from workers.planning.make_plan import PlanLimits
from workers.planning.plan_file import plan_file
from workers.planning.segments import without_cuts
from workers.sandbox.run import Watch

ROUNDS = 3
PRESET = "veryfast"
MAX_PIXELS, MAX_SECONDS = 8192 * 4352, 12 * 3600
REPLAYED_SLOTS = (4, 16, 64)
OUR_SCALER = re.compile(r"zscale=(\d+):(\d+):filter=lanczos")
OUR_FLAGS = ":flags=lanczos"
SIDES_HEAD = (
    "clip", "side", "wall s", "CPU s",
    "wall/three", "wall/one", "wall/bare", "CPU/three", "CPU/one", "CPU/bare",
)  # fmt: skip


def plan_of(clip: Path, slots: int) -> tuple[Plan, tuple[Segment, ...]]:
    """Return the pipeline's own plan of a clip for so many slots, and its segments."""
    limits = PlanLimits(max_pixels=MAX_PIXELS, max_seconds=MAX_SECONDS, preset=PRESET, slots=slots)
    return plan_file(str(clip), limits, Watch())


def measured(work: Callable[[], None]) -> Cost:
    """Run the work; return its time, and the CPU of the processes it started and waited for."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    work()
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def run(command: Sequence[str]) -> None:
    """Run one ffmpeg quietly; a failure ends the bench."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def three(clip: Path, folder: Path, slots: int) -> None:
    """Encode each rung by an ffmpeg of its own, decoding and scaling from the source each time."""
    plan, (whole,) = without_cuts(plan_of(clip, slots)[0], threads=0)
    for rung in plan.rungs:
        run(scaled_by_default(segment_command(replace(plan, rungs=(rung,)), whole, str(clip), folder)))
    sound(plan, clip, folder)


def one(clip: Path, folder: Path, slots: int) -> None:
    """Encode all rungs by one ffmpeg with as many threads as it likes."""
    plan, (whole,) = without_cuts(plan_of(clip, slots)[0], threads=0)
    run(scaled_by_default(segment_command(plan, whole, str(clip), folder)))
    sound(plan, clip, folder)


def scaled_by_default(command: Sequence[str]) -> list[str]:
    """Return the command with ffmpeg's own scaler and filter in place of ours."""
    plain = [OUR_SCALER.sub(r"scale=\1:\2", argument) for argument in command]
    return [argument.replace(OUR_FLAGS, "") for argument in plain]


def bare(clip: Path, folder: Path, slots: int, *, silent: bool = False) -> None:
    """Encode our segments, `slots` at a time, and the sound unless `silent`."""
    plan, segments = plan_of(clip, slots)
    with ThreadPoolExecutor(slots) as pool:
        jobs = [] if silent else [pool.submit(sound, plan, clip, folder)]
        jobs += [pool.submit(one_segment, plan, segment, clip, folder) for segment in segments]
    for job in jobs:
        job.result()


def one_segment(plan: Plan, segment: Segment, clip: Path, folder: Path) -> None:
    """Encode one segment into a folder of its own."""
    own = folder / str(segment.index)
    own.mkdir(exist_ok=True)
    run(segment_command(plan, segment, str(clip), own))


def sound(plan: Plan, clip: Path, folder: Path) -> None:
    """Encode the sound, where there is any."""
    if plan.audio:
        files = [SoundFiles(one, folder / f"{n}.mp4", folder / f"{n}.pcm") for n, one in enumerate(plan.audio)]
        run(audio_command(plan, files, str(clip)))


def compare(clip: Path, slots: int, rounds: int, installation: Installation) -> dict[str, list[Cost]]:
    """Run the sides by turns; the whole pipeline's runs are of the kind `Took`."""
    costs: dict[str, list[Cost]] = {"three": [], "one": [], "bare": [], "whole": []}
    for _ in range(rounds):
        for name, side in (("three", three), ("one", one), ("bare", bare)):
            with tempfile.TemporaryDirectory() as folder:
                costs[name].append(measured(partial(side, clip, Path(folder), slots)))
        costs["whole"].append(installation.encode(clip))
    return costs


def rows(clip: str, costs: dict[str, list[Cost]]) -> Iterator[list[str]]:
    """Yield a row for each side: seconds, and the ratios of its minima to those of the ways of others."""
    for name, runs in costs.items():
        walls, cpus = [cost.wall for cost in runs], [cost.cpu for cost in runs]
        ratios = [
            f"{min(values) / min(getattr(cost, part) for cost in costs[other]):.2f}"
            for part, values in (("wall", walls), ("cpu", cpus))
            for other in ("three", "one", "bare")
        ]
        yield [clip, name, min_median(walls), min_median(cpus), *ratios]


def min_median(values: Sequence[float]) -> str:
    """Return `minimum / median`."""
    return f"{min(values):.1f} / {median(values):.1f}"


def scaling(clip: Path, rounds: int) -> Iterator[list[str]]:
    """Yield the efficiency from one slot to two, and that of the measured segments replayed over more slots."""
    walls: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for slots, seconds in walls.items():
            with tempfile.TemporaryDirectory() as folder:
                cost = measured(partial(bare, clip, Path(folder), slots, silent=True))
                seconds.append(cost.wall)
    yield [clip.name, "1 to 2, measured", f"{min(walls[1]) / min(walls[2]) / 2:.2f}"]
    plan, segments = plan_of(clip, 1)
    film = replace(plan, frames=round(FILM_SECONDS * plan.rate), tail_frames=0)
    seconds_a_frame = (min(walls[1]) - SECONDS_A_SEGMENT * len(segments)) / plan.frames
    for slots in REPLAYED_SLOTS:
        yield [f"{FILM_SECONDS} s of it", f"{slots}, replayed", f"{replayed(film, seconds_a_frame, slots):.2f}"]


def first_pictures(costs: dict[str, dict[str, list[Cost]]], films: dict[str, list[float]]) -> Iterator[list[str]]:
    """Yield a row for each upload: seconds until all rungs could be played."""
    for name, sides in costs.items():
        yield [name, min_median([took.first_picture for took in sides["whole"] if isinstance(took, Took)])]
    for name, seconds in films.items():
        yield [f"{FILM_SECONDS} s of {name}", min_median(seconds)]


def main() -> None:
    """Print the tables and keep them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--slots", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    costs, films = {}, {}
    with Installation(options.slots) as installation, tempfile.TemporaryDirectory() as folder:
        for name in CLIPS:
            costs[name] = compare(MEDIA / name, options.slots, options.rounds, installation)
            film = film_of(MEDIA / name, Path(folder))
            films[name] = [installation.first_picture(film) for _ in range(options.rounds)]
    sides = [row for name in CLIPS for row in rows(name, costs[name])]
    efficiencies = [row for name in CLIPS for row in scaling(MEDIA / name, options.rounds)]
    keep(
        "encode",
        "make bench-encode",
        [
            f"{options.rounds} rounds, sides by turns; seconds are minimum / median, ratios are of the minima.",
            markdown_table(SIDES_HEAD, sides),
            markdown_table(["clip", "slots", "efficiency"], efficiencies),
            markdown_table(["upload", "playable after the last byte, s"], list(first_pictures(costs, films))),
        ],
    )


if __name__ == "__main__":
    main()
