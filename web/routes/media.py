"""`/media/<id>/...`: what was made of a job, by internal redirect, from disk, or streamed out of the object store."""

from __future__ import annotations

import re
from contextlib import ExitStack, closing
from typing import Any, BinaryIO
from urllib.parse import quote

from flask import Blueprint, Response, request
from spectree import Response as Answers
from werkzeug.http import dump_options_header, http_date
from werkzeug.wsgi import wrap_file

from storage.captions.webvtt import as_segment
from storage.errors import BusyError, ObjectNotFoundError
from storage.model.job import Job, JobState
from storage.model.record_checks import spoiled
from storage.model.timed_text import SUBTITLE_ID
from storage.objects import keys
from storage.objects.contract import ObjectInfo
from storage.objects.seekable import SeekableObject
from storage.public.hls import MASTER, playlist
from storage.public.hls_subtitles import ADDED_SEGMENT, added_playlist, with_added
from storage.services.playing import playing
from web.context import Web, current
from web.http.addresses import client
from web.http.openapi import MediaFile, Problem, spec
from web.http.ranges import is_one_range
from web.routes.owned import owned_job
from web.schemas.jobs import MEDIA_NAME, MediaQuery

_TYPES = {
    "mp4": "video/mp4",
    "m4s": "video/iso.segment",
    "jpg": "image/jpeg",
    "vtt": "text/vtt",
    "json": "application/json",
    "m3u8": "application/vnd.apple.mpegurl",
}
IMMUTABLE = "private, max-age=31536000, immutable"  # a ready job's files never change
# nginx opens the signed address at once; minutes only cover clocks that differ.
REDIRECT_SECONDS = 300
_HLS = "hls/"
_POSTER = "poster.jpg"
_MASTER = f"{_HLS}{MASTER}"
# Where an added track is: whole, or as a stream.
_ADDED = re.compile(
    rf"subtitles/(?P<track>{SUBTITLE_ID})\.vtt|hls/subtitles-(?P<stream>{SUBTITLE_ID})/(?P<file>index\.m3u8|{ADDED_SEGMENT})"
)

blueprint = Blueprint("media", __name__)


def is_media_name(name: str) -> bool:
    """Tell whether the name is one that a job can have."""
    return re.fullmatch(MEDIA_NAME, name) is not None


@blueprint.get("/media/<job_id>/<path:name>")
@spec.validate(
    query=MediaQuery,
    resp=Answers(
        HTTP_200=MediaFile,
        HTTP_206=MediaFile,
        HTTP_304=None,
        HTTP_404=Problem,
        HTTP_416=Problem,
        HTTP_503=Problem,
    ),
    tags=["media"],
)
def get_media(job_id: str, name: str) -> Response:
    """Deliver an MP4, a playlist, the poster, the storyboard or the report. Ranges; `?download` names it for saving."""
    web = current()
    job = owned_job(web, job_id)
    if not is_media_name(name):
        raise ObjectNotFoundError
    if (answer := _with_added(web, job, name)) is not None:
        return answer
    # Those of a ready job are stored, so that its film is not read from the record at each showing.
    if name.endswith(".m3u8") and job.state is not JobState.READY:
        return _playlist(web, job, name)
    _forget_other_ranges()
    info = _stored(web, job_id, name)
    kind = _TYPES[name.rpartition(".")[2]]
    answer = _redirect(web, info.key, kind) or _delivered(web, info, kind)
    lasts = job.state is JobState.READY and name != _MASTER  # to that one, subtitles may be added
    answer.headers["Cache-Control"] = IMMUTABLE if lasts else "no-cache"
    answer.headers.pop("Content-Disposition", None)  # Flask names the file even where nothing is to be saved
    if "download" in request.args:
        answer.headers["Content-Disposition"] = disposition(job, name)
    return answer


def _stored(web: Web, job_id: str, name: str) -> ObjectInfo:
    """Return what is stored under the name: as long as no poster is, what stands for it."""
    try:
        return web.services.objects.stat(keys.rendition(job_id, name))
    except ObjectNotFoundError:
        if name != _POSTER:
            raise
    return web.services.objects.stat(keys.early_poster(job_id))


def _forget_other_ranges() -> None:
    """Take the header Range from the present request unless it is a GET for one range of bytes.

    Werkzeug answers 416 to what is to be ignored: other units, lists of ranges, and methods that know no ranges.
    """
    wanted = request.headers.get("Range")
    if wanted is not None and not (request.method == "GET" and is_one_range(wanted)):
        del request.environ["HTTP_RANGE"]


