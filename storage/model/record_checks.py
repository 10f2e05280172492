"""What a record may say once it is read back: names, addresses and numbers that we could have written. Pure.

Redis and the object store are places where others may write too. What comes back from there becomes object keys, file
names, arguments of ffmpeg, lines of playlists and headers; so it is checked like a request.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from storage.errors import RecordError
from storage.model.damage import DamageKind
from storage.model.job import Job, Slim, is_job_id
from storage.model.loudness import TARGETS
from storage.model.plan import MOST_SOUNDS, ROLES, AudioSource, Plan, Rung, Segment
from storage.model.shown_text import NAME_LENGTH
from storage.model.task import Stage, Task
from storage.model.timed_text import (
    MOST_CHAPTERS,
    MOST_SUBTITLES,
    Chapter,
    SubtitleSource,
    SubtitleTrack,
    is_subtitle_id,
)

Value = TypeVar("Value")

LONGEST_TEXT = 20_000  # characters; the longest is what a tool said last, forty lines
LONGEST_NAME = 400  # characters of a title or file name: uploads keep 200
LONGEST_URL = 2048  # characters, which uploads take: what proxies and servers commonly do
MOST_SEGMENTS = 100_000  # their object keys have five digits
MOST_RUNGS = 16
LONGEST_SIDE = 65_536  # pixels
_LARGEST = 2**63
LATEST = 1e11  # Unix seconds: some thousand years on
_OWNER = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# As uploads take it: a host, perhaps a port, and no user. The host is judged when it is called.
_URL = re.compile(r"https?://(?:\[[0-9A-Fa-f:.]+\]|[^/?#@:\[\]\\\s]+)(?::([0-9]{0,5}))?(?:[/?#][!-~]*)?")
_LAST_PORT = 65_535
_SOUND = re.compile(r"audio(?:-[1-9][0-9]{0,2})?(?:-surround)?")
_RUNG = re.compile(r"[1-9][0-9]{0,4}p")
_CODE = re.compile(r"[a-z0-9_.]{1,64}")
_WORD = re.compile(r"[A-Za-z0-9_.()+/ -]{0,64}")  # a codec, a colour, a layout: no character that separates filters
_CODEC = re.compile(r"[A-Za-z0-9.]{0,32}")  # stands in playlists
_TAG = re.compile(r"(?:[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3})?")  # of a language, in playlists as well
_NUMBER = re.compile(r"[0-9]{1,18}")
_FAULTS = (ValueError, KeyError, TypeError, AttributeError, IndexError, ArithmeticError, RecursionError)


@contextmanager
def spoiled(job_id: str) -> Iterator[None]:
    """Raise RecordError for this job in place of whatever its record makes its readers raise."""
    try:
        yield
    except _FAULTS as error:
        raise RecordError(detail=f"{job_id}: {error}") from error


def expect(holds: object, what: str) -> None:
    """Raise ValueError, inside of `spoiled`, unless it holds; `what` names the field."""
    if not holds:
        raise ValueError(f"{what} is not what was written.")


def check_job(job: Job) -> None:
    """Raise RecordError unless every field of the job is one that we could have written."""
    with spoiled(job.id):
        _check_plain(job)
        expect(is_job_id(job.id), "id")
        expect(_OWNER.fullmatch(job.owner), "owner")
        expect(len(job.title) <= LONGEST_NAME and not _CONTROL.search(job.title), "title")
        expect(len(job.filename) <= LONGEST_NAME, "filename")
        expect(job.webhook_url is None or _is_webhook(job.webhook_url), "webhook_url")
        expect(job.loudness is None or job.loudness in TARGETS, "loudness")
        expect(min(job.size, job.frames_done, job.encoder_seconds, job.in_flight) >= 0, "size")
        expect(0 <= job.issued <= MOST_SEGMENTS, "issued")
        expect(all(time is None or 0 <= time <= LATEST for time in _times(job)), "time")
        expect(all(_RUNG.fullmatch(output.rung) and output.size >= 0 for output in job.outputs), "outputs")
        expect(all(_CODE.fullmatch(known.code) for known in job.warnings), "warnings")
        check_tracks(job.added)
        made = job.subtitles_made or ()
        expect(len(made) <= MOST_SUBTITLES and all(map(is_subtitle_id, made)), "subtitles_made")
        expect(job.error is None or _CODE.fullmatch(job.error.code), "error")
        for failed in job.failed_attempts:
            task_of(job.id, failed.task)
            expect(_CODE.fullmatch(failed.code), "failed_attempts")
        if job.plan is not None:
            _check_plan(job.plan)
        if job.slim is not None:
            _check_slim(job, job.slim)


def _times(job: Job) -> Iterator[float | None]:
    yield from (job.created_at, job.started_at, job.encoding_at, job.begun_at, job.finished_at)
    yield from (failed.at for failed in job.failed_attempts)
    if job.promise is not None:
        yield from (job.promise.start_at, job.promise.ready_at)


def check_segment(segment: Segment, job_id: str) -> None:
    """Raise RecordError unless the segment is one that a plan could have."""
    with spoiled(job_id):
        _check_plain(segment)
        expect(0 <= segment.index < MOST_SEGMENTS and segment.first_frame >= 0, "index")
        expect(segment.frames >= 1 and segment.threads >= 0, "frames")


def plain(value: Value) -> Value:
    """Return what was read. Raises RecordError for a number in it that is none, and for text without end."""
    with spoiled(""):
        _check_plain(value)
    return value


def task_of(job_id: str, field: str) -> Task:
    """Return the job's task of this field. Raises RecordError for what is none."""
    with spoiled(job_id):
        task = Task.of_field(job_id, field)
        expect(is_job_id(job_id) and task.field == field and 0 <= task.index < MOST_SEGMENTS, "task")
        return task


