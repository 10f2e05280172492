"""A job's public JSON (docs/design.md#http): what the API answers, events carry and webhooks send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from storage.captions.labels import labels
from storage.model.job import GIVEN_UP, FailedAttempt, Job, JobState, Promise, SlimRung
from storage.model.loudness import Measured, lacks
from storage.model.plan import SURROUND_CHANNELS, AudioSource, Plan, Rung, VideoSource
from storage.model.timed_text import SubtitleTrack
from storage.model.upload import OpenUpload
from storage.public.progress import encoded_fraction, progress
from storage.public.sound_tracks import SoundTrack, sound_tracks
from storage.scheduling.forecast import Forecast

# States whose playlists are served: what a failed or cancelled job left behind is no video.
PLAYED = frozenset({JobState.ENCODING, JobState.PACKAGING, JobState.READY})
# Those in which what was encoded before the last byte is played, as long as it may be the job's own in the end.
EARLY_PLAYED = frozenset({JobState.UPLOADING, JobState.QUEUED, JobState.PLANNING})


# What lists leave out of every job (docs/finished-jobs.md); `links.self` leads to it.
NOT_LISTED = frozenset(
    {"promise", "loudness", "warnings", "damage", "failed_attempts", "plan", "audio", "subtitles", "chapters"}
)


def timestamp(seconds: float) -> str:
    """Return Unix seconds as an RFC 3339 time in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def job_json(
    job: Job,
    *,
    position: int | None = None,
    forecast: Forecast | None = None,
    upload: OpenUpload | None = None,
    now: float = 0.0,
) -> dict[str, Any]:
    """Return the job as everybody sees it.

    `position` is the job's place in the queue (1 is next, None once an encoder has begun) and `forecast` when it is
    expected to start and to be ready: facts about the other jobs, so the caller brings them. `upload` is what is known
    at `now`, Unix seconds, of the upload of an uploading job. URLs are relative.
    """
    waits = job.begun_at is None
    sent = _upload(job, upload, now)
    return {
        "id": job.id,
        "state": job.state.value,
        "title": job.title,
        "filename": job.filename,
        "size": job.size if sent is None else sent["length"] or 0,
        "created_at": timestamp(job.created_at),
        "started_at": _optional_time(job.started_at),
        "finished_at": _optional_time(job.finished_at),
        "upload": sent,
        "progress": round(progress(job), 4),
        "starts_in_seconds": max(1, round(forecast.start)) if forecast is not None and waits else None,
        "eta_seconds": None if forecast is None else max(1, round(forecast.ready)),
        "priority": job.priority.value,
        "loudness": job.loudness,
        "promise": None if job.promise is None else _promise(job.promise),
        "queue_position": position,
        "rungs": [_rung(job, rung) for rung in job.rungs],
        "hls_url": f"/media/{job.id}/hls/master.m3u8" if _is_played(job) else None,
        "poster_url": f"/media/{job.id}/poster.jpg" if job.has_poster else None,
        "storyboard_url": f"/media/{job.id}/storyboard.vtt" if job.has_storyboard else None,
        "warnings": _warnings(job),
        "damage": [asdict(place) for place in job.damage],
        "error": _error(job),
        "failed_attempts": [_failed_attempt(failed) for failed in job.failed_attempts],
        "plan": None if job.plan is None else _plan(job.plan),
        "audio": _sounds(job),
        "subtitles": _subtitles(job),
        "chapters": [] if job.plan is None else [asdict(chapter) for chapter in job.plan.chapters],
        "links": _links(job),
    }


def listed(public: Mapping[str, Any]) -> dict[str, Any]:
    """Return of a job's public JSON what lists say of the job."""
    shown = {name: value for name, value in public.items() if name not in NOT_LISTED}
    if shown.get("error") is not None:
        shown["error"] = {name: value for name, value in shown["error"].items() if name != "detail"}
    return shown


def _is_played(job: Job) -> bool:
    return job.playable and job.state in PLAYED | EARLY_PLAYED


def _upload(job: Job, upload: OpenUpload | None, now: float) -> dict[str, Any] | None:
    if job.state is not JobState.UPLOADING:
        return None
    if upload is None:
        return {"received": 0, "length": job.size or None, "moving": False}
    length = upload.length if upload.left else job.size or None  # the whole length may be told with any of the bytes
    return {"received": upload.size, "length": length, "moving": upload.moves(now)}


def _optional_time(seconds: float | None) -> str | None:
    return None if seconds is None else timestamp(seconds)


def _promise(promise: Promise) -> dict[str, str]:
    return {"starts_at": timestamp(promise.start_at), "ready_at": timestamp(promise.ready_at)}


def _rung(job: Job, rung: Rung | SlimRung) -> dict[str, Any]:
    size = next((output.size for output in job.outputs if output.rung == rung.name), None)
    return {
        "name": rung.name,
        "width": rung.width,
        "height": rung.height,
        "state": _rung_state(job),
        "progress": round(encoded_fraction(job), 4),
        "url": f"/media/{job.id}/{rung.name}.mp4" if job.state is JobState.READY and size is not None else None,
        "size": size,
    }


