"""Segment: one ffmpeg, one decode, every rung; exact frames or nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from typing import Any

from storage.media_errors import NoFramesError
from storage.model.damage import as_result
from storage.model.plan import Plan, Segment
from storage.objects import keys
from workers.attempts.attempt import Attempt
from workers.ffmpeg.commands import frame_ticks, segment_command
from workers.ffmpeg.mp4_boxes import Fragmented, check_grid, codec_of, grouped, read_fragmented, unturned
from workers.ffmpeg.published_boxes import VIDEO, check_init, check_pieces
from workers.sandbox.ffmpeg_features import crops_by_itself
from workers.sandbox.outputs import ToolFile, left_by_tool
from workers.sandbox.scratch import reserve
from workers.stages.checking import damaged_pictures
from workers.stages.common import MP4, finish, original_of, plan_of, run_ffmpeg, speed_here
from workers.stages.scratch_needs import most_of_rung, segment_bytes
from workers.stages.standing import pictures_shown, standing
from workers.stages.work_budgets import look_budget, segment_budget


def segment_stage(attempt: Attempt) -> None:
    """Encode one segment of the job's plan."""
    plan = plan_of(attempt.job)
    segment = attempt.services.jobs.segment(attempt.job.id, attempt.task.index)
    encode_segment(attempt, plan, segment, original_of(attempt))


def encode_segment(
    attempt: Attempt,
    plan: Plan,
    segment: Segment,
    original: AbstractContextManager[str],
    *,
    beside: Callable[[], dict[str, Any]] = dict,
) -> None:
    """Encode one segment into every rung at once, check every frame's time, store the fragments, and say so.

    `original` gives what a tool opens. `beside` does what else is to be done with what was encoded, and returns what
    the result says of that.
    """
    reserve(attempt.scratch, segment_bytes(plan, segment))
    speed = speed_here(attempt)
    attempt.bound(segment_budget(plan, segment, attempt.job.size, speed))
    with ExitStack() as opened:
        url = opened.enter_context(original)
        found, suspicious = _encoded(attempt, plan, segment, url, opened)
        frames = _checked_frames(plan, segment, found)
        short = {} if frames == segment.frames else {"shown": pictures_shown(plan, frames)}
        shown = replace(segment, frames=short.get("shown", frames))
        damage = _damage(attempt, plan, shown, url, speed) if suspicious else {}
        longer = standing(attempt, plan, segment, url, frames) if short else None
        if longer is not None:
            found, _ = _encoded(attempt, *longer, url, opened)
            frames = _checked_frames(*longer, found)
        rungs = {name: _stored(attempt, plan, segment, name, rung) for name, rung in found.items()}
        also = beside()
    finish(attempt, {"frames": frames, "rungs": rungs} | short | damage | also)


@dataclass(frozen=True, slots=True)
class _Rung:
    """What ffmpeg left of one rung: the opened file, and what its boxes say."""

    left: ToolFile
    boxes: Fragmented


def _encoded(
    attempt: Attempt, plan: Plan, segment: Segment, url: str, opened: ExitStack
) -> tuple[dict[str, _Rung], bool]:
    """Encode the segment; return what there is of each rung, and whether ffmpeg had something to say of the source.

    The files stay open as long as `opened`. Raises OutputMismatchError for what is no fragmented MP4 of ours.
    """
    command = segment_command(plan, segment, url, attempt.scratch, crops=crops_by_itself(plan.video))
    suspicious = run_ffmpeg(attempt, command, url)
    found = {}
    for rung in plan.rungs:
        most = most_of_rung(plan, segment, rung)
        left = opened.enter_context(left_by_tool(attempt.scratch, f"{rung.name}.mp4", most=most))
        found[rung.name] = _Rung(left, read_fragmented(left.file, left.size))
        check_pieces(found[rung.name].boxes, left.size)
    return found, suspicious


def _damage(attempt: Attempt, plan: Plan, shown: Segment, url: str, speed: float) -> dict[str, Any]:
    """Return what the result says of damage in the pictures `shown`. An end without any is told by its length."""
    budget = look_budget(plan, shown, attempt.job.size, speed)
    return as_result(damaged_pictures(attempt, plan, shown, url, budget))


def _checked_frames(plan: Plan, segment: Segment, rungs: dict[str, _Rung]) -> int:
    """Return how many frames every rung has: the planned number, or fewer of a damaged file that is one segment.

    Raises OutputMismatchError when rungs or timestamps disagree, NoFramesError when nothing could be decoded.
    """
    found = tuple(rung.boxes for rung in rungs.values())
    whole_file = plan.segment_count == 1
    frames = len(found[0].times) if whole_file else segment.frames
    if frames == 0:
        raise NoFramesError
    for boxes in found:
        check_grid(boxes, first=segment.first_frame, frames=frames, ticks=frame_ticks(plan))
    return frames


def _stored(attempt: Attempt, plan: Plan, segment: Segment, rung: str, found: _Rung) -> dict[str, Any]:
    """Store one rung's init section and fragments; any attempt writes the same bytes to the same keys."""
    objects, job_id = attempt.services.objects, attempt.job.id
    sizes = grouped(found.boxes, first=segment.first_frame, frames=plan.fragment_frames, ticks=frame_ticks(plan))
    found.left.file.seek(0)
    init = found.left.file.read(found.boxes.init_bytes)
    check_init(init, VIDEO)
    init = unturned(init)
    with objects.writer(keys.segment(job_id, rung, segment.index), content_type=MP4) as writer:
        for data in found.left.pieces(found.boxes.init_bytes):
            writer.write(data)
        attempt.check_ours()
        if segment.index == 0:
            objects.put_bytes(keys.init(job_id, rung), init, content_type=MP4)
        writer.commit()
    return {"codec": codec_of(init), "fragments": sizes}
