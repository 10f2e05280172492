"""The stages of a job: each takes an attempt and returns when its result is in the store."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from storage import keys
from storage.errors import NoFramesError, OutputMismatchError, ToolError
from storage.jobs import Changes, Job, JobState, Output, Task, tasks_of
from storage.jobs import Stage as StageName
from storage.plan import Plan, Segment
from workers.attempt import Attempt
from workers.boxes import Fragmented, check_grid, read_fragmented
from workers.commands import audio_command, frame_ticks, package_command, poster_command, segment_command
from workers.filters import SPARE_FRAMES
from workers.planning import PlanLimits, choose_video, make_plan
from workers.probe import packet_times, probe
from workers.tool import Watch, run_tool

INPUT_URL_SECONDS = 24 * 3600  # a signed input must outlive the longest attempt
COPY_BYTES = 1024 * 1024
MP4 = "video/mp4"


def plan_stage(attempt: Attempt) -> None:
    """Look at the original, decide how it is encoded, and publish the tasks that follow."""
    jobs = attempt.services.jobs
    jobs.move(attempt.job.id, JobState.PLANNING)
    url = _input(attempt)
    watch = Watch(cancelled=attempt.watch.cancelled, conceal=url)
    facts = probe(url, watch)
    video = choose_video(facts)
    limits = PlanLimits(
        max_pixels=attempt.settings.max_source_pixels,
        max_seconds=attempt.settings.max_source_seconds,
        preset=attempt.settings.encode_preset,
        threads=attempt.settings.encoders,
    )
    plan = make_plan(facts, video, packet_times(url, video.index, watch), limits)
    job = jobs.move(attempt.job.id, JobState.ENCODING, Changes(plan=plan, warnings=plan.warnings))
    for task in tasks_of(plan, job.id):
        attempt.services.publisher.publish(task)


def segment_stage(attempt: Attempt) -> None:
    """Encode one segment into every rung at once, check every frame's time, and store the fragments."""
    plan = _plan(attempt.job)
    segment = plan.segments[attempt.task.index]
    started = time.monotonic()
    url = _input(attempt)
    _run(attempt, segment_command(plan, segment, url, attempt.scratch), url)
    frames = _checked_frames(plan, segment, attempt.scratch)
    sizes = {}
    for rung in plan.rungs:
        path = attempt.scratch / f"{rung.name}.mp4"
        found = read_fragmented(path)
        _store_fragments(attempt, rung.name, path, found.init_bytes)
        sizes[rung.name] = path.stat().st_size
    _finish(attempt, {"frames": frames, "seconds": round(time.monotonic() - started, 3), "bytes": sizes})


def _checked_frames(plan: Plan, segment: Segment, folder: Path) -> int:
    """Return how many frames every rung has; the planned number, or fewer at the end of a damaged file.

    Raises OutputMismatchError when rungs or timestamps disagree, NoFramesError when nothing could be decoded.
    """
    found: list[Fragmented] = [read_fragmented(folder / f"{rung.name}.mp4") for rung in plan.rungs]
    frames = len(found[0].times)
    if frames == 0:
        raise NoFramesError("Not one picture of this video could be decoded.")
    whole_file = len(plan.segments) == 1
    for rung in found:
        check_grid(
            rung,
            first=segment.first_frame,
            frames=frames if whole_file else segment.frames,
            ticks=frame_ticks(plan),
        )
    return frames


def _store_fragments(attempt: Attempt, rung: str, path: Path, init_bytes: int) -> None:
    """Store the init section and the fragments of one rung; any attempt writes the same bytes to the same keys."""
    objects, job_id, index = attempt.services.objects, attempt.job.id, attempt.task.index
    with path.open("rb") as file:
        objects.put_bytes(keys.init(job_id, rung), file.read(init_bytes), content_type=MP4)
        with objects.writer(keys.segment(job_id, rung, index), content_type=MP4) as writer:
            while data := file.read(COPY_BYTES):
                writer.write(data)
            attempt.check_ours()
            writer.commit()


def audio_stage(attempt: Attempt) -> None:
    """Encode the sound once for the whole job. Sound that cannot be decoded costs the sound, not the video."""
    plan = _plan(attempt.job)
    assert plan.audio is not None  # noqa: S101 - the task exists only for plans with sound
    target, heard = attempt.scratch / "audio.m4a", attempt.scratch / "heard.pcm"
    url = _input(attempt)
    try:
        _run(attempt, audio_command(plan, plan.audio, url, target, heard), url)
    except ToolError as error:
        if error.killed:
            raise
        _finish(attempt, {"made": False, "detail": error.detail})
        return
    if heard.stat().st_size == 0:
        _finish(attempt, {"made": False, "detail": "Not one packet of the sound could be decoded."})
        return
    attempt.services.objects.put_file(keys.audio(attempt.job.id), target, content_type="audio/mp4")
    _finish(attempt, {"made": True, "bytes": target.stat().st_size})


