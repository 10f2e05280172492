"""The commands of a user: upload, watch, jobs, show, cancel, retry, download, queue; docs/cli.md."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from storage.model.job import JobState
from web.client import downloading, lines, screen, tables, texts, uploading, watching
from web.client.answers import RUNG_NAME, JobsPage, SeenJob, SeenQueue, WholeJob
from web.client.command import Caller, command, finish
from web.client.failures import ClientError, Exit, InterruptedByUser, RefusedError, UsageError
from web.client.job_ids import JobIds, OneJobId, checked
from web.client.remembered import Remembered, Wishes, state_folder
from web.client.subtitles import add_subtitle_commands, send_subtitles
from web.client.tus import Uploads

PAGE_LIMIT = 100  # jobs that the API gives at once
MOST_JOBS = 10_000  # that one list shows

Files = Annotated[list[Path], typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)]


class LoudnessChoice(StrEnum):
    """What `--loudness` may be."""

    OFF = "off"
    BROADCAST = "-23"
    MOBILE = "-16"
    MUSIC = "-14"


def add_commands(app: typer.Typer) -> None:
    """Add all commands of a user to the app."""
    for function in (upload, watch, jobs, show, cancel, retry, download, queue):
        command(app)(function)
    add_subtitle_commands(app)


def upload(  # noqa: PLR0913 - a parameter for each option
    caller: Caller,
    files: Files,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Stay until the videos are ready.")] = False,
    title: Annotated[str, typer.Option(help="Title of the video. Default: the file's name.")] = "",
    webhook_url: Annotated[str, typer.Option(help="This address receives the job when it has ended.")] = "",
    loudness: Annotated[
        LoudnessChoice, typer.Option(help="LUFS to which the sound is brought. Default: it stays as it is.")
    ] = LoudnessChoice.OFF,
    subtitles: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, readable=True, help="A file of subtitles; for one video."),
    ] = None,
    max_wait: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0, help="Longest time to wait for room. Default: as long as it takes."),
    ] = None,
) -> None:
    """Upload videos. An upload that broke off goes on where it stopped when the command is run again."""
    if title and len(files) > 1:
        raise UsageError(texts.ONE_TITLE)
    if subtitles and len(files) > 1:
        raise UsageError(texts.ONE_VIDEO)
    said = Wishes(title, webhook_url, "" if loudness is LoudnessChoice.OFF else loudness.value)
    remembered, uploads = Remembered(state_folder(os.environ)), Uploads(caller.server)
    ids: list[str] = []
    exits: list[Exit] = []
    with _teller(caller) as told:
        for path in files:
            try:
                job_id = uploading.upload_file(uploads, path, remembered, told, said=said, most_wait=max_wait)
            except KeyboardInterrupt as error:
                raise InterruptedByUser(texts.INTERRUPTED, texts.AGAIN_ADVICE) from error
            except ClientError as error:
                told.failed(path, error)
                exits.append(error.exit)
            else:
                told.accepted(path, job_id)
                ids.append(job_id)
                exits += _with_subtitles(caller, told, job_id, subtitles or [])
    finish([*exits, *(_ends(caller, ids) if watch and ids else ())])


def watch(caller: Caller, jobs: JobIds) -> None:
    """Watch jobs until they have ended."""
    finish(_ends(caller, checked(jobs)))


def jobs(
    caller: Caller,
    *,
    state: Annotated[JobState | None, typer.Option(help="Only jobs in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST_JOBS, help="Jobs at most.")] = 20,
) -> None:
    """List jobs, newest first."""
    found: list[dict[str, Any]] = []
    seen: list[SeenJob] = []
    cursor: str | None = ""
    while cursor is not None and len(found) < limit:
        asked = {"state": state and state.value, "limit": str(min(PAGE_LIMIT, limit - len(found))), "cursor": cursor}
        fields = {name: value for name, value in asked.items() if value}
        document = caller.server.json("GET", "/api/jobs", fields)
        page = caller.server.seen(JobsPage, document)
        found, seen, cursor = [*found, *document["jobs"]], [*seen, *page.jobs], page.cursor
    _answer(caller, {"jobs": found}, tables.jobs_table(seen))


def show(caller: Caller, job: OneJobId) -> None:
    """Show a job."""
    document = caller.server.json("GET", f"/api/jobs/{checked([job])[0]}")
    _answer(caller, document, tables.job_table(caller.server.seen(WholeJob, document)))


def cancel(caller: Caller, jobs: JobIds) -> None:
    """Cancel jobs that have not ended."""
    _each(caller, jobs, "cancel")


def retry(caller: Caller, jobs: JobIds) -> None:
    """Start failed or cancelled jobs again."""
    _each(caller, jobs, "retry")


def download(
    caller: Caller,
    job: OneJobId,
    *,
    rung: Annotated[str | None, typer.Option(metavar="RUNG", help="Such as 720p. Default: the largest.")] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="PATH", help="A file or a folder. Default: JOB-RUNG.mp4 here.")
    ] = None,
) -> None:
    """Download a video that is ready."""
    if rung is not None and not re.fullmatch(RUNG_NAME, rung):
        raise UsageError(texts.RUNG % rung)
    job_id = checked([job])[0]
    seen = caller.server.seen(SeenJob, caller.server.json("GET", f"/api/jobs/{job_id}"))
    name = downloading.chosen(seen, rung).name
    path = downloading.target(job_id, name, output)
    if caller.as_json:
        size = downloading.download(caller.server, job_id, name, path, lambda *_: None)
        lines.write({"job_id": job_id, "rung": name, "path": str(path), "size": size})
        return
    with screen.Screen() as told:
        downloading.download(caller.server, job_id, name, path, lambda done, size: told.got(path, done, size))
    screen.say(texts.plain(str(path)))


def queue(caller: Caller) -> None:
    """Show what waits and what is being worked on."""
    document = caller.server.json("GET", "/api/queue")
    seen = caller.server.seen(SeenQueue, document)
    if caller.as_json:
        lines.write(document)
        return
    for line in tables.queue_words(seen):
        screen.say(line)
    if seen.jobs or seen.uploading:
        screen.OUT.print(tables.queue_table(seen))


def _teller(caller: Caller) -> lines.JsonLines | screen.Screen:
    return lines.JsonLines() if caller.as_json else screen.Screen()


def _with_subtitles(
    caller: Caller, told: lines.JsonLines | screen.Screen, job_id: str, paths: list[Path]
) -> Iterator[Exit]:
    """Add the files to the job; yield how each counts for the exit code that is not taken."""
    for path in paths:
        try:
            send_subtitles(caller.server, job_id, path)
        except ClientError as error:
            told.failed(path, error)
            yield error.exit


def _answer(caller: Caller, document: dict[str, Any], table: object) -> None:
    if caller.as_json:
        lines.write(document)
    else:
        screen.OUT.print(table)


def _ends(caller: Caller, ids: list[str]) -> list[Exit]:
    """Watch the jobs; return how each of them counts for the exit code."""
    with _teller(caller) as told:
        ends = watching.watch(caller.server, ids, told)
        for job_id, end in ends.items():
            if isinstance(end, ClientError):
                told.missing(job_id, end)
    exits = [
        end.exit if isinstance(end, ClientError) else Exit.DONE if end.state is JobState.READY else Exit.JOB_FAILED
        for end in ends.values()
    ]
    if Exit.JOB_FAILED in exits and not caller.as_json:
        screen.warn(f"rungs: {texts.JOB_FAILED} {texts.JOB_FAILED_ADVICE}")
    return exits


def _each(caller: Caller, ids: list[str], action: str) -> None:
    """Do this to each job; what is refused for one of them keeps none of the others from it."""
    done: list[dict[str, Any]] = []
    refused: list[tuple[str, RefusedError]] = []
    for job_id in checked(ids):
        try:
            document = caller.server.json("POST", f"/api/jobs/{job_id}/{action}")
        except RefusedError as error:
            refused.append((job_id, error))
            continue
        done.append(document)
        if not caller.as_json:
            seen = caller.server.seen(SeenJob, document)
            screen.say(f"{seen.id}  {texts.plain(seen.title)}  {texts.headline(seen)}")
    if caller.as_json:
        lines.write({"jobs": done, "errors": [{"job_id": job_id, **error.told} for job_id, error in refused]})
    for job_id, why in refused:
        screen.warn(f"rungs: {job_id}: {why.message} {why.advice}".rstrip(), "bold red")
    finish(why.exit for _, why in refused)