def _playlist(web: Web, job: Job, name: str) -> Response:
    """Make the playlist as it is now: it grows with every segment until all are encoded."""
    text, played = None, playing(web.services.jobs, job)
    if played is not None:
        with spoiled(job.id):
            text = playlist(name.removeprefix(_HLS), *played, ended=job.state is JobState.PACKAGING)
    if text is None:
        raise ObjectNotFoundError
    return changing(with_added(text, job.added) if name == _MASTER and job.added else text, "m3u8")


def _with_added(web: Web, job: Job, name: str) -> Response | None:
    """Answer what there is only, or otherwise, because of subtitles that were added to the job; else None."""
    if not job.added or name.endswith(".mp4"):
        return None
    if name == _MASTER and job.state is JobState.READY:
        stored = b"".join(web.services.objects.read(keys.rendition(job.id, name)))
        return changing(with_added(stored.decode(), job.added), "m3u8")
    found = _ADDED.fullmatch(name)
    if found is None or (found["track"] or found["stream"]) not in {track.id for track in job.added}:
        return None
    if found["file"] == "index.m3u8":
        plan = web.views.whole(job).plan
        if plan is None:
            raise ObjectNotFoundError
        return changing(added_playlist(plan.duration), "m3u8")
    whole = b"".join(web.services.objects.read(keys.added_subtitle(job.id, found["track"] or found["stream"])))
    answer = changing(whole if found["track"] else as_segment(whole), "vtt")
    if "download" in request.args:
        answer.headers["Content-Disposition"] = disposition(job, name)
    return answer


def changing(text: str | bytes, kind: str) -> Response:
    """Answer with a small text that may be another one the next time."""
    answer = Response(text, mimetype=_TYPES[kind])
    answer.headers["Cache-Control"] = "no-cache"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


def disposition(job: Job, name: str) -> str:
    """Return a Content-Disposition (RFC 6266) that saves the file as the job's title and the file's own name."""
    wanted = f"{job.title} {name.rpartition('/')[2]}".replace("/", "-").replace("\\", "-")
    plain = wanted.encode("ascii", "replace").decode().replace("?", "_").replace('"', "'")
    header = dump_options_header("attachment", {"filename": plain})
    return header if plain == wanted else f"{header}; filename*=UTF-8''{quote(wanted, safe='')}"


def _redirect(web: Web, key: str, kind: str) -> Response | None:
    """Let nginx deliver, from the store or from its folder; None where no nginx stands in front."""
    location = web.settings.media_redirect
    if not location:
        return None
    signed = web.services.objects.redirect_path(key, seconds=REDIRECT_SECONDS)
    answer = Response(mimetype=kind)
    answer.headers["X-Accel-Redirect"] = location + (signed or key).lstrip("/")
    return answer


def _delivered(web: Web, info: ObjectInfo, kind: str) -> Response:
    """Send the object from here. Raises BusyError while as many are being sent as there are threads for."""
    if not web.deliveries.acquire(blocking=False):
        raise BusyError(reason="downloads")
    with ExitStack() as sent:
        sent.callback(web.deliveries.release)
        sent.enter_context(web.shares.hold(client()))
        source = sent.enter_context(closing(_source(web, info)))
        answer = _streamed(source, info, kind)
        body: Any = answer.response
        # Not call_on_close: what is passed through to the server as it is, the server closes, not the answer.
        sent.callback(body.close)
        body.close = sent.pop_all().close
    return answer


def _source(web: Web, info: ObjectInfo) -> BinaryIO | SeekableObject:
    """Return the object as a file: opened, not a path, as a link that somebody puts in its place is not followed."""
    objects = web.services.objects
    return objects.open_local(info.key) or SeekableObject(objects, info.key)


def _streamed(source: BinaryIO | SeekableObject, info: ObjectInfo, kind: str) -> Response:
    body = source if isinstance(source, SeekableObject) else wrap_file(request.environ, source)
    answer = Response(body, mimetype=kind, direct_passthrough=True)
    answer.content_length = info.size
    answer.set_etag(f"{info.size:x}-{int(info.modified_at * 1000):x}")
    answer.headers["Last-Modified"] = http_date(info.modified_at)
    answer.make_conditional(request.environ, accept_ranges=True, complete_length=info.size)
    return answer
