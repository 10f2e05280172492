"""`rungs subtitles add`, `list` and `remove`: files of subtitles of a job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO
from urllib.parse import urlencode

import typer

from storage.model.languages import language_tag
from storage.model.timed_text import SUBTITLE_ID
from web.client import lines, screen, tables, texts
from web.client.answers import SeenSubtitles
from web.client.command import Caller, command
from web.client.failures import ClientError, UsageError, refusal
from web.client.job_ids import OneJobId, checked
from web.client.server import RemoteServer
from web.client.statuses import Status

_BLOCK_BYTES = 256 * 1024


def add_subtitle_commands(app: typer.Typer) -> None:
    """Add `subtitles` to the app, with commands of its own."""
    own = typer.Typer(help="Add, list and remove subtitles of a job.", no_args_is_help=True, rich_markup_mode=None)
    for name, function in (("add", _add), ("list", _list), ("remove", _remove)):
        command(own, name)(function)
    app.add_typer(own, name="subtitles")


def send_subtitles(server: RemoteServer, job_id: str, path: Path, **told: str) -> dict[str, Any]:
    """Add a file to a job; return its track. Without a language, a name such as `film.ko.srt` tells it.

    Raises ClientError.
    """
    query = {"language": language_tag(path.stem.rpartition(".")[2]), **told}
    address = f"{_address(job_id)}?{urlencode({name: value for name, value in query.items() if value})}"
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            answer = server.send(address, _blocks(file, size), {"Content-Length": str(size)}, method="POST")
    except OSError as error:
        raise ClientError(texts.CANNOT_READ % (path, error.strerror)) from error
    return server.accepted(answer)


def _add(
    caller: Caller,
    job: OneJobId,
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)],
    *,
    language: Annotated[str, typer.Option(help="Such as ko. Default: that of a name such as film.ko.srt.")] = "",
    label: Annotated[str, typer.Option(help="What the track is besides its language.")] = "",
    forced: Annotated[bool, typer.Option("--forced", help="Only what is foreign in the film.")] = False,
    sdh: Annotated[bool, typer.Option("--sdh", help="For the deaf and hard of hearing.")] = False,
) -> None:
    """Add a file of subtitles (SubRip, WebVTT, ASS, TTML) to a job; it can be watched at once."""
    (job_id,) = checked([job])
    marks = {name: "true" for name, is_set in (("forced", forced), ("sdh", sdh)) if is_set}
    told = {"label": label, **marks, **({"language": language} if language else {})}
    track = send_subtitles(caller.server, job_id, file, **told)
    if caller.as_json:
        lines.write(track)
    else:
        screen.OUT.print(tables.subtitles_table(caller.server.seen(SeenSubtitles, {"subtitles": [track]})))


def _list(caller: Caller, job: OneJobId) -> None:
    """List the subtitles of a job."""
    document = caller.server.json("GET", _address(*checked([job])))
    if caller.as_json:
        lines.write(document)
    else:
        screen.OUT.print(tables.subtitles_table(caller.server.seen(SeenSubtitles, document)))


def _remove(
    caller: Caller, job: OneJobId, track: Annotated[str, typer.Argument(metavar="TRACK", help="The track's id.")]
) -> None:
    """Remove subtitles that were added to a job."""
    if not re.fullmatch(SUBTITLE_ID, track):
        raise UsageError(texts.TRACK_ID % track)
    answer = caller.server.ask("DELETE", f"{_address(*checked([job]))}/{track}")
    if answer.status >= Status.BAD_REQUEST:
        raise refusal(answer.status, answer.document, answer.headers.get("retry-after"))
    if caller.as_json:
        lines.write({"job_id": job, "id": track})


def _address(job_id: str) -> str:
    return f"/api/jobs/{job_id}/subtitles"


def _blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield so many bytes: a file that grows while it is read is sent as it was."""
    while size > 0 and (data := file.read(min(_BLOCK_BYTES, size))):
        size -= len(data)
        yield data
