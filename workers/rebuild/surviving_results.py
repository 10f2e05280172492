"""What the object store still holds of a planned job: results read from the fragments themselves.

Only that counts which any attempt at the plan would have made: every rung, every frame on the grid. Sound is not among
it, since its parts do not say whether more were to come; it is encoded again.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, cast

from storage.errors import ObjectNotFoundError, OutputMismatchError
from storage.model.plan import Plan, Segment
from storage.model.task import Result, Stage, Task
from storage.objects import keys
from storage.objects.contract import ObjectInfo, ObjectStore
from storage.objects.seekable import SeekableObject
from workers.ffmpeg.commands import frame_ticks
from workers.ffmpeg.mp4_boxes import check_grid, codec_of, grouped, read_boxes

# Read at once: a piece's index fits, and the pictures behind it are skipped.
BUFFER_BYTES = 32 * 1024


def found_results(objects: ObjectStore, job_id: str, plan: Plan, segments: Iterable[Segment]) -> dict[str, Result]:
    """Return the results, by task field, of those tasks of the planned job whose objects are all there and right.

    Raises ObjectNotFoundError when the job's plan is gone.
    """
    made = _Made(objects, job_id, frozenset(objects.keys(keys.renditions(job_id))), _planned_at(objects, job_id))
    return dict(_found(made, plan, segments))


def _planned_at(objects: ObjectStore, job_id: str) -> float:
    return objects.stat(keys.planned(job_id)).modified_at


def _found(made: _Made, plan: Plan, segments: Iterable[Segment]) -> Iterator[tuple[str, Result]]:
    if made.info(keys.rendition(made.job_id, "poster.jpg")) is not None:
        yield Task(made.job_id, Stage.POSTER).field, {"made": True}
    codecs = {rung.name: made.codec(rung.name) for rung in plan.rungs}
    if None in codecs.values():
        return  # the first segment brings the init sections, which the others cannot be played without
    for segment in segments:
        fragments = {rung: made.fragments(rung, plan, segment) for rung in codecs}
        if None not in fragments.values():
            rungs = {rung: {"codec": codec, "fragments": fragments[rung]} for rung, codec in codecs.items()}
            yield Task(made.job_id, Stage.SEGMENT, segment.index).field, {"frames": segment.frames, "rungs": rungs}


@dataclass(frozen=True, slots=True)
class _Made:
    """What was made of a job since it was planned: what is older belongs to another plan, and may be encoded otherwise.

    `names` are the keys there are, `since` is in seconds on the store's clock.
    """

    objects: ObjectStore
    job_id: str
    names: frozenset[str]
    since: float

    def info(self, key: str) -> ObjectInfo | None:
        """Return what the store knows of the object, None where there is none of this plan."""
        if key not in self.names:
            return None
        try:
            info = self.objects.stat(key)
        except ObjectNotFoundError:
            return None
        return info if info.modified_at >= self.since else None

    def codec(self, rung: str) -> str | None:
        """Return the rung's codec from its init section, None where that is missing."""
        key = keys.init(self.job_id, rung)
        return None if self.info(key) is None else codec_of(b"".join(self.objects.read(key)))

    def fragments(self, rung: str, plan: Plan, segment: Segment) -> tuple[int, ...] | None:
        """Return the bytes of each fragment of the segment, None unless every frame of it is there and in its place.

        Exactly the planned frames: a damaged file may have fewer in its one segment, but so has another plan's segment.
        """
        info, ticks = self.info(keys.segment(self.job_id, rung, segment.index)), frame_ticks(plan)
        if info is None:
            return None
        try:
            with io.BufferedReader(SeekableObject(self.objects, info.key), BUFFER_BYTES) as file:
                boxes = read_boxes(cast("IO[bytes]", file), info.size)
            check_grid(boxes, first=segment.first_frame, frames=segment.frames, ticks=ticks)
            return grouped(boxes, first=segment.first_frame, frames=plan.fragment_frames, ticks=ticks)
        except (OutputMismatchError, ObjectNotFoundError):
            return None
