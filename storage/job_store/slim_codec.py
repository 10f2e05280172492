"""The slim record of an ended job as text and back: what lists need, packed; docs/finished-jobs.md.

Redis keeps a small hash in one piece of memory only while no value is longer than 64 bytes (hash-max-listpack-value).
A hash with one longer value takes several times the memory, so the packed text is cut.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import TypeAdapter

from storage.model.job import Job, JobError, JobState, Output, Priority, Slim, SlimRung
from storage.model.job_fields import ADDED
from storage.model.record_checks import expect
from storage.model.timed_text import SubtitleTrack

_PIECE_BYTES = 64  # Redis' own default of hash-max-listpack-value
_LONGEST_SIGN = 4  # bytes of one character in UTF-8
_FIRST = "0"  # the name of the first piece, which every slim record has
_POSTER, _PLAYABLE, _STORYBOARD = "p", "v", "s"


class _Rung(NamedTuple):
    name: str
    width: int
    height: int
    size: int | None  # bytes of its download


class _Reason(NamedTuple):
    code: str
    message: str
    values: dict[str, float]


class _Kept(NamedTuple):
    """What is packed, in this order, as a JSON array. Scripts read the first three (slim.lua).

    The last ones are left out as far as they are None, which they are of most jobs.
    """

    owner: str
    created_at: float
    finished_at: float
    started_at: float | None
    filename: str
    size: int
    frames: int | None
    frames_done: int
    made: str  # a letter for each thing that can be fetched
    rungs: tuple[_Rung, ...]
    title: str | None = None  # None where it is the file's name
    webhook_url: str | None = None
    error: _Reason | None = None
    loudness: int | None = None


_KEPT = TypeAdapter(_Kept)
_TRACKS = TypeAdapter(tuple[SubtitleTrack, ...])


def is_slim(fields: Mapping[str, str]) -> bool:
    """Tell whether the record is that of a job whose rest has moved to its objects."""
    return _FIRST in fields


def pieces_of(job: Job) -> tuple[str, ...]:
    """Return what lists need of an ended job, packed, in pieces: the fields `0`, `1`, ... of the slim record."""
    assert job.finished_at is not None  # noqa: S101 - only ended jobs are packed
    sizes = {output.rung: output.size for output in job.outputs}
    kept = _Kept(
        owner=job.owner,
        created_at=job.created_at,
        finished_at=job.finished_at,
        started_at=job.started_at,
        filename=job.filename,
        size=job.size,
        frames=job.planned_frames,
        frames_done=job.frames_done,
        made=_POSTER * job.has_poster + _PLAYABLE * job.playable + _STORYBOARD * job.has_storyboard,
        rungs=tuple(_Rung(rung.name, rung.width, rung.height, sizes.get(rung.name)) for rung in job.rungs),
        title=None if job.title == named_after(job.filename) else job.title,
        webhook_url=job.webhook_url,
        error=None if job.error is None else _Reason(job.error.code, job.error.message, job.error.values),
        loudness=job.loudness,
    )
    packed = list(_KEPT.dump_python(kept, mode="json"))
    while packed[-1] is None:
        packed.pop()
    return tuple(_cut(json.dumps(packed, ensure_ascii=False, separators=(",", ":"))))


def fields_of_slim(job: Job) -> dict[str, str]:
    """Return the slim record of an ended job."""
    own = {} if job.priority is Priority.NORMAL else {"priority": job.priority.value}
    own |= {"incomplete": "true"} if job.incomplete else {}
    own |= {ADDED: encode_tracks(job.added)} if job.added else {}
    return {"state": job.state.value, **own, **{str(place): piece for place, piece in enumerate(pieces_of(job))}}


def job_of_slim(fields: Mapping[str, str], job_id: str) -> Job:
    """Return the job of this id, whose slim record this is; ValueError, KeyError or TypeError for what is none."""
    kept = _KEPT.validate_json("".join(_pieces(fields)))
    state = JobState(fields["state"])
    expect(state.finished, "state")
    return Job(
        id=job_id,
        owner=kept.owner,
        title=named_after(kept.filename) if kept.title is None else kept.title,
        filename=kept.filename,
        size=kept.size,
        created_at=kept.created_at,
        webhook_url=kept.webhook_url,
        loudness=kept.loudness,
        priority=Priority(fields.get("priority", Priority.NORMAL)),
        state=state,
        started_at=kept.started_at,
        finished_at=kept.finished_at,
        frames_done=kept.frames_done,
        has_poster=_POSTER in kept.made,
        playable=_PLAYABLE in kept.made,
        has_storyboard=_STORYBOARD in kept.made,
        incomplete="incomplete" in fields,
        added=decode_tracks(fields.get(ADDED, "")),
        outputs=tuple(Output(rung.name, rung.size) for rung in kept.rungs if rung.size is not None),
        error=None if kept.error is None else JobError(kept.error.code, kept.error.message, values=kept.error.values),
        slim=Slim(tuple(SlimRung(rung.name, rung.width, rung.height) for rung in kept.rungs), kept.frames),
    )


def encode_tracks(tracks: tuple[SubtitleTrack, ...]) -> str:
    """Return tracks of subtitles as records have them, whole and slim ones."""
    return _TRACKS.dump_json(tracks, exclude_defaults=True).decode()


def decode_tracks(text: str) -> tuple[SubtitleTrack, ...]:
    """Return what `encode_tracks` wrote, none of an empty text."""
    return _TRACKS.validate_json(text) if text else ()


def named_after(filename: str) -> str:
    """Return the title of an upload that was given none."""
    return filename.rpartition(".")[0] or filename


def _cut(text: str) -> Iterator[str]:
    """Yield the text in pieces of at most _PIECE_BYTES."""
    signs = _PIECE_BYTES if text.isascii() else _PIECE_BYTES // _LONGEST_SIGN
    yield from (text[start : start + signs] for start in range(0, len(text), signs))


def _pieces(fields: Mapping[str, str]) -> Iterator[str]:
    place = 0
    while str(place) in fields:
        yield fields[str(place)]
        place += 1
