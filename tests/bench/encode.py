"""`make bench-encode`: this pipeline beside what others do, as ratios in one run, and how it scales with slots.

Sides, all with the same x264 settings and scaler:

    three   three ffmpegs one after another, one rung each (MediaCMS, PeerTube)
    one     one multi-threaded ffmpeg, one decode, `split`, cascaded scaling (SVT Encore)
    bare    our segments' own ffmpegs, as many at a time as there are slots, no pipeline around them
    whole   the running installation: from the last byte of the upload to `ready`

Sides alternate round by round, because machines are shared and noisy; minimum and median are printed. CPU is that of
the ffmpegs (their own user and system seconds); for `whole` that of every process of the installation, less what an
idle one of the same age uses.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from storage.plan import Plan, Segment
from tests.bench.installation import Installation
from tests.bench.replay import replayed
from workers.commands import audio_command, segment_command
from workers.planning import PlanLimits, choose_video, make_plan, without_cuts
from workers.probe import packet_times, probe
from workers.tool import Watch

CLIPS = ("bbb_1080p24_56s.ts", "highway_dashcam_1080p25_50s.ts")
MEDIA = Path("../shared/media/bench")
ROUNDS = 3
PRESET = "veryfast"
MAX_PIXELS, MAX_SECONDS = 8192 * 4352, 12 * 3600
REPLAYED_SLOTS = (4, 16, 64)
FILM_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of a side took: seconds on the clock and of CPU."""

    wall: float
    cpu: float


def plan_of(clip: Path, slots: int) -> Plan:
    """Return the pipeline's own plan of a clip for so many slots."""
    watch = Watch()
    facts = probe(str(clip), watch)
    video = choose_video(facts)
    limits = PlanLimits(max_pixels=MAX_PIXELS, max_seconds=MAX_SECONDS, preset=PRESET, slots=slots)
    return make_plan(facts, video, packet_times(str(clip), video.index, watch), limits)


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
    plan = without_cuts(plan_of(clip, slots), threads=0)
    for rung in plan.rungs:
        run(segment_command(replace(plan, rungs=(rung,)), plan.segments[0], str(clip), folder))
    sound(plan, clip, folder)


def one(clip: Path, folder: Path, slots: int) -> None:
    """Encode all rungs by one ffmpeg with as many threads as it likes."""
    plan = without_cuts(plan_of(clip, slots), threads=0)
    run(segment_command(plan, plan.segments[0], str(clip), folder))
    sound(plan, clip, folder)


def bare(clip: Path, folder: Path, slots: int) -> None:
    """Encode our segments, `slots` at a time."""
    plan = plan_of(clip, slots)
    with ThreadPoolExecutor(slots) as pool:
        jobs = [pool.submit(sound, plan, clip, folder)]
        jobs += [pool.submit(one_segment, plan, segment, clip, folder) for segment in plan.segments]
    for job in jobs:
        job.result()


def one_segment(plan: Plan, segment: Segment, clip: Path, folder: Path) -> float:
    """Encode one segment into a folder of its own; return the seconds it took."""
    own = folder / str(segment.index)
    own.mkdir(exist_ok=True)
    began = time.monotonic()
    run(segment_command(plan, segment, str(clip), own))
    return time.monotonic() - began


def sound(plan: Plan, clip: Path, folder: Path) -> None:
    """Encode the sound, where there is any."""
    if plan.audio is not None:
        run(audio_command(plan, plan.audio, str(clip), folder / "sound.mp4", folder / "heard.pcm"))


def compare(clip: Path, slots: int, rounds: int, installation: Installation) -> dict[str, list[Cost]]:
    """Run the sides by turns."""
    costs: dict[str, list[Cost]] = {"three": [], "one": [], "bare": [], "whole": []}
    for _ in range(rounds):
        for name, side in (("three", three), ("one", one), ("bare", bare)):
            with tempfile.TemporaryDirectory() as folder:
                costs[name].append(measured(lambda side=side, folder=folder: side(clip, Path(folder), slots)))
        took = installation.encode(clip)
        costs["whole"].append(Cost(took.wall, took.cpu))
    return costs


def table(clip: str, costs: dict[str, list[Cost]]) -> list[str]:
    """Return the rows of one clip: seconds and the ratios to the two ways of others."""
    rows = []
    for name, runs in costs.items():
        walls, cpus = [cost.wall for cost in runs], [cost.cpu for cost in runs]
        ratios = [
            f"{pick(values) / pick([getattr(cost, part) for cost in costs[other]]):.2f}"
            for part, values in (("wall", walls), ("cpu", cpus))
            for other in ("three", "one")
            for pick in (min,)
        ]
        cells = [f"{min(walls):.1f} / {median(walls):.1f}", f"{min(cpus):.1f} / {median(cpus):.1f}", *ratios]
        rows.append(f"| {clip} | {name} | {' | '.join(cells)} |")
    return rows


def scaling(clip: Path, rounds: int) -> list[str]:
    """Return the efficiency from one slot to two, and of the measured segments replayed over more."""
    plan = plan_of(clip, 2)
    singles, doubles = [], []
    for _ in range(rounds):
        for slots, walls in ((1, singles), (2, doubles)):
            with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(slots) as pool:
                began = time.monotonic()
                list(pool.map(lambda part, folder=folder: one_segment(plan, part, clip, Path(folder)), plan.segments))
                walls.append(time.monotonic() - began)
    rows = [f"| {clip.name} | 1 -> 2, measured | {min(singles) / min(doubles) / 2:.2f} |"]
    with tempfile.TemporaryDirectory() as folder:
        seconds = [one_segment(plan, part, clip, Path(folder)) for part in plan.segments]
    frames = sum(part.frames for part in plan.segments)
    film = replace(plan, frames=round(FILM_SECONDS * plan.rate), tail_frames=0)
    rows += [
        f"| {FILM_SECONDS} s of it | {slots}, replayed | {replayed(film, sum(seconds) / frames, slots):.2f} |"
        for slots in REPLAYED_SLOTS
    ]
    return rows


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--slots", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    print("| clip | side | wall s, min/median | CPU s, min/median | wall/three | wall/one | CPU/three | CPU/one |")
    print("|---|---|---|---|---|---|---|---|")
    firsts = []
    with Installation(options.slots) as installation:
        for name in CLIPS:
            costs = compare(MEDIA / name, options.slots, options.rounds, installation)
            print("\n".join(table(name, costs)), flush=True)
            firsts.append(
                f"| {name} | {min(installation.first_pictures):.1f} / {median(installation.first_pictures):.1f} |"
            )
            installation.first_pictures.clear()
    print("\n| clip | slots | efficiency |\n|---|---|---|")
    for name in CLIPS:
        print("\n".join(scaling(MEDIA / name, options.rounds)), flush=True)
    print("\n| clip | first picture playable after the last byte, s, min / median |\n|---|---|")
    print("\n".join(firsts))


if __name__ == "__main__":
    main()
