"""What a video costs, task by task: cut by the planner's own rule, priced by the cost model. Pure."""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import log

from storage.model.plan import BT709, Plan, VideoSource
from storage.scheduling.costs import START_SECONDS, picture_cost
from storage.scheduling.forecast import PACKAGE_SECONDS, PACKAGE_SHARE, PLAN_SECONDS
from workers.planning.ladder import ladder
from workers.planning.segments import Timeline, cut

# What is simulated is 1080p at 25 pictures a second in all three rungs, with a keyframe every so many seconds.
WIDTH, HEIGHT, RATE = 1920, 1080, Fraction(25)
KEYFRAME_SECONDS = 2.5
SOUND_SECONDS, SOUND_SHARE = 0.25, 0.005  # encoder-seconds of the sound: its start, and for each second of video
POSTER_SECONDS = 0.5
# Lengths stand on a grid of 5 %: two hundred shapes in all instead of one for each video.
GRID = 1.05
LONGEST_SECONDS = 24 * 3600.0  # of a video; what costs more is cut as one of this length


@dataclass(frozen=True)
class TaskShape:
    """A video as tasks: encoder-seconds of each, in the order in which they are handed out.

    The first `starts` of them (segment 0, the sound, the poster) are handed out together; `whole` is what the video
    costs in one piece.
    """

    tasks: Sequence[float]
    starts: int
    whole: float

    @cached_property
    def cost(self) -> float:
        """Encoder-seconds of all tasks."""
        return sum(self.tasks)

    def encoded_alone(self, slots: int) -> float:
        """Return how many seconds so many slots need for all tasks if they have nothing else to do."""
        free = [0.0] * min(slots, len(self.tasks))
        for seconds in self.tasks:
            heapq.heapreplace(free, free[0] + seconds)
        return max(free)


def in_one_piece(shape: TaskShape) -> TaskShape:
    """Return the same video as a single task."""
    return TaskShape((shape.whole,), 1, shape.whole)


class Videos:
    """The shapes of videos as an installation of so many encoder slots cuts them; each is made once."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._shapes: dict[int, tuple[TaskShape, float]] = {}

    def shape(self, step: int) -> TaskShape:
        """Return the shape of a video whose length stands at this step of the grid."""
        return self._known(step)[0]

    def alone(self, step: int, scale: float = 1.0) -> float:
        """Return the seconds from acceptance to `ready` in an idle installation; `scale` multiplies each task."""
        shape, encoded = self._known(step)
        return PLAN_SECONDS + scale * encoded + package_seconds(scale * shape.cost, self.slots)

    def _known(self, step: int) -> tuple[TaskShape, float]:
        known = self._shapes.get(step)
        if known is None:
            shape = shape_of(length_at(step), self.slots)
            known = self._shapes[step] = (shape, shape.encoded_alone(self.slots))
        return known


def step_of(seconds: float) -> int:
    """Return the step of the grid that is next to a length in seconds."""
    return round(log(seconds) / log(GRID))


def length_at(step: int) -> float:
    """Return the length in seconds at a step of the grid."""
    return float(GRID**step)


def step_of_cost(cost: float) -> int:
    """Return the step at which a video of 1080p has about so many encoder-seconds."""
    return step_of(min(LONGEST_SECONDS, max(1.0, cost / (picture_cost(_PLAN) * float(RATE)))))


def package_seconds(cost: float, slots: int) -> float:
    """Return how long the last step of a job takes that cost so many encoder-seconds."""
    return PACKAGE_SECONDS + PACKAGE_SHARE * cost / slots


def shape_of(seconds: float, slots: int) -> TaskShape:
    """Return the shape of a video of 1080p that is so many seconds long."""
    frames = max(1, round(seconds * RATE))
    keyframes = [number * KEYFRAME_SECONDS for number in range(int(seconds / KEYFRAME_SECONDS) + 1)]
    segments = cut(Timeline(frames, 0, RATE, slots, ladder(WIDTH, HEIGHT, RATE), 0.0, keyframes))
    per_frame = picture_cost(_PLAN)
    first, *others = (START_SECONDS + per_frame * segment.frames for segment in segments)
    single = (SOUND_SECONDS + SOUND_SHARE * seconds, POSTER_SECONDS)
    whole = START_SECONDS + per_frame * frames + sum(single)
    # Thousands of segments for a film on a large installation: eight bytes each.
    return TaskShape(array("d", (first, *single, *others)), 1 + len(single), whole)


_SOURCE = VideoSource(
    stream=0,
    codec="h264",
    width=WIDTH,
    height=HEIGHT,
    display_width=WIDTH,
    display_height=HEIGHT,
    rotation=0,
    mirrored=False,
    interlaced=False,
    colour=BT709,
    alpha=False,
    start_time=0.0,
    container_start=0.0,
)
_PLAN = Plan(
    video=_SOURCE,
    audio=(),
    rungs=ladder(WIDTH, HEIGHT, RATE),
    rate_num=RATE.numerator,
    rate_den=RATE.denominator,
    frames=0,
    tail_frames=0,
    fragment_frames=0,
    segment_count=0,
    preset="veryfast",
    warnings=(),
)
