"""What the growth of a queue costs, as a table and plots, and which figure is beyond its bound. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tests.bench.curves import Curve
from tests.bench.resting import PARTS
from tests.bench.results import markdown_table

# A figure may be so many times what it is beside the first number of waiting jobs. The machine's own noise stays below
# that, as the first column shows; what grew with the jobs would be a hundred times as much.
RATIO = 1.5
# A waiting job keeps its record, its plan and its events: a gigabyte of Redis then holds 350,000 of them.
WAITING_BYTES = 3000
# A finished one is kept for ever: its slim record and its place in a list (docs/finished-jobs.md).
FINISHED_BYTES = 600
MIB = 1024**2

ANSWERS = ("GET /", "GET /queue", "GET /api/queue", "GET a job's page")
POST, PLANNED, SCRIPT, SINGLE, WEB = (
    "POST",
    "planned after",
    "longest Redis script",
    "longest single call",
    "web memory",
)
AT_REST = " at rest"  # behind the name of a part
PACE = "GET /healthz"  # which looks at no job


def middle(name: str) -> str:
    """Return what the median of a figure is called whose 95 % are judged."""
    return f"{name}, median"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the table: what is told of it, its unit, how many of the unit a basic one is, and if it is judged.

    Beside `high` ones, of which 95 % are judged, stands the median: on a busy machine it is the calmer one.
    """

    name: str
    about: str = ""
    unit: str = "ms"
    factor: float = 1000.0
    judged: bool = True
    high: bool = False

    @property
    def head(self) -> str:
        """What it is called in the table."""
        about = "median / 95 %" if self.high else self.about
        return f"{self.name}, {about}" if about else self.name

    @property
    def names(self) -> tuple[str, ...]:
        """By which names it was measured; the last one is judged."""
        return (middle(self.name), self.name) if self.high else (self.name,)

    def cell(self, stage: Stage) -> str:
        """Return what it was with the stage's jobs, with its unit, and how many times as much as beside them."""
        values = " / ".join(short(stage.values[name] * self.factor) for name in self.names)
        ratios = " / ".join(f"{stage.ratio(name):.2f}" for name in self.names)
        return f"{values} {self.unit}, {ratios} x"


FIGURES = (
    Figure(POST, high=True),
    *(Figure(name, high=True) for name in ANSWERS),
    Figure(PLANNED, "median"),
    Figure(SCRIPT, "95 % of its calls"),
    *(Figure(f"{part}{AT_REST}", "CPU", "%", 100.0) for part in PARTS),
    Figure(WEB, "", "MiB", 1 / MIB),
    # These two tell how noisy the machine was.
    Figure(PACE, judged=False, high=True),
    Figure(SINGLE, "", judged=False),
)


def short(value: float) -> str:
    """Return the value with three digits, or with more of them in front of the point."""
    return f"{value:,.0f}" if value >= 99.5 else f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class Stage:
    """What was measured with so many jobs, and by turns `beside` it with the first number of them waiting.

    Times are seconds, memory bytes, CPU seconds a second. `redis` are the bytes that Redis holds, `scripts` the names
    of the longest script and of the longest single call.
    """

    waiting: int
    finished: int
    values: Mapping[str, float]
    beside: Mapping[str, float]
    redis: int
    scripts: tuple[str, str] = ("", "")

    @property
    def name(self) -> str:
        """The column's head."""
        finished = f" and {self.finished:,} finished" if self.finished else ""
        return f"{self.waiting:,} waiting{finished}"

    def ratio(self, name: str) -> float:
        """Return how many times the figure is what it is with few jobs."""
        return self.values[name] / self.beside[name]


@dataclass(frozen=True)
class Growth:
    """The stages by their number of waiting jobs, and the `last` one, with finished jobs.

    `unfinished` are the bytes that its Redis held before they were restored.
    """

    stages: Sequence[Stage]
    last: Stage
    unfinished: int

    @cached_property
    def columns(self) -> tuple[Stage, ...]:
        """All stages as the table has them."""
        return (*self.stages, self.last)

    @property
    def judged(self) -> tuple[Stage, Stage]:
        """The stages with most jobs."""
        return self.stages[-1], self.last

    @property
    def waiting_bytes(self) -> list[float]:
        """What Redis takes for a waiting job, from each stage to the next; at first its list of events fills too."""
        pairs = zip(self.stages, self.stages[1:], strict=False)
        return [(more.redis - few.redis) / (more.waiting - few.waiting) for few, more in pairs]

    @property
    def finished_bytes(self) -> float:
        """What Redis takes for a finished job."""
        return (self.last.redis - self.unfinished) / self.last.finished

    def beyond(self) -> Iterator[str]:
        """Yield a sentence for each figure that is beyond its bound."""
        for figure in FIGURES:
            for stage in self.judged if figure.judged else ():
                if stage.ratio(figure.name) > RATIO:
                    yield f"{figure.name}: {stage.ratio(figure.name):.2f} times as much with {stage.name}."
        if self.waiting_bytes[-1] > WAITING_BYTES:
            yield f"Redis: {self.waiting_bytes[-1]:.0f} bytes a waiting job."
        if self.finished_bytes > FINISHED_BYTES:
            yield f"Redis: {self.finished_bytes:.0f} bytes a finished job."

    def table(self) -> str:
        """Return the table: each figure with how many times it is what it is beside the first number of jobs."""
        rows = [self._row(figure) for figure in FIGURES]
        rows.append(["Redis memory", *(f"{stage.redis / MIB:.1f} MiB" for stage in self.columns), "", ""])
        more = ["", *(f"{size:,.0f} bytes" for size in self.waiting_bytes), ""]
        rows.append(["of it for a waiting job more", *more, *_bytes_judged(self.waiting_bytes[-1], WAITING_BYTES)])
        own = [*[""] * len(self.stages), f"{self.finished_bytes:,.0f} bytes"]
        rows.append(["of it for a finished job", *own, *_bytes_judged(self.finished_bytes, FINISHED_BYTES)])
        return markdown_table(["", *(stage.name for stage in self.columns), "at most", "so it is"], rows)

    def _row(self, figure: Figure) -> list[str]:
        cells = [figure.cell(stage) for stage in self.columns]
        most = max(stage.ratio(figure.name) for stage in self.judged)
        return [figure.head, *cells, *(_judged(f"{RATIO} x", most, RATIO) if figure.judged else ("", ""))]

    def curves(self) -> list[Curve]:
        """Return each judged figure over the number of waiting jobs, with what it was beside them, and its bound."""
        at = [float(stage.waiting) for stage in self.stages]

        def curve(figure: Figure) -> Curve:
            values = [stage.values[figure.name] * figure.factor for stage in self.stages]
            beside = [stage.beside[figure.name] * figure.factor for stage in self.stages]
            about = "95 %" if figure.high else figure.about
            return Curve(
                ", ".join(filter(None, (figure.name, about, figure.unit))), at, values, RATIO * beside[-1], beside
            )

        judged = [curve(figure) for figure in FIGURES if figure.judged]
        redis = [stage.redis / MIB for stage in self.stages]
        most = redis[0] + (self.stages[-1].waiting - self.stages[0].waiting) * WAITING_BYTES / MIB
        return [*judged, Curve("Redis memory, MiB", at, redis, most)]


def _judged(bound: str, value: float, most: float) -> tuple[str, str]:
    return bound, "yes" if value <= most else "**no**"


def _bytes_judged(value: float, most: int) -> tuple[str, str]:
    return _judged(f"{most:,} bytes", value, most)
