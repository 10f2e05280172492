"""What is fed with garbage: everything that reads names, ranges, cursors and records. It answers, or raises ours.

What passes is used as the product uses it: as a key, a header, a playlist, JSON, an address. That may not fail either.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Any, cast

from pydantic import TypeAdapter

from storage.errors import RungsError
from storage.job_store.codec import (
    checked_cursor,
    cursor_of,
    encode_segment,
    fields_of_job,
    job_of_fields,
    result_of_record,
    segment_of_record,
    work_of_record,
)
from storage.job_store.slim_codec import fields_of_slim
from storage.model.event import checked_event_id, event_of_fields, event_order
from storage.model.job import FailedAttempt, Job, JobError, JobState, Output, Promise
from storage.model.job_warnings import warning
from storage.model.names import AttemptName, WorkerName
from storage.model.record_checks import spoiled, task_of
from storage.model.shown_text import clean_text
from storage.objects import keys
from storage.objects.contract import ObjectStore
from storage.objects.manifests import Manifest, read_manifest
from storage.public.hls import playlists
from storage.public.job_json import job_json
from tests.fuzz import garbage
from tests.support.jobs import SOUND, make_job, make_plan, make_segments
from web.routes.media import disposition, is_media_name
from web.upload.file_name import file_name, text_of
from web.upload.form_fields import checked_webhook_url, display_filename, title_of
from workers.sandbox.relay import asked_range
from workers.webhooks.notifier import body_of, headers_of
from workers.webhooks.sender import receiver_of

PLAN = replace(make_plan(segments=2), audio=(SOUND, replace(SOUND, language="de", title="Talk", role="comment")))
JOB = make_job(
    id="0123456789abcdef0123456789abcdef",
    filename="film.mp4",
    title="Film",
    state=JobState.ENCODING,
    webhook_url="https://example.org:8443/hook?a=1",
    started_at=1_790_000_001.0,
    plan=PLAN,
    outputs=(Output("480p", 5),),
    warnings=(warning("audio_left_out", n=2),),
    error=JobError("tool_failed", "It broke.", "line", {"n": 1.0}),
    failed_attempts=(FailedAttempt("segment:0", "host_1_00ff00ff", 1_790_000_002.0, "tool_failed", "x"),),
    promise=Promise(1_790_000_003.0, 1_790_000_004.0),
)
_RUNGS = {rung.name: {"codec": "avc1.640028", "fragments": [100, 50]} for rung in PLAN.rungs}
_TRACK = {"codec": "mp4a.40.2", "parts": [{"bytes": 9, "seconds": 6.67}]}
_PLACES = {"places": [{"kind": "sound_missing", "start": 1.0, "seconds": 2.0}], "counts": {"sound_missing": 1}}
RESULTS: dict[str, Any] = {
    "segment:0": {"frames": 100, "rungs": _RUNGS, "seconds": 1.5, "damage": _PLACES},
    "segment:1": {"frames": 100, "rungs": _RUNGS, "shown": 90},
    "audio:0": {"made": True, **_TRACK, "complete": True, "tracks": {"audio-1": _TRACK}},
    "poster:0": {"made": True},
}
_WORK = ["local", "encoding", "5", "1.5", "1", "2", "0", "0", "0.5", "1.0", "normal", "5.0", "6.0"]
_URL = "https://example.org:8443/hook?a=1"
_DISPOSITION = 'form-data; name="file"; filename="film.mp4"; filename*=UTF-8\'\'%e2%82%ac.mp4'
_MANIFESTS = TypeAdapter(Manifest)


def names(random: Random) -> None:
    """Names of files, titles, media and keys."""
    raw = _on_the_wire(garbage.text(random, _DISPOSITION))
    name = display_filename(file_name(raw, random.choice((None, "film.mp4", raw[-20:]))) or "")
    title = title_of(clean_text(text_of(_on_the_wire(garbage.text(random, "My film")))), name)
    header = disposition(replace(JOB, title=title), "480p.mp4")
    assert not set("\r\n\0") & set(header + title + name), (header, title, name)
    asked = garbage.text(random, random.choice(("480p.mp4", "hls/480p/00001.m4s", "hls/master.m3u8", "poster.jpg")))
    if is_media_name(asked):
        keys.checked_key(keys.rendition(JOB.id, asked))
    for check in (keys.checked_key, keys.checked_prefix):
        for found in _passed(lambda check=check: check(garbage.text(random, "renditions/0123/480p.mp4"))):  # type: ignore[misc]
            assert ".." not in found.rpartition("/")[0].split("/"), found
    for found in _passed(lambda: task_of(JOB.id, garbage.text(random, "segment:12"))):
        keys.checked_key(keys.segment(JOB.id, "480p", found.index))
    AttemptName.of(garbage.text(random, "host_1_00ff00ff"))
    WorkerName.of(garbage.text(random, "host:12"))


def addresses(random: Random) -> None:
    """Addresses of webhooks."""
    for url in _passed(lambda: checked_webhook_url(garbage.text(random, _URL))):
        if url:
            receiver_of(url)


def ranges(random: Random) -> None:
    """Ranges of bytes that a tool asks the relay for."""
    size = random.choice((0, 1, 1000, 2**40))
    start, end = asked_range(garbage.text(random, random.choice(("bytes=0-9", "bytes=5-", "bytes=-7"))), size)
    assert 0 <= start <= end <= size, (start, end, size)


def cursors(random: Random) -> None:
    """Places in lists and streams."""
    for cursor in _passed(lambda: checked_cursor(garbage.text(random, cursor_of(JOB)))):
        assert cursor.isascii(), cursor
    for event in _passed(lambda: checked_event_id(garbage.text(random, "1790000000000-0"))):
        event_order(event)


def jobs(random: Random) -> None:
    """Job records in Redis."""
    fields = fields_of_job(JOB)
    for name in random.sample(sorted(fields), random.randint(1, 2)):
        try:
            right = json.loads(fields[name])
        except ValueError:
            fields[name] = garbage.text(random, fields[name])
        else:
            fields[name] = garbage.as_json(random, right)
    for job in _passed(lambda: job_of_fields(fields, JOB.id)):
        _use(job)


def slim_jobs(random: Random) -> None:
    """Slim records in Redis of jobs that ended."""
    ended = replace(JOB, state=random.choice((JobState.READY, JobState.FAILED)), finished_at=1_790_000_009.5)
    fields = fields_of_slim(ended)
    packed = "".join(fields.pop(name) for name in sorted(fields, key=len) if name.isdigit())
    fields["0"] = garbage.as_json(random, json.loads(packed))
    if random.random() < 0.1:
        fields["state"] = garbage.text(random, fields["state"])
    for job in _passed(lambda: job_of_fields(fields, JOB.id)):
        assert job.state.finished, job.state
        _use(job)


def parts(random: Random) -> None:
    """Segments, results, work and events in Redis."""
    segment = json.loads(encode_segment(make_segments(PLAN)[1]))
    for _ in _passed(lambda: segment_of_record(garbage.as_json(random, segment), JOB.id, 1)):
        pass
    field = random.choice(list(RESULTS))
    for result in _passed(lambda: result_of_record(JOB.id, field, garbage.as_json(random, RESULTS[field]))):
        with spoiled(JOB.id):  # as its callers do
            for text in playlists(PLAN, RESULTS | {field: result}).values():
                assert not any(line.startswith(odd) for line in text.splitlines() for odd in ("<", "/", "..")), text
    work = [garbage.text(random, told) if random.random() < 0.1 else told for told in _WORK]
    held, out = ["segment:0", "host_1_00ff"], ["audio:0", "5"]
    for _ in _passed(lambda: work_of_record(JOB.id, work, held, [*out, garbage.text(random, "segment:1"), "7"])):
        pass
    entry = {"job": JOB.id, "type": "state", "data": '{"state": "ready"}'}
    entry[random.choice(list(entry))] = garbage.as_json(random, {"state": "ready"})
    for _ in _passed(lambda: event_of_fields("1-0", entry)):
        pass


class _Store:
    """An object store that holds one manifest."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:  # noqa: ARG002
        """See ObjectStore.read."""
        return iter((self._data,))


