"""A job's public JSON in words, in the language of the request: the one place that says how a job is."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from babel.numbers import format_decimal, format_percent
from babel.units import format_unit
from flask_babel import format_date, format_time

from storage.error_sentences import key_of
from storage.errors import UploadExpiredError
from storage.media_errors import MediaError
from storage.model.job_warnings import ONE
from storage.model.plan import HDR_TRANSFERS
from storage.sentences import Told, ToldWarning, clock, shown
from web.words.language import DEFAULT_LANGUAGE, language
from web.words.texts import TEXTS
from web.words.track_words import translated

# Failures where another try ends the same way: the pages advise another upload instead of a retry.
FINAL_CODES = frozenset(
    {UploadExpiredError.code, MediaError.code, *(kind.code for kind in MediaError.__subclasses__())}
)
STEPS = ("uploading", "queued", "planning", "encoding", "packaging", "ready")
FINISHED = ("ready", "failed", "cancelled")

_NAMES = re.compile(r"%\((\w+)\)s")
_BYTE_UNITS = ("byte", "kilobyte", "megabyte", "gigabyte", "terabyte")
_NAMED_PLACES = 5  # from the sixth on, places in the line are numbers
_MOMENT = 5  # seconds; a shorter estimate is noise
_MINUTE = 60
_HOUR = 3600

# Names that are not just the codec's id in capitals.
CODECS = {
    "h264": "H.264",
    "hevc": "H.265",
    "mpeg4": "MPEG-4",
    "mpeg2video": "MPEG-2",
    "mpeg1video": "MPEG-1",
    "mjpeg": "Motion JPEG",
    "prores": "ProRes",
    "theora": "Theora",
    "vorbis": "Vorbis",
    "opus": "Opus",
}

Job = Mapping[str, Any]


def known(key: str, values: Collection[str]) -> bool:
    """Tell whether there is a text under the key that values of these names fill."""
    return key in TEXTS and {match[1] for match in _NAMES.finditer(str(TEXTS[key]))} <= set(values)


def text(key: str, **values: object) -> str:
    """Return one text in the request's language, filled in."""
    found = str(TEXTS[key])
    return found % values if values else found


def size(count: float | None) -> str:
    """Return a number of bytes as people write it, such as `12.3 MB`."""
    if count is None:
        return text("size.unknown")
    power = 0
    while count >= 1000 and power < len(_BYTE_UNITS) - 1:  # noqa: PLR2004 - decimal units, as CLDR words them
        count, power = count / 1000, power + 1
    pattern = "#,##0.#" if power > 1 else "#,##0"
    return format_unit(count, f"digital-{_BYTE_UNITS[power]}", length="short", format=pattern, locale=language())


