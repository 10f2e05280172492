"""What an overload came to, and what of it is wanted: pure, but for reading what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles

from storage.model.job import JobState
from storage.scheduling.fairness import budget, plans_budget
from tests.bench.crowd import Kind, Tried
from tests.bench.curves import Curve
from tests.bench.gauges import Gauges

MIB = 1024**2
LIMIT_SECONDS = 60  # ADMISSION_MAX_WAIT_SECONDS, small enough to be reached
WARM_SECONDS = 20.0
WANTED_RATIO = 0.95
WANTED_SHARE = 0.90  # of the returns at the time told
WAIT_SHARE = 1.25  # of the limit
# What the figures may reach. A job's record, tasks and events are some 30 kB, and hardly more than the limit's worth of
# jobs is unfinished; ended ones stay until they are deleted. The web service holds one part of each upload.
REDIS_BYTES = 16 * MIB
ENDED_BYTES = 1024  # of a job that ended: twice what its slim record takes (docs/finished-jobs.md)
WEB_GROWTH_BYTES = 64 * MIB
START_TASKS = 3  # first segment, sound and poster are handed out together
SCRATCH_BYTES_A_SLOT = 16 * MIB  # a segment of seconds, and a job that is packaged


@dataclass(frozen=True, slots=True)
class Ended:
    """A job's end: Unix seconds, and its state or the code of its error."""

    created: float
    started: float
    finished: float
    how: str

    @property
    def ready(self) -> bool:
        """Tell whether it ended as it should."""
        return self.how == JobState.READY


def rate_of(jobs: Sequence[Ended], begin: float, end: float) -> float:
    """Return the jobs a second that were ready between two times."""
    return sum(job.ready and begin <= job.finished < end for job in jobs) / (end - begin)


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that was seen: jobs a second before and after the burst, which `began` (Unix) and took `seconds`.

    `later` clients were told to come later than the bench waits for them.
    """

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
    def called(self) -> list[Tried]:
        """The tries of clients that came at their turn."""
        return [one for one in self.tried if one.called]

    @property
    def refusal_seconds(self) -> float:
        """What 95 % of the refusals took at most, as their clients saw it."""
        return quantiles((one.seconds for one in self.tried if not one.accepted), n=20)[-1]

    def rows(self) -> Iterator[tuple[str, str, str, bool]]:
        """Yield for each figure its name, value, what is wanted, and whether that is so."""
        goodput = rate_of(self.jobs, self.began + WARM_SECONDS, self.began + self.seconds)
        ratio = goodput / fmean(self.saturated)
        yield "goodput / throughput just below saturation", f"{ratio:.2f}", f">= {WANTED_RATIO}", ratio >= WANTED_RATIO
        accepted, ready = sum(one.accepted for one in self.tried), sum(job.ready for job in self.jobs)
        others = "".join(f"; {job.how}" for job in self.jobs if not job.ready)
        yield "accepted / ready", f"{accepted} / {ready}{others}", "equal", accepted == ready == len(self.jobs)
        bound = WAIT_SHARE * LIMIT_SECONDS
        for name, waits in (
            ("until it starts", [job.started - job.created for job in self.jobs]),
            ("until it is ready", [job.finished - job.created for job in self.jobs]),
        ):
            p95 = quantiles(waits, n=20)[-1]
            yield f"p95 of a job's wait {name}", f"{p95:.0f} s", f"<= {bound:.0f} s", p95 <= bound
        came = sum(one.accepted for one in self.called)
        share = came / max(1, len(self.called))
        yield (
            "accepted when they came back as told",
            f"{came} of {len(self.called)}, {share:.0%}",
            f">= {WANTED_SHARE:.0%}",
            share >= WANTED_SHARE,
        )
        unclear = sum(not one.clear for one in self.tried)
        yield "answers that neither take nor tell a time", str(unclear), "0", not unclear
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
        redis = REDIS_BYTES + len(self.jobs) * ENDED_BYTES
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
            curve("Redis memory, MiB", "redis", redis / MIB, MIB),
            curve("web memory, MiB", "web", web / MIB, MIB),
            curve("scratch space, MiB", "scratch", self.slots * SCRATCH_BYTES_A_SLOT / MIB, MIB),
        ]

    def by_kind(self) -> Iterator[list[str]]:
        """Yield for each kind of client how many came, and what became of them."""
        by_kind = {kind: [one for one in self.tried if one.kind is kind] for kind in Kind}
        for kind, own in ((kind, own) for kind, own in by_kind.items() if own):
            first = [one for one in own if one.number == 1]
            back = [one for one in own if one.called]
            yield [
                kind.value,
                str(len(first)),
                str(sum(one.accepted for one in first)),
                f"{sum(one.accepted for one in back)} of {len(back)}" if kind.honours else "",
                str(sum(one.accepted for one in own)),
                str(len(own)),
            ]