def number_of(job_id: str, text: str) -> int:
    """Return a count. Raises RecordError for text that is none."""
    with spoiled(job_id):
        expect(_NUMBER.fullmatch(text), "count")
        return int(text)


def check_result(task: Task, result: Any) -> None:
    """Raise RecordError unless the result is one that an attempt at the task could have had."""
    with spoiled(task.job_id):
        expect(isinstance(result, dict), "result")
        _check_plain(result)
        expect(_is_count(result.get("frames", 0)) and _is_count(result.get("shown", 0)), "frames")
        expect(isinstance(result.get("detail", ""), str), "detail")
        if task.stage in {Stage.SEGMENT, Stage.EARLY_SEGMENT}:
            for name, rung in result.get("rungs", {}).items():
                expect(_RUNG.fullmatch(name) and _CODEC.fullmatch(rung["codec"]), "rungs")
                expect(all(map(_is_count, rung["fragments"])), "fragments")
        if task.stage is Stage.AUDIO:
            _check_sound(result)
            for name, track in result.get("tracks", {}).items():
                expect(_SOUND.fullmatch(name), "tracks")
                _check_sound(track)
        if task.stage is Stage.SUBTITLES:
            tracks = result.get("tracks", ())
            expect(len(tracks) <= MOST_SUBTITLES and all(map(_is_made_track, tracks)), "tracks")
            expect(all(map(is_subtitle_id, result.get("failed", ()))), "failed")
        _check_damage(result.get("damage", {"places": [], "counts": {}}))


def _check_sound(track: Mapping[str, Any]) -> None:
    expect(_CODEC.fullmatch(track.get("codec", "")), "codec")
    expect(all(_is_count(part["bytes"]) and part["seconds"] >= 0 for part in track.get("parts", ())), "parts")


def _check_damage(told: Mapping[str, Any]) -> None:
    for place in told["places"]:
        DamageKind(place["kind"])
        expect(place["start"] + place["seconds"] >= place["start"], "damage")
    for kind, count in told["counts"].items():
        expect(DamageKind(kind) and _is_count(count), "damage")


def check_plan(plan: Plan, job_id: str) -> None:
    """Raise RecordError unless the plan is one that we could have made."""
    with spoiled(job_id):
        _check_plain(plan)
        _check_plan(plan)


def _check_plan(plan: Plan) -> None:
    names = [rung.name for rung in plan.rungs]
    expect(1 <= len(names) <= MOST_RUNGS and len(set(names)) == len(names), "rungs")
    for rung in plan.rungs:
        expect(_RUNG.fullmatch(rung.name) and _is_rung(rung), "rungs")
    expect(min(plan.rate_num, plan.rate_den, plan.frames, plan.fragment_frames) > 0 <= plan.tail_frames, "frames")
    expect(1 <= plan.segment_count <= MOST_SEGMENTS, "segment_count")
    expect(all(0 <= start <= end for start, end in (*plan.without, *plan.blank)), "without")
    _check_chapters(plan.chapters)
    _check_subtitles(plan.subtitles)
    video = plan.video
    expect(min(video.width, video.height, video.display_width, video.display_height) > 0, "video")
    expect(max(video.width, video.height, video.display_width, video.display_height) <= LONGEST_SIDE, "video")
    expect(video.counted_rate is None or min(video.counted_rate) > 0, "video")
    colours = [video.colour, *(shape.colour for shape in video.shapes)]
    words = [word for colour in colours for word in (colour.matrix, colour.primaries, colour.transfer)]
    words += [plan.preset, video.codec]
    expect(all(map(_WORD.fullmatch, words)), "names")
    _check_sounds(plan.audio)


