"""What of a job only its encoding could find out, as warnings. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from storage.captions.labels import labels
from storage.model.job import Job
from storage.model.job_warnings import JobWarning, warning
from storage.model.loudness import lacks
from storage.model.plan import Plan
from storage.model.task import Results, Stage, Task, measured_of
from storage.public.sound_tracks import heard_tracks, sound_tracks
from workers.ffmpeg.filters import SPARE_FRAMES


def found_out(job: Job, plan: Plan, results: Results) -> Iterator[JobWarning]:
    """Yield the warnings that only the encoding could give."""
    for result in results.values():
        if "shown" in result and plan.frames - plan.tail_frames - result["shown"] > SPARE_FRAMES:
            whole = float((plan.frames - plan.tail_frames) / plan.rate)
            yield warning("cut_short", done=float(result["shown"] / plan.rate), whole=whole)
        if result.get("made") is False and "detail" in result:
            yield warning("sound_undecodable")
    there = heard_tracks(plan, results)
    for number, track in enumerate(sound_tracks(plan.audio), 1):
        if there and track not in there:
            yield warning("audio_undecodable", number=number, label=track.label)
    yield from _quieter(job, plan, results)
    yield from _unread_subtitles(plan, results)


def _quieter(job: Job, plan: Plan, results: Results) -> Iterator[JobWarning]:
    """Yield a warning for each track that has not the loudness that the job asks for."""
    if job.loudness is None:
        return
    known = {one.track: one for one in measured_of(results)}
    for track in sound_tracks(plan.audio):
        if track.name not in known:
            yield warning("loudness_unknown", label=track.label)
        elif lacking := lacks(job.loudness, known[track.name]):
            yield warning("loudness_limited", label=track.label, by=lacking, wanted=job.loudness)


def _unread_subtitles(plan: Plan, results: Results) -> Iterator[JobWarning]:
    """Yield a warning that names the tracks of text that failed, all of them where no attempt succeeded."""
    result = results.get(Task("", Stage.SUBTITLES).field, {"made": True})
    tracks = [source.track for source in plan.subtitles]
    names = [
        label
        for track, label in zip(tracks, labels(tracks), strict=True)
        if not result["made"] or track.id in result["failed"]
    ]
    if names:
        yield warning("subtitle_unreadable", n=len(names), names=", ".join(names))
