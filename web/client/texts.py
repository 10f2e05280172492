"""What the command line says, and how it writes sizes, times and names. Pure; English, as `rungs --help` is.

Whatever a server sends may be hostile: `plain` takes out of it what a terminal would obey.
"""

from __future__ import annotations

import unicodedata

from web.client.answers import SeenJob, SeenUpload
from web.client.statuses import Status

NO_DETAIL = "The server answered with status %s and did not say why."
NOT_RUNGS = "%s answers, but not as Rungs does."
NOT_RUNGS_ADVICE = "Is the address right? Name it by --server or RUNGS_SERVER."
UNREACHABLE = "%s does not answer: %s."
UNREACHABLE_ADVICE = "Is the server running? Name another one by --server or RUNGS_SERVER."
AGAIN_ADVICE = "Run the same command again: the upload goes on where it stopped."
CHANGED = "%s was changed while it was sent, so the upload was given up."
CHANGED_ADVICE = "Upload it again when nobody writes to it any more."
SERVER_URL = "--server is http:// or https:// with a host, and without user name, query or fragment."
TOKEN = "--token is what a header can hold: visible ASCII without spaces."  # noqa: S105 - a sentence
JOB_ID = "%s is no job's id, which has 32 of the digits 0-9 and a-f. `rungs jobs` lists them."
ONE_TITLE = "--title is for one file."
ONE_VIDEO = "--subtitles is for one video."
TRACK_ID = "%s is no id of subtitles. `rungs subtitles list JOB` lists them."
RUNG = "%s is no rung's name, such as 720p."
NO_RUNG = "This job has no %s."
NO_RUNG_ADVICE = "It has %s."
NOT_READY = "This job is %s, so that there is nothing to download yet."
NOT_READY_ADVICE = "Wait for it: rungs watch %s"
JOB_FAILED = "Not every job became a video."
JOB_FAILED_ADVICE = "`rungs show JOB` says why; `rungs retry JOB` starts one again."
CANNOT_WRITE = "%s cannot be written: %s."
CANNOT_READ = "%s cannot be read: %s."
NO_FILE = "it is no regular file"
INTERRUPTED = "Interrupted."
NOT_REMEMBERED = "Uploads cannot be remembered in %s (%s), so a killed one will begin anew."
UPLOAD_ENDED = "The upload of %s was cancelled at the server."
UPLOAD_ENDED_ADVICE = "Run the same command again to upload it from the beginning."
BEGUN = "%s is job %s, which can be watched already."
UPLOAD_GONE = "The server has no such upload any more; it begins anew."

_ADVICE: dict[int, str] = {
    Status.UNAUTHORIZED: "Name the right token by --token or RUNGS_TOKEN.",
    Status.FORBIDDEN: "Name the right token by --token or RUNGS_TOKEN.",
    Status.NOT_FOUND: "`rungs jobs` lists the jobs there are.",
    Status.CONFLICT: "`rungs show JOB` says in which state it is.",
}
_LATER = "Try again in %s."
_JOINERS = "\u200c\u200d"  # letters of several scripts and emoji are joined by them
# Controls, formats (which turn the direction of reading around), surrogates, private, unassigned, separators of lines.
_OBEYED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_STEP = 1000
_MINUTE, _HOUR = 60, 3600


def plain(text: str) -> str:
    """Return the text on one line, without anything that a terminal obeys instead of showing it."""
    spaced = " ".join(text.split())
    return "".join(sign for sign in spaced if sign in _JOINERS or unicodedata.category(sign) not in _OBEYED)


def advice(status: int, retry_after: float | None) -> str:
    """Return what to do about a refusal, nothing where its own sentence says all."""
    if retry_after is not None:
        return _LATER % duration(retry_after)
    return _ADVICE.get(status, "")


def size(count: float) -> str:
    """Return a number of bytes as people write it, such as `12.3 MB`."""
    power = 0
    while count >= _STEP and power < len(_UNITS) - 1:
        count, power = count / _STEP, power + 1
    return f"{count:.1f} {_UNITS[power]}" if power > 1 else f"{count:.0f} {_UNITS[power]}"


def duration(seconds: float) -> str:
    """Return a length of time in the two largest units that matter, such as `1 h 20 min`."""
    whole = max(1, round(seconds))
    if whole < _HOUR:
        parts = (whole // _MINUTE, "min"), (whole % _MINUTE, "s")
    else:
        minutes = round(whole / _MINUTE)
        parts = (minutes // _MINUTE, "h"), (minutes % _MINUTE, "min")
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def percent(fraction: float) -> str:
    """Return 0..1 in per cent; 100 % only when nothing is missing."""
    return f"{int(min(1.0, max(0.0, fraction)) * 100)} %"


def came(upload: SeenUpload) -> str:
    """Return how much of a file has come."""
    whole = "" if upload.length is None else f" of {size(upload.length)}"
    rests = "" if upload.moving else ", nothing comes at the moment"
    return f"{size(upload.received)}{whole}{rests}"


def headline(job: SeenJob) -> str:
    """Return in one line how a job is, and when it is expected to be ready."""
    if job.error is not None:
        return f"{job.state}: {plain(job.error.message)}"
    if job.is_over:
        return str(job.state)
    if job.upload is not None:
        return f"{job.state}, {came(job.upload)}"
    place = None if job.queue_position is None else f"place {job.queue_position} in the line"
    start = None if job.starts_in_seconds is None else f"starts in about {duration(job.starts_in_seconds)}"
    ready = None if job.eta_seconds is None else f"ready in about {duration(job.eta_seconds)}"
    return ", ".join(part for part in (str(job.state), place, start, ready) if part is not None)
