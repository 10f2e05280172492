"""Plans, segments and jobs survive the way to text and back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import InvalidRequestError, JobNotFoundError, RecordError
from storage.job_store.codec import (
    checked_cursor,
    cursor_of,
    decode_segment,
    encode_segment,
    fields_of_job,
    fields_of_wanted,
    job_of_fields,
    result_of_record,
    segment_of_record,
    work_of_record,
)
from storage.job_store.packed import pack, unpack
from storage.job_store.slim_codec import fields_of_slim
from storage.model.damage import Damage, DamageKind
from storage.model.job import FailedAttempt, Job, JobError, JobState, Output, Priority, Promise
from storage.model.job_fields import ADDED, FIELDS
from storage.model.job_warnings import UNNAMED, JobWarning
from storage.model.loudness import TARGETS, Loudness, Measured
from storage.model.plan import Plan, Segment
from storage.model.record_checks import check_job
from storage.model.slimming import completed, is_end_of
from storage.model.timed_text import SubtitleTrack
from storage.public.job_json import job_json, listed
from tests.support.ended import slimmed
from tests.support.jobs import make_job, make_plan, make_segments

JOB, PLAN = make_job(), make_plan()
TIMES = st.none() | st.floats(min_value=0, max_value=4e9)
TEXT = st.text(max_size=40)
LINE = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40)
CODES = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=20)
RUNGS = st.integers(1, 9999).map(lambda lines: f"{lines}p")
URLS = st.sampled_from(["http://a", "https://example.com:8443/hook?x=1", "http://[::1]:80/", "https://a.b#c"])
FIELDS_OF_TASKS = st.sampled_from(["plan:0", "segment:7", "audio:0", "poster:0", "package:0"])
WARNINGS = st.builds(JobWarning, CODES, TEXT, st.dictionaries(TEXT, st.floats(0, 4e9), max_size=2))
DAMAGE = st.builds(Damage, st.sampled_from(DamageKind), st.floats(0, 4e9), st.floats(0, 4e9))
DECIBELS = st.floats(-99, 99)
LOUDNESS = st.builds(Loudness, st.none() | DECIBELS, DECIBELS, st.none() | DECIBELS)
MEASURED = st.builds(Measured, st.sampled_from(["audio", "audio-1", "audio-1-surround"]), LOUDNESS, DECIBELS)
PROMISES = st.builds(Promise, st.floats(0, 4e9), st.floats(0, 4e9))
FAILED = st.builds(FailedAttempt, FIELDS_OF_TASKS, TEXT, st.floats(0, 4e9), CODES, TEXT)
LANGUAGES = st.sampled_from(["", "ko", "zh-Hant"])
TRACK_IDS = st.lists(st.text("abc019", min_size=1, max_size=16), unique=True, max_size=3)
KNOWN: dict[str, st.SearchStrategy[Any]] = {
    "id": st.text("0123456789abcdef", min_size=32, max_size=32),
    "owner": LINE,
    "title": LINE,
    "filename": TEXT,
    "size": st.integers(0, 2**60),
    "created_at": st.floats(min_value=0, max_value=4e9),
    "webhook_url": st.none() | URLS,
    "loudness": st.none() | st.sampled_from(TARGETS),
    "priority": st.sampled_from(Priority),
    "state": st.sampled_from(JobState),
    "started_at": TIMES,
    "encoding_at": TIMES,
    "begun_at": TIMES,
    "finished_at": TIMES,
    "plan": st.none() | st.builds(make_plan, segments=st.integers(1, 4), audio=st.booleans()),
    "frames_done": st.integers(0, 2**40),
    "issued": st.integers(0, 99_999),
    "has_poster": st.booleans(),
    "playable": st.booleans(),
    "outputs": st.lists(st.builds(Output, RUNGS, st.integers(0, 2**50)), max_size=3).map(tuple),
    "has_storyboard": st.booleans(),
    "subtitles_made": st.none() | TRACK_IDS.map(tuple),
    "warnings": st.lists(WARNINGS, max_size=3).map(tuple),
    "damage": st.lists(DAMAGE, max_size=3).map(tuple),
    "measured": st.lists(MEASURED, max_size=3).map(tuple),
    "error": st.none() | st.builds(JobError, CODES, TEXT, TEXT),
    "failed_attempts": st.lists(FAILED, max_size=3).map(tuple),
    "promise": st.none() | PROMISES,
    "encoder_seconds": st.floats(0, 4e9),
    "in_flight": st.floats(0, 1e6),
    "start_target": st.floats(0, 4e9),
    "target": st.floats(0, 4e9),
    "incomplete": st.booleans(),
    "added": TRACK_IDS.flatmap(
        lambda ids: st.tuples(
            *(st.builds(SubtitleTrack, st.just(one), st.sampled_from(["", "ko"]), LINE) for one in ids)
        )
    ),
    "slim": st.none(),
}
JOBS = st.builds(Job, **KNOWN)


def test_every_field_is_tried() -> None:
    """What follows is of all fields of the table."""
    assert tuple(KNOWN) == tuple(field.name for field in FIELDS)


def test_a_plan_from_before_turns_and_crops_leaves_them_to_ffmpeg() -> None:
    """As it was planned: segments of one job are made alike, before and after an update of Rungs."""
    fields = fields_of_job(replace(JOB, plan=make_plan()))
    kept = json.loads(unpack(fields["plan"]))
    for later in ("mirrored", "crop", "pieces", "look_seconds"):
        kept["video"].pop(later, None)
    plan = job_of_fields(fields | {"plan": json.dumps(kept)}, JOB.id).plan
    assert plan is not None
    assert (plan.video.mirrored, plan.video.crop, plan.video.pieces) == (None, None, ())


@given(JOBS)
def test_jobs_survive(job: Job) -> None:
    """From a record's fields every job comes back equal."""
    assert job_of_fields(fields_of_job(job), job.id) == job