def _rung_state(job: Job) -> str:
    waiting = job.state is JobState.ENCODING and job.frames_done == 0
    return "waiting" if waiting else job.state.value


def _warnings(job: Job) -> list[dict[str, Any]]:
    planned = () if job.plan is None else job.plan.warnings
    found = (*planned, *(warning for warning in job.warnings if warning not in planned))
    return [asdict(known) for known in found]


def _error(job: Job) -> dict[str, Any] | None:
    return None if job.error is None else asdict(job.error)


def _failed_attempt(failed: FailedAttempt) -> dict[str, str]:
    return {
        "task": failed.task,
        "worker": failed.worker,
        "at": timestamp(failed.at),
        "code": failed.code,
        "message": failed.message,
    }


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "duration": round(plan.duration, 3),
        "frame_rate": round(float(plan.rate), 3),
        "frames": plan.frames,
        "segments": plan.segment_count,
        "source": _source(plan.video),
        "audio": _audio(plan.audio[0]) if plan.audio else None,
    }


def _subtitles(job: Job) -> list[dict[str, Any]]:
    """Return the tracks of the file, which turn out to be empty at times, and those that were added to it."""
    sources = () if job.plan is None else job.plan.subtitles
    made = frozenset(job.subtitles_made or ())
    there = made if job.state in PLAYED else frozenset()
    of_file = [one.track for one in sources if job.subtitles_made is None or one.track.id in made]
    tracks = (*of_file, *job.added)
    return [
        {
            "id": track.id,
            "label": label,
            "language": track.language,
            "title": track.title,
            "default": track.default,
            "forced": track.forced,
            "sdh": track.sdh,
            "origin": "added" if track in job.added else "file",
            "url": _subtitle_url(job.id, track) if track.id in there or track in job.added else None,
        }
        for track, label in zip(tracks, labels(tracks), strict=True)
    ]


def _subtitle_url(job_id: str, track: SubtitleTrack) -> str:
    """Return where a track is. Another file in its place has another address: players keep what they have of one."""
    return f"/media/{job_id}/subtitles/{track.id}.vtt" + (f"?version={track.version}" if track.version else "")


def _source(video: VideoSource) -> dict[str, Any]:
    return {
        "codec": video.codec,
        "width": video.display_width,
        "height": video.display_height,
        "coded_width": video.width,
        "coded_height": video.height,
        "rotation": video.rotation,
        "interlaced": video.interlaced,
        "transfer": video.colour.transfer,
    }


def _audio(audio: AudioSource) -> dict[str, Any]:
    return {
        "codec": audio.codec,
        "channels": audio.channels,
        "sample_rate": audio.sample_rate,
        "bitrate": audio.bitrate,
    }


def _sounds(job: Job) -> list[dict[str, Any]]:
    """Return the tracks of sound but those that could not be decoded."""
    planned = () if job.plan is None else sound_tracks(job.plan.audio)
    codes = {known.code for known in job.warnings}
    lost = {known.values.get("number") for known in job.warnings if known.code == "audio_undecodable"}
    tracks = [track for number, track in enumerate(planned, 1) if number not in lost]
    if "sound_undecodable" in codes:
        return []
    return [_sound(track, job, default=track is tracks[0]) for track in tracks]


def _sound(track: SoundTrack, job: Job, *, default: bool) -> dict[str, Any]:
    return {
        "name": track.name,
        "label": track.label,
        "language": track.audio.language,
        "title": track.audio.title,
        "default": default,
        "channels": [track.audio.channels, *([SURROUND_CHANNELS] if track.audio.surround_bitrate else [])],
        "loudness": _loudness(track, {one.track: one for one in job.measured}, job.loudness),
    }


def _loudness(track: SoundTrack, measured: Mapping[str, Measured], wanted: int | None) -> dict[str, Any] | None:
    """Return the loudness of a track as it came, which is that of its 5.1, and what was done to its stereo.

    That is how many decibels louder it is made, and how many LU it `lacks` of those that the job asks for.
    """
    if track.name not in measured:
        return None
    own = measured[track.name]
    done = {"gain": own.gain, "lacks": 0.0 if wanted is None else lacks(wanted, own)}
    return asdict(measured.get(track.surround, own).loudness) | done


def _links(job: Job) -> dict[str, str | None]:
    api = f"/api/jobs/{job.id}"
    return {
        "self": api,
        "page": f"/jobs/{job.id}",
        "events": f"{api}/events",
        "cancel": None if job.state.finished else f"{api}/cancel",
        "priority": None if job.state.finished or job.incomplete else f"{api}/priority",
        "retry": f"{api}/retry" if job.state in GIVEN_UP and not job.incomplete else None,
        "report": f"/media/{job.id}/report.json" if job.state is JobState.READY else None,
    }