def duration(seconds: float) -> str:
    """Return a length of time in the two largest units that matter, such as `1 hour 20 minutes`."""
    whole = max(1, round(seconds))
    if whole < _HOUR:
        parts = (whole // _MINUTE, "minute"), (whole % _MINUTE, "second")
    else:
        minutes = round(whole / _MINUTE)
        parts = (minutes // _MINUTE, "hour"), (minutes % _MINUTE, "minute")
    return " ".join(_time_unit(count, f"duration-{unit}") for count, unit in parts if count)


def _time_unit(count: int, unit: str) -> str:
    """Return a count of a unit; languages whose long form is the short one have that alone, and Babel the unit's id."""
    long = format_unit(count, unit, length="long", locale=language())
    return format_unit(count, unit, length="short", locale=language()) if unit in long else long


def about(seconds: float) -> str:
    """Return an estimate in words, no more exact than estimates are: 5 s steps, minutes from one minute on."""
    step = 5 if seconds < _MINUTE - 2 else _MINUTE
    return duration(max(step, round(seconds / step) * step))


def percent(fraction: float) -> str:
    """Return 0..1 in per cent; 100 % only when nothing is missing."""
    return str(format_percent(int(fraction * 100) / 100, locale=language()))


def when(stamp: str) -> str:
    """Return an RFC 3339 time in the request's language, in UTC: only the browser knows the visitor's zone."""
    moment = datetime.fromisoformat(stamp)
    return f"{format_date(moment)} {format_time(moment, 'short')} UTC"


def headline(job: Job) -> str:
    """Return in one line what happens to the job now and when it will be ready."""
    state, eta = job["state"], job["eta_seconds"]
    if not came_whole(job):
        return text("done.incomplete") if state in FINISHED else _uploading(job["upload"])
    if state in FINISHED:
        took = _seconds_between(job["started_at"], job["finished_at"]) if state == "ready" else None
        return text(f"done.{state}") if took is None else text("done.took", duration=duration(took))
    if eta is not None and waits(job):
        return _waiting(job, eta)
    if state == "encoding" and eta is not None:
        return text("eta.moment") if eta < _MOMENT else text("eta.ready_in", duration=about(eta))
    return _doing(job)


def _waiting(job: Job, eta: float) -> str:
    """Return the line of a job that no encoder has begun with."""
    start = job["starts_in_seconds"]
    if start is None or start < _MOMENT:
        return text("line.ready_in", line=_doing(job), duration=about(eta))
    return text("line.starts_in", line=_doing(job), start=about(start), duration=about(eta))


def _uploading(upload: Mapping[str, Any] | None) -> str:
    """Return how much of a video has come; None where nothing is known of it."""
    if upload is None:
        return text("state.uploading")
    received, length = upload["received"], upload["length"]
    if received == length:
        return text("doing.uploading_all")
    key = "doing.uploading_any" if length is None else "doing.uploading"
    line = text(key, received=size(received), length=size(length))
    return line if upload["moving"] else text("doing.uploading_rests", line=line)


def came_whole(job: Job) -> bool:
    """Tell whether the file of the job came whole: one that is over can be started again then."""
    over = job["state"] in {"failed", "cancelled"}
    return job["links"]["retry"] is not None if over else bool(job["state"] != "uploading")


def fraction(job: Job) -> float:
    """Return what the job's bar shows, 0..1: what has come of its file, or what is done of it."""
    upload = job["upload"]
    if upload is None:
        return float(job["progress"])
    return min(1.0, upload["received"] / upload["length"]) if upload["length"] else 0.0


def _doing(job: Job) -> str:
    if waits(job):
        return place(job["queue_position"])
    return text(f"doing.{job['state']}")


def waits(job: Job) -> bool:
    """Tell whether the job stands in line: no encoder has begun with it, and it is not being planned."""
    planned = job["state"] == "encoding" and all(rung["state"] == "waiting" for rung in job["rungs"])
    return planned or bool(job["state"] == "queued")


def _seconds_between(start: str | None, end: str | None) -> float | None:
    if start is None or end is None:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def row_line(job: Job) -> str:
    """Return the line of a job in a list: as `headline`, but why it failed."""
    return reason(job["error"]) if job["error"] else headline(job)


def in_row(job: Job) -> dict[str, Any]:
    """Return what a row of a list says of the job, and whether it is one of those that wait."""
    return {
        "state": text(f"state.{job['state']}"),
        "size": size(job["size"] or None),
        "percent": percent(fraction(job)),
        "fraction": fraction(job),
        "headline": row_line(job),
        "waits": waits(job),
    }


def picture_line(job: Job) -> str:
    """Return what stands where the video will be."""
    if job["state"] in {"failed", "cancelled"}:
        return text("picture.none")
    return text("picture.later")


def plan(job: Job) -> str:
    """Return the plan in one sentence: the source, its length and sound, and what it becomes."""
    facts = job["plan"]
    found = facts["source"]
    codec = CODECS.get(found["codec"], found["codec"].upper())
    source = text(
        "plan.source",
        size=text("rung.size", width=found["width"], height=found["height"]),
        codec=" ".join((codec, *(text(key) for key in _traits(found)))),
        rate=format_decimal(facts["frame_rate"], format="0.##", locale=language()),
        duration=duration(facts["duration"]),
        sound=_sound(facts["audio"]),
    )
    return text("plan.becomes", source=source, rungs=", ".join(rung["name"] for rung in job["rungs"]))


def _traits(source: Mapping[str, Any]) -> list[str]:
    traits = {"plan.interlaced": source["interlaced"], "plan.hdr": source["transfer"] in HDR_TRANSFERS}
    return [key for key, present in traits.items() if present]


def _sound(audio: Mapping[str, Any] | None) -> str:
    if audio is None:
        return text("plan.no_sound")
    key = {1: "plan.mono", 2: "plan.stereo"}.get(audio["channels"], "plan.channels")
    codec = CODECS.get(audio["codec"], audio["codec"].upper())
    return text(key, codec=codec, n=audio["channels"])


def best_rung(job: Job) -> Mapping[str, Any] | None:
    """Return the rung the player begins with, None while there is nothing to play."""
    return next((rung for rung in job["rungs"] if rung["url"]), None)


def place(position: int | None) -> str:
    """Return the job's place in the line in words."""
    if position is None:
        return text("line.unknown")
    return text(f"line.{position}") if position <= _NAMED_PLACES else text("line.n", n=position)


def reason(error: Told) -> str:
    """Return why a job failed, or an upload is refused, in one sentence of the request's language."""
    if language() == DEFAULT_LANGUAGE:
        return str(error["message"])
    return _told(f"error.{key_of(error['code'], error['message'])}", error)


def warned(warning: ToldWarning) -> str:
    """Return a job's warning in the request's language."""
    key = f"warning.{warning['code']}"
    one = key + ONE
    return _told(one if warning["values"].get("n") == 1 and one in TEXTS else key, warning)


def _told(key: str, said: Told | ToldWarning) -> str:
    """Return a text with its values; the server's own sentence where there is no such text, or not its values."""
    values = translated(shown(said["values"], _number))
    return text(key, **values) if known(key, values) else str(said["message"])


def _number(value: float) -> str:
    return str(format_decimal(value, format="#,##0.#", locale=language()))


def begins_at(chapter: Mapping[str, Any]) -> str:
    """Return when a chapter begins, to the nearest second: it may be off by an encoder's run-in."""
    return clock(chapter["start"] + 0.5)


def advice(error: Mapping[str, Any]) -> str:
    """Return what the visitor can do about a failed job."""
    if error["code"] == UploadExpiredError.code:
        return text("next.upload")
    return text("next.media" if error["code"] in FINAL_CODES else "next.attempt")


def step_class(job: Job, step: str) -> str:
    """Return `done`, `now`, `failed`, `cancelled`, or nothing: how the stepper shows one step of the job."""
    here = STEPS.index(stopped_at(job))
    index = STEPS.index(step)
    if index < here or (job["state"] == "ready" and step != "ready"):
        return "done"
    if index > here:
        return ""
    return {"ready": "now ready", "failed": "now failed", "cancelled": "now cancelled"}.get(job["state"], "now")


def stopped_at(job: Job) -> str:
    """Return the step the job is at; for a failed or cancelled one, the step where it ended, as its record shows."""
    if job["state"] in STEPS:
        return str(job["state"])
    if not came_whole(job):
        return "uploading"
    if job["started_at"] is None:
        return "queued"
    if job["plan"] is None:
        return "planning"
    return "packaging" if all(rung["progress"] >= 1 for rung in job["rungs"]) else "encoding"