def manifests(random: Random) -> None:
    """Manifests in the object store."""
    data = garbage.as_json(random, _manifest()).encode("utf-8", "surrogatepass")
    for manifest in _passed(lambda: read_manifest(cast("ObjectStore", _Store(data)), keys.manifest(JOB.id), JOB.id)):
        _use(manifest.job)


TARGETS: Mapping[str, Callable[[Random], None]] = {
    target.__name__: target for target in (names, addresses, ranges, cursors, jobs, slim_jobs, parts, manifests)
}


def tried(seed: int) -> str | None:
    """Try the case of this seed; return what went wrong: an error that is not ours, or a promise that was not kept."""
    random = Random(seed)
    name = random.choice(list(TARGETS))
    try:
        TARGETS[name](random)
    except RungsError:
        return None
    except Exception as error:  # noqa: BLE001 - these are what is looked for
        return f"{name}: {type(error).__name__}: {str(error)[:300]}"
    return None


def _manifest() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_MANIFESTS.dump_json(Manifest(job=JOB, segments=make_segments(PLAN))))
    return found


def _on_the_wire(text: str) -> str:
    """Return the text as the parser of forms hands it on: each byte as a character."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _passed(read: Callable[[], Any]) -> Iterator[Any]:
    """Yield what was read, nothing where our own error was raised."""
    try:
        found = read()
    except RungsError:
        return
    yield found


def _use(job: Job) -> None:
    """Do with a job that was read what the product does with it."""
    json.dumps(job_json(job)).encode()
    headers = headers_of(replace(job, finished_at=job.finished_at or 0.0))
    body_of(job)
    assert not any("\n" in value for value in headers.values())
    assert "\n" not in disposition(job, "480p.mp4")
    if job.webhook_url is not None:
        receiver_of(job.webhook_url)
    if job.plan is not None:
        for rung in job.plan.rungs:
            keys.checked_key(keys.segment(job.id, rung.name, job.plan.segment_count - 1))