@given(JOBS.filter(lambda job: job.state.finished and job.finished_at is not None))
def test_slim_records_keep_what_lists_show(job: Job) -> None:
    """They come back equal; no value of them is so long that Redis would keep the hash in another form.

    But for subtitles that were added, which few jobs have.
    """
    fields = fields_of_slim(job)
    assert job_of_fields(fields, job.id) == slimmed(job)
    assert max(len(text.encode()) for name, text in fields.items() if name != ADDED) <= 64
    assert listed(job_json(slimmed(job))) == listed(job_json(job))


@given(JOBS.filter(lambda job: job.state.finished and job.finished_at is not None))
def test_slim_jobs_are_completed(job: Job) -> None:
    """With their end they are as they were, but for downloads of rungs that no plan has."""
    assert is_end_of(job, slimmed(job))
    assert completed(slimmed(job), job) == replace(job, outputs=slimmed(job).outputs)


@given(st.builds(make_plan, segments=st.integers(1, 50), frames=st.integers(1, 500), audio=st.booleans()))
def test_plans_survive(plan: Plan) -> None:
    """A plan comes back equal; its segments do not make it longer."""
    fields = fields_of_job(replace(JOB, plan=plan))
    assert job_of_fields(fields, JOB.id).plan == plan
    assert len(fields["plan"]) < 250


@given(st.dictionaries(st.text(), st.text()))
def test_what_is_packed_comes_back(said: dict[str, str]) -> None:
    """Whatever it says; and JSON of before there was packing is read as it is."""
    text = json.dumps(said)
    assert unpack(pack(text)) == unpack(text) == text


@pytest.mark.parametrize(
    "spoil", ["", "2abc", "1", "1~~~~~~", "1\x00", pack('{"a":1}')[:-3], pack("{" + " " * 2**24 + "}")]
)
def test_what_was_not_packed_so_is_no_record(spoil: str) -> None:
    """Another dictionary, no deflate, cut off, or more than any record has."""
    with pytest.raises(RecordError):
        job_of_fields(fields_of_job(JOB) | {"plan": spoil}, JOB.id)


@given(
    st.builds(
        Segment,
        index=st.integers(0, 99_999),
        first_frame=st.integers(0, 2**40),
        frames=st.integers(1, 2**40),
        threads=st.integers(0, 64),
        seek=st.none() | st.floats(0, 1e6),
    )
)
def test_segments_survive(segment: Segment) -> None:
    """A segment comes back equal, to the last bit of where it is to be decoded from."""
    assert decode_segment(encode_segment(segment)) == segment


def test_warnings_kept_as_sentences_are_read() -> None:
    """Records and plans of before warnings had codes come back with the sentence."""
    kept = fields_of_job(replace(JOB, plan=make_plan())) | {"warnings": '["cut short"]'}
    kept["plan"] = json.dumps(json.loads(unpack(kept["plan"])) | {"warnings": ["two streams were dropped"]})
    job = job_of_fields(kept, JOB.id)
    assert job.plan is not None
    assert job.warnings == (JobWarning(UNNAMED, "cut short"),)
    assert job.plan.warnings == (JobWarning(UNNAMED, "two streams were dropped"),)


def test_every_task_of_encoding_is_wanted_once() -> None:
    """Poster, sound where there is some, and every segment with its frames."""
    plan = make_plan(segments=2)
    wanted = fields_of_wanted(plan, make_segments(plan), "job")
    assert {name: json.loads(text).get("frames") for name, text in wanted.items()} == {
        "poster:0": None,
        "audio:0": None,
        "segment:0": 100,
        "segment:1": 100,
    }
    assert fields_of_wanted(None, (), "job") == {}


@given(JOBS, JOBS)
def test_cursors_sort_like_creation(one: Job, other: Job) -> None:
    """The text of cursors has the order of creation (to the microsecond), and is a cursor itself."""
    earlier, later = sorted((one, other), key=lambda job: (round(job.created_at * 1e6), job.id))
    assert cursor_of(earlier) <= cursor_of(later)
    assert checked_cursor(cursor_of(one)) == cursor_of(one)


