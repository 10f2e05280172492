"""The storyboard: previews for seeking, made in packaging; a video without them is still a video."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import structlog

from storage.captions.webvtt import VTT
from storage.errors import OutputMismatchError, ToolError, ToolTimeoutError
from storage.media_errors import TooMuchWorkError
from storage.model.plan import Plan
from storage.model.task import Results
from storage.objects import keys
from storage.public.hls import rung_fragments
from workers.attempts.attempt import Attempt
from workers.ffmpeg.commands import timescale
from workers.ffmpeg.mp4_boxes import Fragmented
from workers.ffmpeg.published_pictures import check_jpeg
from workers.ffmpeg.stills import sheet_command
from workers.ffmpeg.storyboard_layout import CUES, SHEET, Preview, cues_of, cues_text, sheet_of
from workers.sandbox.outputs import left_by_tool, own_file
from workers.stages.common import run_ffmpeg
from workers.stages.scratch_needs import STILLS_BYTES

_log = structlog.get_logger()


def make_storyboard(attempt: Attempt, plan: Plan, results: Results, joined: BinaryIO, boxes: Fragmented) -> bool:
    """Store sheet and cues of the smallest rung, whose fragments are joined; False, and a log line, if that fails."""
    rung = plan.rungs[-1]
    cues = cues_of(tuple(rung_fragments(plan, results, rung.name)))
    sheet = sheet_of(rung, len(cues))
    keyframes, target = attempt.scratch / "keyframes.mp4", attempt.scratch / SHEET
    try:
        with own_file(attempt.scratch, keyframes.name) as file:
            _pick(joined, boxes, cues, file, ticks=timescale(plan))
        run_ffmpeg(attempt, sheet_command(keyframes, sheet, target), str(attempt.scratch))
        with left_by_tool(attempt.scratch, SHEET, most=STILLS_BYTES) as left:
            picture = left.whole()
        check_jpeg(picture, width=sheet.width * sheet.columns, height=sheet.height * sheet.rows)
    except (ToolError, ToolTimeoutError, OutputMismatchError, TooMuchWorkError) as error:
        _log.warning("no storyboard", job=attempt.job.id, error=error.message, detail=error.detail)
        return False
    objects, job_id = attempt.services.objects, attempt.job.id
    objects.put_bytes(keys.rendition(job_id, SHEET), picture, content_type="image/jpeg")
    objects.put_bytes(keys.rendition(job_id, CUES), cues_text(cues, sheet).encode(), content_type=VTT)
    return True


def _pick(joined: BinaryIO, boxes: Fragmented, cues: Sequence[Preview], target: BinaryIO, *, ticks: int) -> None:
    """Write a file of only those pieces whose keyframes are the cues' pictures; `ticks` are those of a second."""
    pieces = {min(piece.times): piece for piece in boxes.pieces}
    spans = [(0, boxes.init_bytes)]
    spans += [(piece.start, piece.end) for piece in (pieces[int(cue.picture * ticks)] for cue in cues)]
    for start, end in spans:
        joined.seek(start)
        target.write(joined.read(end - start))
