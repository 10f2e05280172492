"""Subtitles that are added to a job: stored beside its original, and told in its record.

They go live without any encoding, in whichever state the job is, and stay through another run and a rebuild. What lies
in the store comes first and goes last: a record never tells of what is not there.
"""

from __future__ import annotations

from dataclasses import replace
from secrets import token_hex

from pydantic import TypeAdapter, ValidationError

from storage.captions.side_files import converted
from storage.captions.webvtt import VTT
from storage.errors import ManifestError, RecordError, RungsError
from storage.job_store.subtitle_contract import Added
from storage.model.job import Job
from storage.model.record_checks import check_tracks, spoiled
from storage.model.timed_text import MOST_SUBTITLES, SubtitleTrack
from storage.objects import keys
from storage.objects.contract import ObjectStore
from storage.services import Services
from storage.subtitle_errors import SubtitleNotFoundError, SubtitlesFullError

_TRACK = TypeAdapter(SubtitleTrack)
_TRACK_BYTES = 4096  # of what is told of one: a title of 200 characters, and names
_JSON, _ANY = "application/json", "application/octet-stream"


def add_subtitles(services: Services, job: Job, told: SubtitleTrack, data: bytes) -> SubtitleTrack:
    """Add a file of subtitles to the job; return its track, as `told` but with an id of its own.

    Raises SubtitleUnreadableError, SubtitleTooLargeError, SubtitlesFullError, JobNotFoundError and BusyError.
    """
    track = replace(told, id=f"a{token_hex(5)}")
    of_file = 0 if job.plan is None else len(job.plan.subtitles)
    if of_file + len(job.added) >= MOST_SUBTITLES:
        raise SubtitlesFullError
    _store(services.objects, job.id, track, data)

    def added(present: Added) -> Added:
        if of_file + len(present) >= MOST_SUBTITLES:
            raise SubtitlesFullError
        return (*present, track)

    try:
        services.jobs.change_added(job.id, added)
    except RungsError:
        _remove(services.objects, job.id, track.id)
        raise
    return track


def replace_subtitles(services: Services, job: Job, told: SubtitleTrack, data: bytes) -> SubtitleTrack:
    """Put another file, and what is told of it, in the place of the track of the same id.

    Raises SubtitleNotFoundError, and what `add_subtitles` does.
    """
    track = replace(told, version=_track_of(job.added, told.id).version + 1)
    _store(services.objects, job.id, track, data)
    services.jobs.change_added(job.id, lambda present: _replaced(present, track))
    return track


def remove_subtitles(services: Services, job_id: str, track_id: str) -> None:
    """Remove a track that was added. Raises SubtitleNotFoundError, JobNotFoundError and BusyError."""

    def removed(present: Added) -> Added:
        _track_of(present, track_id)
        return tuple(track for track in present if track.id != track_id)

    services.jobs.change_added(job_id, removed)
    _remove(services.objects, job_id, track_id)


def stored_tracks(objects: ObjectStore, job_id: str, names: frozenset[str]) -> Added:
    """Return the tracks of which the object store tells, among the keys of the job's folder, for a record made anew.

    Raises ManifestError for what is not what was written.
    """
    prefix = keys.originals(job_id) + "subtitles/"
    told = sorted(name for name in names if name.startswith(prefix) and name.endswith(".json"))
    return tuple(_read(objects, job_id, key) for key in told[:MOST_SUBTITLES])


def _read(objects: ObjectStore, job_id: str, key: str) -> SubtitleTrack:
    data = b"".join(objects.read(key, length=_TRACK_BYTES))
    try:
        with spoiled(job_id):
            track = _TRACK.validate_json(data)
            check_tracks((track,))
    except (RecordError, ValidationError) as error:
        raise ManifestError(detail=f"{key} is not what was written.") from error
    return track


def _track_of(tracks: Added, track_id: str) -> SubtitleTrack:
    found = next((track for track in tracks if track.id == track_id), None)
    if found is None:
        raise SubtitleNotFoundError(detail=track_id)
    return found


def _replaced(tracks: Added, other: SubtitleTrack) -> Added:
    _track_of(tracks, other.id)
    return tuple(other if track.id == other.id else track for track in tracks)


def _store(objects: ObjectStore, job_id: str, track: SubtitleTrack, data: bytes) -> None:
    whole = converted(data, track.language)
    objects.put_bytes(keys.added_source(job_id, track.id), data, content_type=_ANY)
    objects.put_bytes(keys.added_subtitle(job_id, track.id), whole, content_type=VTT)
    objects.put_bytes(keys.added_track(job_id, track.id), _TRACK.dump_json(track), content_type=_JSON)


def _remove(objects: ObjectStore, job_id: str, track_id: str) -> None:
    for key in (keys.added_track, keys.added_subtitle, keys.added_source):
        objects.delete_prefix(key(job_id, track_id))
