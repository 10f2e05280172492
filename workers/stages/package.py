"""Package: check every frame once more, join the fragments to MP4s, and make the job ready."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from storage.model.damage import of_results, warnings_of
from storage.model.job import Changes, JobState, Output
from storage.model.plan import SURROUND_CHANNELS, Plan, Rung
from storage.model.task import Results, Stage, Task, measured_of, sounds_of
from storage.objects import keys
from storage.public.hls import playlists
from storage.public.sound_tracks import Rendition, sound_groups, told_title
from workers.attempts.attempt import Attempt
from workers.ffmpeg.commands import PackedSound, frame_ticks, package_command, timescale
from workers.ffmpeg.mp4_boxes import check_grid, read_fragmented
from workers.ffmpeg.mp4_subtitles import kept_back, shown_unasked
from workers.ffmpeg.published_boxes import Finished, check_finished
from workers.sandbox.outputs import left_by_tool, own_file
from workers.sandbox.scratch import reserve
from workers.stages.common import MP4, plan_of, run_ffmpeg, speed_here
from workers.stages.found_out import found_out
from workers.stages.report import store_report
from workers.stages.scratch_needs import most_of_mp4, package_bytes
from workers.stages.storyboard import make_storyboard
from workers.stages.timed_text import TimedText, timed_text
from workers.stages.work_budgets import package_budget

PLAYLIST = "application/vnd.apple.mpegurl"


@dataclass(frozen=True, slots=True)
class Beside:
    """What each rung's MP4 holds beside its pictures."""

    sounds: tuple[PackedSound, ...]
    text: TimedText


def package_stage(attempt: Attempt) -> None:
    """Make MP4s, storyboard, closed playlists and report; the job is ready when all of it is stored."""
    job, plan = attempt.job, plan_of(attempt.job)
    results = attempt.services.jobs.results(job.id)
    reserve(attempt.scratch, package_bytes(plan, results, texts=len(plan.subtitles) + len(job.added)))
    attempt.bound(package_budget(plan, speed_here(attempt)))
    segments = [Task(job.id, Stage.SEGMENT, index) for index in range(plan.segment_count)]
    frames = sum(results[segment.field]["frames"] for segment in segments)
    outputs, has_storyboard = _renditions(attempt, plan, results, frames)
    damage = of_results(results.values(), until=float(frames / plan.rate))
    changes = Changes(
        warnings=(*job.warnings, *found_out(job, plan, results), *warnings_of(damage)),
        damage=damage.places,
        measured=measured_of(results),
        outputs=outputs,
        has_storyboard=has_storyboard,
    )
    objects = attempt.services.objects
    for name, text in playlists(plan, results).items():
        objects.put_bytes(keys.rendition(job.id, f"hls/{name}"), text.encode(), content_type=PLAYLIST)
    store_report(attempt, results, frames, changes)
    attempt.check_ours()
    objects.delete_prefix(keys.early_poster(job.id))
    attempt.services.jobs.move(job.id, JobState.READY, changes)


def _renditions(attempt: Attempt, plan: Plan, results: Results, frames: int) -> tuple[tuple[Output, ...], bool]:
    """Make every rung's MP4 and the storyboard of the smallest one, all beside each other: the job waits for them."""
    sounds = _joined_sounds(attempt, plan, results)
    text = timed_text(attempt, plan, results, float(frames / plan.rate))
    beside = Beside(sounds, text)
    with ThreadPoolExecutor(len(plan.rungs)) as pool:
        made = list(pool.map(lambda rung: _rendition(attempt, plan, results, frames, beside, rung), plan.rungs))
    return tuple(output for output, _ in made), made[-1][1]


def _rendition(
    attempt: Attempt, plan: Plan, results: Results, frames: int, beside: Beside, rung: Rung
) -> tuple[Output, bool]:
    """Check and join one rung; return it, and whether there is a storyboard of it. Scratch space is given back."""
    joined = attempt.scratch / f"{rung.name}.fragments.mp4"
    with own_file(attempt.scratch, joined.name) as file, ThreadPoolExecutor(1) as meanwhile:
        boxes = read_fragmented(file, _join(attempt, file, rung.name, plan.segment_count))
        check_grid(boxes, first=0, frames=frames, ticks=frame_ticks(plan))
        smallest = rung is plan.rungs[-1]
        storyboard = meanwhile.submit(make_storyboard, attempt, plan, results, file, boxes) if smallest else None
        planned = Finished(
            frames,
            frame_ticks(plan),
            timescale(plan),
            sounds=len(beside.sounds),
            chapters=len(beside.text.chapters),
            subtitles=len(beside.text.subtitles),
        )
        output = _packaged(
            attempt, rung.name, joined, beside, planned, most=most_of_mp4(results, rung) + beside.text.most
        )
        has_storyboard = storyboard is not None and storyboard.result()
    joined.unlink()
    return output, has_storyboard


def _packaged(attempt: Attempt, rung: str, joined: Path, beside: Beside, planned: Finished, *, most: int) -> Output:
    """Make, check and store one rung's MP4 of its joined fragments and what stands beside them."""
    target = attempt.scratch / f"{rung}.mp4"
    command = package_command(joined, beside.sounds, target, seconds=planned.seconds)
    run_ffmpeg(attempt, beside.text.added_to(command), str(attempt.scratch))
    key = keys.rendition(attempt.job.id, target.name)
    with (
        left_by_tool(attempt.scratch, target.name, most=most) as left,
        attempt.services.objects.writer(key, content_type=MP4) as writer,
    ):
        check_finished(left.file, left.size, planned)
        for data in kept_back(left.pieces(), shown_unasked(left.file, left.size, beside.text.subtitles)):
            writer.write(data)
        info = writer.commit()
    target.unlink()
    return Output(rung=rung, size=info.size)


def _joined_sounds(attempt: Attempt, plan: Plan, results: Results) -> tuple[PackedSound, ...]:
    """Return all tracks in stereo, and behind them their versions in 5.1: players begin with the first."""
    renditions = dict.fromkeys(one for group in sound_groups(plan, results).values() for one in group)
    made = sounds_of(results)
    return tuple(_joined_sound(attempt, one, len(made[one.name]["parts"])) for one in renditions)


def _joined_sound(attempt: Attempt, rendition: Rendition, parts: int) -> PackedSound:
    path = attempt.scratch / f"{rendition.name}.mp4"
    with own_file(attempt.scratch, path.name) as file:
        _join(attempt, file, rendition.name, parts)
    audio = rendition.track.audio
    width = "5.1" if rendition.channels == SURROUND_CHANNELS else ""
    title = ", ".join(filter(None, (told_title(audio), width)))
    return PackedSound(path, language=audio.language, title=title, role=audio.role)


def _join(attempt: Attempt, file: BinaryIO, track: str, count: int) -> int:
    """Write a track's init section and its `count` objects one behind the other: a valid file (docs/design.md).

    Returns its bytes.
    """
    job_id, objects = attempt.job.id, attempt.services.objects
    file.writelines(objects.read(keys.init(job_id, track)))
    for index in range(count):
        file.writelines(objects.read(keys.segment(job_id, track, index)))
    file.flush()
    return file.tell()
