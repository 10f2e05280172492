"""Subtitles that are added to a job: stored beside its original, and told in its record.

They go live without any encoding, in whichever state the job is, and stay through another run and a rebuild. What lies
in the store comes first and goes last: a record never tells of what is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from secrets import token_hex

from pydantic import TypeAdapter, ValidationError

from storage.captions.side_files import converted
from storage.captions.webvtt import VTT
from storage.errors import JobNotFoundError, ManifestError, ObjectNotFoundError, RecordError, RungsError
from storage.job_store.subtitle_contract import Added
from storage.model.job import Job
from storage.model.record_checks import check_tracks, spoiled
from storage.model.timed_text import MOST_SUBTITLES, SubtitleTrack
from storage.objects import keys
from storage.objects.contract import ObjectStore, ObjectWriter
from storage.services import Services
from storage.subtitle_errors import SubtitleNotFoundError, SubtitlesFullError

_TRACK = TypeAdapter(SubtitleTrack)
_TRACK_BYTES = 4096  # of what is told of one: a title of 200 characters, and names
# What is stored of one, and as what.
_OBJECTS = {
    keys.added_source: "application/octet-stream",
    keys.added_subtitle: VTT,
    keys.added_track: "application/json",
}


def add_subtitles(services: Services, job: Job, told: SubtitleTrack, data: bytes) -> SubtitleTrack:
    """Add a file of subtitles to the job; return its track, as `told` but with an id of its own.

    Raises SubtitleUnreadableError, SubtitleTooLargeError, SubtitlesFullError, JobNotFoundError and BusyError, of which
    StorageFullError is one. Nothing is left of it then.
    """
    whole = converted(data, told.language)
    track = replace(told, id=f"a{token_hex(5)}")
    of_file = 0 if job.plan is None else len(job.plan.subtitles)
    if of_file + len(job.added) >= MOST_SUBTITLES:
        raise SubtitlesFullError

    def added(present: Added) -> Added:
        if of_file + len(present) >= MOST_SUBTITLES:
            raise SubtitlesFullError
        return (*present, track)

    try:
        _store(services.objects, job.id, track, data, whole)
        services.jobs.change_added(job.id, added)
    except RungsError:
        _remove(services.objects, job.id, track.id)
        raise
    return track


def replace_subtitles(services: Services, job: Job, told: SubtitleTrack, data: bytes) -> SubtitleTrack:
    """Put another file, and what is told of it, in the place of the track of the same id.

    Raises SubtitleNotFoundError, and what `add_subtitles` does; all is as it was then.
    """
    track = replace(told, version=_track_of(job.added, told.id).version + 1)
    whole = converted(data, track.language)
    with _as_before(services.objects, job.id, track.id):
        _store(services.objects, job.id, track, data, whole)
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


def _store(objects: ObjectStore, job_id: str, track: SubtitleTrack, data: bytes, whole: bytes) -> None:
    """Store a file, its WebVTT and what is told of it; a local disk that is full takes none of them."""
    bodies = zip(_OBJECTS.items(), (data, whole, _TRACK.dump_json(track)), strict=True)
    with ExitStack() as opened:
        writers = list[ObjectWriter]()
        for (key, kind), body in bodies:
            writers.append(opened.enter_context(objects.writer(key(job_id, track.id), content_type=kind)))
            writers[-1].write(body)
        for writer in writers:
            writer.commit()


@contextmanager
def _as_before(objects: ObjectStore, job_id: str, track_id: str) -> Iterator[None]:
    """Put back what is stored of a track where it cannot be changed; nothing where it is gone meanwhile."""
    before = {}
    for key in _OBJECTS:
        with suppress(ObjectNotFoundError):
            before[key] = b"".join(objects.read(key(job_id, track_id)))
    try:
        yield
    except (SubtitleNotFoundError, JobNotFoundError):
        _remove(objects, job_id, track_id)
        raise
    except RungsError:
        with suppress(RungsError):
            for key, body in before.items():
                objects.put_bytes(key(job_id, track_id), body, content_type=_OBJECTS[key])
        raise


def _remove(objects: ObjectStore, job_id: str, track_id: str) -> None:
    for key in reversed(_OBJECTS):
        objects.delete_prefix(key(job_id, track_id))