def _check_sounds(sounds: Sequence[AudioSource]) -> None:
    expect(len(sounds) <= MOST_SOUNDS, "audio")
    for sound in sounds:
        expect(min(sound.bitrate, sound.sample_rate, sound.channels, sound.source_channels) > 0, "audio")
        expect(min(sound.surround_bitrate, sound.silent_seconds) >= 0, "audio")
        expect(_WORD.fullmatch(sound.codec) and _WORD.fullmatch(sound.layout), "names")
        expect(_TAG.fullmatch(sound.language) and sound.role in {"", *ROLES}, "audio")
        expect(len(sound.title) <= NAME_LENGTH and not _CONTROL.search(sound.title), "title")


def _check_chapters(chapters: tuple[Chapter, ...]) -> None:
    expect(len(chapters) <= MOST_CHAPTERS, "chapters")
    for chapter in chapters:
        expect(0 <= chapter.start < chapter.end, "chapters")
        expect(len(chapter.title) <= NAME_LENGTH and not _CONTROL.search(chapter.title), "chapters")


def _check_subtitles(sources: tuple[SubtitleSource, ...]) -> None:
    check_tracks(tuple(source.track for source in sources))
    expect(all(_WORD.fullmatch(source.codec) for source in sources), "subtitles")


def check_tracks(tracks: tuple[SubtitleTrack, ...]) -> None:
    """Raise ValueError, inside of `spoiled`, unless these are tracks of subtitles that we could have written."""
    ids = {track.id for track in tracks}
    expect(len(ids) == len(tracks) <= MOST_SUBTITLES and all(map(is_subtitle_id, ids)), "subtitles")
    for track in tracks:
        expect(_TAG.fullmatch(track.language) and track.version >= 0, "subtitles")
        expect(len(track.title) <= NAME_LENGTH and not _CONTROL.search(track.title), "subtitles")


def _check_slim(job: Job, slim: Slim) -> None:
    names = [rung.name for rung in slim.rungs]
    expect(job.state.finished and job.plan is None, "slim")
    expect(len(names) <= MOST_RUNGS and len(set(names)) == len(names) and all(map(_RUNG.fullmatch, names)), "rungs")
    expect(all(0 < side <= LONGEST_SIDE for rung in slim.rungs for side in (rung.width, rung.height)), "rungs")
    expect(slim.frames is None or slim.frames > 0, "frames")


def _is_rung(rung: Rung) -> bool:
    sides = rung.width, rung.height
    return min(*sides, rung.maxrate, rung.bufsize) > 0 and max(sides) <= LONGEST_SIDE and rung.crf >= 0


def _is_made_track(told: Mapping[str, Any]) -> bool:
    return is_subtitle_id(told["id"]) and _is_count(told["cues"]) and _is_count(told["bytes"])


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_webhook(url: str) -> bool:
    found = _URL.fullmatch(url)
    return len(url) <= LONGEST_URL and found is not None and 0 < int(found[1] or 1) <= _LAST_PORT


def _check_plain(value: Any) -> None:
    """Raise ValueError for a number that no count, size or time can be, and for text that is none or has no end.

    By exact types, as every record that is read passes here.
    """
    kind = type(value)
    if kind is str:
        expect(len(value) <= LONGEST_TEXT and (value.isascii() or not _SURROGATE.search(value)), "text")
    elif kind is float:
        expect(math.isfinite(value), "number")
    elif kind is int:
        expect(-_LARGEST < value < _LARGEST, "number")
    elif kind is dict:
        for name, item in value.items():
            _check_plain(name)
            _check_plain(item)
    elif kind is tuple or kind is list:
        for item in value:
            _check_plain(item)
    else:
        for name in getattr(value, "__dataclass_fields__", ()):
            _check_plain(getattr(value, name))
