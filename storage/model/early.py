"""Early work: what is encoded of an upload before its last byte has come. Pure.

An early plan is made of what has come, and is a guess. When the upload is whole it is planned again, and only if that
plan is the same, and the index that came ahead is the file's, do the early results count. Otherwise they are thrown
away. So nothing here needs to be right for a video to be right, and nothing of it is ever waited for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from storage.model.plan import Plan, Segment


@dataclass(frozen=True, slots=True)
class HandedIndex:
    """Bytes of a file that came ahead of it: `size` of them from byte `begin` on, stored under a key of their own.

    What lies under the key never changes. `sha256` is what the file is compared with when the key is gone.
    """

    key: str
    begin: int
    size: int
    sha256: str

    @property
    def end(self) -> int:
        """Where in the file it ends."""
        return self.begin + self.size


@dataclass(frozen=True, slots=True)
class EarlyPlan:
    """A plan of an upload that is not whole, and its segments.

    `needs` are how many bytes must have come, from the first one on, until each of the segments can be encoded; `index`
    is what came ahead and is read in the file's place, None where nothing was. The plan was made for so many `slots` of
    this `pace` (workers/planning/make_plan.py): the whole file is planned for the same, or it is cut otherwise.
    """

    plan: Plan
    segments: tuple[Segment, ...]
    needs: tuple[int, ...]
    index: HandedIndex | None
    slots: int
    pace: float

    def same_as(self, plan: Plan, segments: tuple[Segment, ...]) -> bool:
        """Tell whether this is the plan of the whole file, so that every segment would be encoded alike.

        What chapters and tracks of text are called may stand behind what had come. But captions in the pictures are
        encoded with them, or left out.
        """
        if self.plan.takes_captions != plan.takes_captions:
            return False
        made = replace(self.plan, chapters=plan.chapters, subtitles=plan.subtitles)
        return (made, self.segments) == (plan, segments)