def poster_stage(attempt: Attempt) -> None:
    """Make the poster; a video without one is still a video."""
    target = attempt.scratch / "poster.jpg"
    made = any(_poster_made(attempt, target, seek=seek) for seek in (True, False))
    if made:
        key = keys.rendition(attempt.job.id, "poster.jpg")
        attempt.services.objects.put_file(key, target, content_type="image/jpeg")
    _finish(attempt, {"made": made})


def _poster_made(attempt: Attempt, target: Path, *, seek: bool) -> bool:
    """Try to make the poster; seeking fails in short files without an index, so the caller tries without as well."""
    url = _input(attempt)
    try:
        _run(attempt, poster_command(_plan(attempt.job), url, target, seek=seek), url)
    except ToolError as error:
        if error.killed:
            raise
    return target.exists() and target.stat().st_size > 0


def package_stage(attempt: Attempt) -> None:
    """Join the fragments to one MP4 per rung, check them once more, and make the job ready."""
    job, plan = attempt.job, _plan(attempt.job)
    results = attempt.services.jobs.results(job.id)
    frames = sum(results[task.field]["frames"] for task in tasks_of(plan, job.id) if task.stage is StageName.SEGMENT)
    audio = _fetched_audio(attempt, plan, results)
    outputs = tuple(_package_rung(attempt, plan, rung.name, audio, frames) for rung in plan.rungs)
    warnings = (*job.warnings, *_package_warnings(plan, frames, results))
    report = {"plan": asdict(plan), "frames": frames, "tasks": results, "warnings": warnings}
    report["outputs"] = [asdict(output) for output in outputs]
    objects = attempt.services.objects
    body = json.dumps(report, indent=2).encode()
    objects.put_bytes(keys.rendition(job.id, "report.json"), body, content_type="application/json")
    attempt.check_ours()
    attempt.services.jobs.move(job.id, JobState.READY, Changes(outputs=outputs, warnings=warnings))
    objects.delete_prefix(keys.fragments(job.id))


def _package_rung(attempt: Attempt, plan: Plan, rung: str, audio: Path | None, frames: int) -> Output:
    """Make, check and store one rung's MP4; scratch space is given back before the next one."""
    job_id, objects = attempt.job.id, attempt.services.objects
    joined, target = attempt.scratch / f"{rung}.fragments.mp4", attempt.scratch / f"{rung}.mp4"
    with joined.open("wb") as file:
        parts = [keys.init(job_id, rung), *(keys.segment(job_id, rung, part.index) for part in plan.segments)]
        for key in parts:
            file.writelines(objects.read(key))
    check_grid(read_fragmented(joined), first=0, frames=frames, ticks=frame_ticks(plan))
    _run(attempt, package_command(joined, audio, target, seconds=float(frames / plan.rate)), str(attempt.scratch))
    joined.unlink()
    info = objects.put_file(keys.rendition(job_id, f"{rung}.mp4"), target, content_type=MP4)
    target.unlink()
    return Output(rung=rung, size=info.size)


def _fetched_audio(attempt: Attempt, plan: Plan, results: dict[str, dict[str, Any]]) -> Path | None:
    if plan.audio is None or not results[Task(attempt.job.id, StageName.AUDIO).field]["made"]:
        return None
    path = attempt.scratch / "audio.m4a"
    attempt.services.objects.fetch(keys.audio(attempt.job.id), path)
    return path


def _package_warnings(plan: Plan, frames: int, results: dict[str, dict[str, Any]]) -> Iterator[str]:
    if plan.frames - frames > SPARE_FRAMES:
        done, whole = float(frames / plan.rate), plan.duration
        yield f"The file is damaged: only {done:.1f} s of {whole:.1f} s of pictures could be decoded."
    for result in results.values():
        if result.get("made") is False and "detail" in result:
            yield "The sound could not be decoded; the video is silent."


def _finish(attempt: Attempt, result: dict[str, Any]) -> None:
    """Record the result; whoever finishes the last task moves the job on."""
    if attempt.services.jobs.finish(attempt.task, attempt.name, result):
        attempt.services.jobs.move(attempt.job.id, JobState.PACKAGING)
        attempt.services.publisher.publish(Task(attempt.job.id, StageName.PACKAGE))


def _run(attempt: Attempt, command: list[str], conceal: str) -> None:
    """Run ffmpeg under the attempt's watch, noting frames as progress.

    `conceal` is the very name the command holds: a second signed URL has another signature.
    """

    def on_progress(key: str, value: str) -> None:
        if key == "frame" and attempt.task.stage is StageName.SEGMENT and value.isdigit():
            attempt.frames = int(value)

    watch = Watch(on_progress=on_progress, cancelled=attempt.watch.cancelled, conceal=conceal)
    run_tool(command, attempt.limits, watch=watch)


def _plan(job: Job) -> Plan:
    if job.plan is None:
        raise OutputMismatchError(f"Job {job.id} has no plan though it is {job.state}.")
    return job.plan


def _input(attempt: Attempt) -> str:
    return attempt.services.objects.input_url(keys.original(attempt.job.id), seconds=INPUT_URL_SECONDS)
