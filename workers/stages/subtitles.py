"""Subtitles: the tracks of text in the original, as WebVTT whole and in segments. What cannot be read costs itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import structlog

from storage.captions.cues import Cue, on_timeline
from storage.captions.reading import cues_of
from storage.captions.webvtt import VTT, subtitle_segments, subtitles_vtt
from storage.errors import OutputMismatchError, ToolError, ToolTimeoutError
from storage.media_errors import TooMuchWorkError
from storage.model.plan import ClockPiece, Plan
from storage.model.timed_text import SubtitleSource
from storage.objects import keys
from storage.subtitle_errors import SubtitleTooLargeError
from workers.attempts.attempt import Attempt
from workers.ffmpeg.subtitle_commands import (
    LONGEST_MOVED,
    LONGEST_TRACK,
    MOVED_IN,
    moved_command,
    subtitles_command,
    track_file,
    track_files,
    written_as,
)
from workers.planning.probe import PACKETS_SECONDS
from workers.sandbox.outputs import left_by_tool
from workers.sandbox.run import ToolLimits
from workers.sandbox.scratch import reserve
from workers.stages.common import finish, original_of, plan_of, run_ffmpeg, speed_here
from workers.stages.picture_captions import caption_cues, captions_bytes
from workers.stages.work_budgets import subtitles_budget

# Who reads through a whole file for the one text at its end shows no progress meanwhile.
READING = ToolLimits(PACKETS_SECONDS, PACKETS_SECONDS)

_MOVED = "moved"  # what `moved_command` writes

_log = structlog.get_logger()


def subtitles_stage(attempt: Attempt) -> None:
    """Read all tracks of text in one go and store them; a track that fails is told of, one without a text is not."""
    plan = plan_of(attempt.job)
    texts = sum(not source.channel for source in plan.subtitles)
    moved = LONGEST_MOVED if plan.video.pieces and any(one.codec in MOVED_IN for one in plan.subtitles) else 0
    captions = 2 * captions_bytes(plan) if plan.takes_captions else 0
    reserve(attempt.scratch, texts * LONGEST_TRACK + min(moved, attempt.job.size) + captions)
    attempt.bound(subtitles_budget(len(plan.subtitles), attempt.job.size, speed_here(attempt)))
    with original_of(attempt) as url:
        _take_out(attempt, plan, url)
    made: list[dict[str, Any]] = []
    failed: list[str] = []
    for source in plan.subtitles:
        try:
            cues = _cues(attempt, plan, source)
            if cues:
                made.append({"id": source.track.id, "cues": len(cues), "bytes": _store(attempt, plan, source, cues)})
        except (OutputMismatchError, SubtitleTooLargeError) as error:
            _log.warning("no subtitles", job=attempt.job.id, track=source.track.id, error=str(error))
            failed.append(source.track.id)
    finish(attempt, {"made": True, "tracks": made, "failed": failed})


def _take_out(attempt: Attempt, plan: Plan, url: str) -> None:
    """Write each track to a file."""
    seconds, pieces = plan.video.look_seconds, plan.video.pieces
    ways = dict[str, list[SubtitleSource]]()
    for source in plan.subtitles:
        ways.setdefault(MOVED_IN.get(source.codec, "") if pieces else "", []).append(source)
    _write(attempt, url, ways.pop("", []), seconds, pieces)
    for moved in ways.values():
        target = attempt.scratch / _MOVED
        if _run(attempt, moved_command(moved, url, target, seconds, pieces), url):
            numbered = [replace(source, stream=number) for number, source in enumerate(moved)]
            _write(attempt, str(target), numbered, 0.0, ())
        target.unlink(missing_ok=True)


def _write(
    attempt: Attempt, url: str, sources: Sequence[SubtitleSource], seconds: float, pieces: tuple[ClockPiece, ...]
) -> None:
    """Write each track of what is at the URL to a file; where one spoils all others, each by itself."""
    most = captions_bytes(plan_of(attempt.job))

    def write(together: Sequence[SubtitleSource]) -> bool:
        command = subtitles_command(together, url, attempt.scratch, seconds, pieces, captions_bytes=most)
        if _run(attempt, command, url):
            return True
        for name in chain.from_iterable(map(track_files, together)):  # of a command that failed nothing is left
            (attempt.scratch / name).unlink(missing_ok=True)
        return False

    if sources and not write(sources):
        for source in sources:
            write((source,))


def _run(attempt: Attempt, command: list[str], url: str) -> bool:
    """Tell whether the tool did what it was to."""
    try:
        run_ffmpeg(attempt, command, url, limits=READING)
    except (ToolError, ToolTimeoutError, TooMuchWorkError) as error:
        if isinstance(error, ToolError) and error.killed:
            raise
        return False
    return True


def _cues(attempt: Attempt, plan: Plan, source: SubtitleSource) -> tuple[Cue, ...]:
    """Return the track's cues on the job's timeline. Raises OutputMismatchError and SubtitleTooLargeError."""
    if source.channel:
        found = caption_cues(attempt.scratch, plan, source.channel)
    else:
        with left_by_tool(attempt.scratch, track_file(source), most=LONGEST_TRACK, least=0) as left:
            found = cues_of(left.whole().decode(errors="replace"), written_as(source))
    return on_timeline(found, plan.video.start_time, plan.duration)


def _store(attempt: Attempt, plan: Plan, source: SubtitleSource, cues: tuple[Cue, ...]) -> int:
    """Store the track whole and in segments; return its bytes."""
    objects, job_id, track = attempt.services.objects, attempt.job.id, source.track.id
    whole = subtitles_vtt(cues)
    attempt.check_ours()
    for index, segment in enumerate(subtitle_segments(cues, plan.duration)):
        objects.put_bytes(keys.subtitle_segment(job_id, track, index), segment, content_type=VTT)
    objects.put_bytes(keys.subtitle(job_id, track), whole, content_type=VTT)
    return len(whole)
