"""`rungs simulate`: the load it is told, through the disciplines it is told, and what came of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil

from infra.simulation.disciplines import NAMES, discipline_of
from infra.simulation.figures import Figures
from infra.simulation.load import MIXES, Arrival, Synthetic, mean_cost
from infra.simulation.model import Model, Setting
from infra.simulation.plot import plot
from infra.simulation.pool import Window
from infra.simulation.report import report
from infra.simulation.trace import read_trace
from infra.simulation.videos import Videos, package_seconds
from storage.scheduling.forecast import PLAN_SECONDS
from storage.settings import Settings, SettingsError
from web.admission.decision import Limits

HOUR, DAY = 3600.0, 86400.0  # seconds
RHO = 0.8
WARM_UP = 0.1  # of the time of a synthetic load: an installation that begins empty flatters every discipline
LEAST_CONTROL = 2  # slots of one control worker
CONTROL_SPARE = 2.0  # planning and packaging are not to be what is waited for, unless somebody asks


@dataclass(frozen=True, slots=True)
class SimulatedLoad:
    """What comes, the same each time it is asked for, and which part of the time is looked at.

    `busy` are the control slots that it keeps busy on average.
    """

    arrivals: Callable[[], Iterator[Arrival]]
    told: str
    busy: float
    window: Window


def simulate(options: argparse.Namespace, settings: Settings) -> int:
    """Simulate and print; return the exit code. Raises SettingsError for a file that cannot be used."""
    videos = Videos(options.encoders)
    load = _from_file(options, videos) if options.trace else _synthetic(options, videos)
    control = options.control or max(LEAST_CONTROL, ceil(CONTROL_SPARE * load.busy))
    setting = Setting(
        encoders=options.encoders,
        control=control,
        limits=_limits(options, settings),
        returning=options.returning,
        window=load.window,
        seed=options.seed,
    )
    title = f"{options.encoders:,} encoder slots, {load.told}"
    _say(f"{title}; {control:,} control slots; uploads are refused from {setting.limits.wait:,.0f} s of work on.\n")
    results: dict[str, Figures] = {}
    for name in options.discipline or NAMES:
        model = Model(setting, discipline_of(name, options.encoders), videos)
        results[name] = model.run(load.arrivals())
    _say(report(results))
    if options.plot:
        plot(results, title, options.plot)
    return 0


def _synthetic(options: argparse.Namespace, videos: Videos) -> SimulatedLoad:
    mix = MIXES[options.mix]
    cost = mean_cost(mix, videos)
    rate = options.jobs_a_day / DAY if options.jobs_a_day else (options.rho or RHO) * options.encoders / cost
    seconds = options.hours * HOUR
    load = Synthetic(mix, rate, seconds, options.owners, options.seed)
    told = (
        f"{options.mix}: {rate * DAY:,.0f} jobs a day of {cost:,.0f} encoder-seconds on average, "
        f"utilisation {rate * cost / options.encoders:.2f}, {options.hours:g} h"
    )
    busy = rate * (PLAN_SECONDS + package_seconds(cost, options.encoders))
    return SimulatedLoad(load.arrivals, told, busy, Window(WARM_UP * seconds, seconds))


def _from_file(options: argparse.Namespace, videos: Videos) -> SimulatedLoad:
    jobs, work, last = 0, 0.0, 0.0
    for arrival in read_trace(options.trace, videos):
        jobs, last = jobs + 1, arrival.at
        work += PLAN_SECONDS + package_seconds(videos.shape(arrival.step).cost * arrival.scale, options.encoders)
    if not jobs:
        raise SettingsError(f"{options.trace} holds no uploads.")
    told = f"{jobs:,} uploads of {options.trace.name}"
    # Uploads of one moment are planned one after the other, too.
    return SimulatedLoad(lambda: read_trace(options.trace, videos), told, work / max(last, HOUR), Window())


def _limits(options: argparse.Namespace, settings: Settings) -> Limits:
    """Return the limits of admission; uploads take no time here, so that those of uploads under way never bind."""
    return Limits(
        uploads=settings.max_uploads,
        upload_bytes=settings.max_upload_bytes,
        pending_bytes=settings.max_pending_bytes,
        reserve=settings.free_space_reserve,
        wait=options.max_wait or settings.admission_max_wait_seconds,
        owner_jobs=options.owner_max_jobs or settings.owner_max_jobs,
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
