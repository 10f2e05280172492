"""Package: check every frame once more, join the fragments to MP4s, and make the job ready."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from storage import keys
from storage.jobs import Changes, JobState, Output, Stage, Task
from storage.plan import Plan
from storage.playlists import playlists
from workers.attempt import Attempt
from workers.boxes import check_grid, read_fragmented
from workers.commands import frame_ticks, package_command
from workers.filters import SPARE_FRAMES
from workers.stages.common import MP4, plan_of, run_ffmpeg

PLAYLIST = "application/vnd.apple.mpegurl"

Results = dict[str, dict[str, Any]]


def package_stage(attempt: Attempt) -> None:
    """Make one MP4 per rung, the closed playlists and the report; the job is ready when all of it is stored."""
    job, plan = attempt.job, plan_of(attempt.job)
    results = attempt.services.jobs.results(job.id)
    frames = sum(results[Task(job.id, Stage.SEGMENT, part.index).field]["frames"] for part in plan.segments)
    sound = _joined_sound(attempt, results)
    outputs = tuple(_packaged(attempt, plan, rung.name, sound, frames) for rung in plan.rungs)
    warnings = (*job.warnings, *_found_out(plan, frames, results))
    report = {
        "plan": asdict(plan),
        "frames": frames,
        "tasks": results,
        "outputs": [asdict(output) for output in outputs],
        "warnings": warnings,
    }
    objects = attempt.services.objects
    for name, text in playlists(plan, results).items():
        objects.put_bytes(keys.rendition(job.id, f"hls/{name}"), text.encode(), content_type=PLAYLIST)
    body = json.dumps(report, indent=2).encode()
    objects.put_bytes(keys.rendition(job.id, "report.json"), body, content_type="application/json")
    attempt.check_ours()
    attempt.services.jobs.move(job.id, JobState.READY, Changes(outputs=outputs, warnings=warnings))


def _packaged(attempt: Attempt, plan: Plan, rung: str, sound: Path | None, frames: int) -> Output:
    """Make, check and store one rung's MP4; scratch space is given back before the next one."""
    job_id, objects = attempt.job.id, attempt.services.objects
    joined, target = attempt.scratch / f"{rung}.fragments.mp4", attempt.scratch / f"{rung}.mp4"
    _join(attempt, joined, rung, len(plan.segments))
    check_grid(read_fragmented(joined), first=0, frames=frames, ticks=frame_ticks(plan))
    command = package_command(joined, sound, target, seconds=float(frames / plan.rate))
    run_ffmpeg(attempt, command, str(attempt.scratch))
    joined.unlink()
    info = objects.put_file(keys.rendition(job_id, f"{rung}.mp4"), target, content_type=MP4)
    target.unlink()
    return Output(rung=rung, size=info.size)


def _joined_sound(attempt: Attempt, results: Results) -> Path | None:
    result = results.get(Task(attempt.job.id, Stage.AUDIO).field)
    if result is None or not result["made"]:
        return None
    path = attempt.scratch / "sound.mp4"
    _join(attempt, path, keys.AUDIO, len(result["parts"]))
    return path


def _join(attempt: Attempt, target: Path, track: str, count: int) -> None:
    """Write a track's init section and its `count` objects one behind the other: a valid file (DESIGN §7)."""
    job_id, objects = attempt.job.id, attempt.services.objects
    with target.open("wb") as file:
        file.writelines(objects.read(keys.init(job_id, track)))
        for index in range(count):
            file.writelines(objects.read(keys.segment(job_id, track, index)))


def _found_out(plan: Plan, frames: int, results: Results) -> Iterator[str]:
    """Yield the warnings that only the encoding could give."""
    if plan.frames - frames > SPARE_FRAMES:
        done, whole = float(frames / plan.rate), plan.duration
        yield f"The file is damaged: only {done:.1f} s of {whole:.1f} s of pictures could be decoded."
    for result in results.values():
        if result.get("made") is False and "detail" in result:
            yield "The sound could not be decoded; the video is silent."
