"""Simulated installations for tests: videos of given tasks, limits that never refuse, jobs at given times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import inf

from infra.simulation.disciplines import Discipline
from infra.simulation.figures import Figures
from infra.simulation.load import Arrival
from infra.simulation.model import Model, Setting
from infra.simulation.videos import TaskShape, Videos
from web.admission.decision import Limits

OPEN = Limits(uploads=1, upload_bytes=10**12, pending_bytes=0, reserve=0, wait=inf, owner_jobs=10**9)


class GivenVideos(Videos):
    """A video at step n has the n-th of the given shapes."""

    def __init__(self, slots: int, shapes: Sequence[TaskShape]) -> None:
        super().__init__(slots)
        self._shapes = {step: (shape, shape.encoded_alone(slots)) for step, shape in enumerate(shapes)}


def tasks(*seconds: float) -> TaskShape:
    """Return a video of these tasks, the first of which is its start."""
    return TaskShape(seconds, 1, sum(seconds))


def arrival(at: float, step: int = 0, *, owner: str = "", scale: float = 1.0) -> Arrival:
    """Return an upload of one byte."""
    return Arrival(at, owner or f"owner at {at}", step, 1, scale)


def setting(encoders: int, limits: Limits = OPEN) -> Setting:
    """Return a setting in which planning and packaging never wait."""
    return Setting(encoders=encoders, control=10**6, limits=limits)


def simulated(
    arrivals: Iterable[Arrival],
    discipline: Discipline,
    videos: Videos,
    *,
    limits: Limits = OPEN,
    returning: float = 1.0,
) -> Figures:
    """Return what came of the arrivals."""
    told = replace(setting(videos.slots, limits), returning=returning)
    return Model(told, discipline, videos).run(arrivals)