def test_a_cursor_cannot_be_made_up() -> None:
    """Bounds of Redis' own syntax are refused."""
    with pytest.raises(InvalidRequestError):
        checked_cursor("+")


def test_a_broken_record_is_not_taken_for_a_job() -> None:
    """A field of the wrong kind and no record at all raise instead of travelling on."""
    fields = fields_of_job(JOB)
    with pytest.raises(RecordError) as caught:
        job_of_fields(fields | {"frames_done": '"many"'}, JOB.id)
    assert "frames_done" in caught.value.detail
    with pytest.raises(JobNotFoundError):
        job_of_fields({}, JOB.id)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "../../etc"},
        {"owner": ""},
        {"owner": "a\nb"},
        {"title": "a\r\nSet-Cookie: b"},
        {"title": "x" * 401},
        {"webhook_url": "file:///etc/passwd"},
        {"webhook_url": "http://"},
        {"webhook_url": "http://a:b@c/"},
        {"webhook_url": "http://a:99999/"},
        {"webhook_url": "http://a/\r\nHost: b"},
        {"webhook_url": "http://[/"},
        {"size": -1},
        {"finished_at": float("nan")},
        {"created_at": 1e300},
        {"outputs": (Output("../../secret", 1),)},
        {"failed_attempts": (FailedAttempt("segment:-1", "a", 1.0, "tool_failed", "x"),)},
        {"failed_attempts": (FailedAttempt("shell:1", "a", 1.0, "tool_failed", "x"),)},
        {"error": JobError("<script>", "x")},
        {"plan": replace(PLAN, rungs=(replace(PLAN.rungs[0], name="../x"),))},
        {"plan": replace(PLAN, rungs=(PLAN.rungs[0], PLAN.rungs[0]))},
        {"plan": replace(PLAN, rungs=())},
        {"plan": replace(PLAN, rate_den=0)},
        {"plan": replace(PLAN, segment_count=10**9)},
        {"plan": replace(PLAN, video=replace(PLAN.video, codec="h264,movie=/etc/passwd"))},
        {"plan": replace(PLAN, video=replace(PLAN.video, start_time=float("inf")))},
        {"plan": replace(PLAN, preset="fast:qpfile=/etc/passwd")},
        {"plan": replace(PLAN, without=((5, 2),))},
    ],
    ids=lambda changes: repr(changes)[:60],
)
def test_a_manipulated_record_is_refused(changes: dict[str, Any]) -> None:
    """Names, addresses, numbers that we never write are this job's error, whether from Redis or from the store."""
    with pytest.raises(RecordError):
        check_job(replace(JOB, **changes))


@pytest.mark.parametrize(
    ("field", "result"),
    [
        ("segment:0", {"frames": -1}),
        ("segment:0", {"frames": 1, "rungs": {"../x": {"codec": "avc1", "fragments": [1]}}}),
        ("segment:0", {"frames": 1, "rungs": {"480p": {"codec": 'avc1"\n#EXT', "fragments": [1]}}}),
        ("segment:0", {"frames": 1, "rungs": {"480p": {"codec": "avc1", "fragments": ["1"]}}}),
        ("segment:00", {}),
        ("audio:0", {"made": True, "codec": "\n", "parts": []}),
        ("audio:0", {"made": True, "codec": "mp4a", "parts": [{"bytes": 1, "seconds": -1}]}),
        ("audio:0", {"damage": {"places": [{"kind": "odd", "start": 0, "seconds": 0}], "counts": {}}}),
        ("audio:0", []),
    ],
)
def test_a_manipulated_result_is_refused(field: str, result: Any) -> None:
    """Rungs, codecs and sizes of a result become keys and lines of playlists."""
    with pytest.raises(RecordError):
        result_of_record(JOB.id, field, json.dumps(result))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "null", '{"index": 1}', '{"index": 0, "frames": NaN}'])
def test_a_manipulated_segment_is_refused(text: str) -> None:
    """Text that is no segment, or another one than was asked for."""
    with pytest.raises(RecordError):
        segment_of_record(text, JOB.id, 0)


@pytest.mark.parametrize("change", [{0: "o", 2: "-1"}, {1: "odd"}, {9: "nan"}, {3: "1e999"}, {10: "top"}, {5: "x"}])
def test_manipulated_work_is_refused(change: dict[int, str]) -> None:
    """One job's numbers that are none, of which the forecasts of all others would be made."""
    values = ["o", "queued", "5", "1.5", "1", "2", "0", "0", "0.5", "1.0", "normal", "5.0", "6.0", "1.5", None, "2"]
    assert work_of_record(JOB.id, values, [], []).size == 5
    with pytest.raises(RecordError):
        work_of_record(JOB.id, [change.get(place, value) for place, value in enumerate(values)], [], [])
