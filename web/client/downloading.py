"""One MP4 of a job, written beside its place and put there whole. Its name comes from the job's id and the rung."""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO

from urllib3.response import BaseHTTPResponse

from web.client import texts
from web.client.answers import SeenJob, SeenRung
from web.client.failures import ClientError, JobFailedError, RefusedError, UnreachableError, refusal
from web.client.retrying import backoff
from web.client.server import LONGEST_ANSWER, RemoteServer, Reply
from web.client.statuses import Status

READ_BYTES = 256 * 1024
MOST_BREAKS = 8  # of the line without a byte between them: a minute, in which a server is started again


def chosen(job: SeenJob, wanted: str | None) -> SeenRung:
    """Return the rung to download, the largest one unless one is named. Pure. Raises ClientError."""
    if job.is_over and job.state != "ready":
        raise JobFailedError(texts.headline(job), texts.JOB_FAILED_ADVICE)
    there = [rung for rung in job.rungs if rung.url is not None]
    if not there:
        raise RefusedError(Status.CONFLICT, "not_ready", texts.NOT_READY % job.state).advised(
            texts.NOT_READY_ADVICE % job.id
        )
    if wanted is None:
        return max(there, key=lambda rung: rung.height)
    found = next((rung for rung in there if rung.name == wanted), None)
    if found is None:
        names = ", ".join(rung.name for rung in there)
        raise RefusedError(Status.NOT_FOUND, "no_rung", texts.NO_RUNG % wanted).advised(texts.NO_RUNG_ADVICE % names)
    return found


def target(job_id: str, rung: str, output: Path | None) -> Path:
    """Return where the file goes: `<job>-<rung>.mp4` here, in the folder that is named, or the path itself."""
    name = f"{job_id}-{rung}.mp4"
    if output is None:
        return Path(name)
    return output / name if output.is_dir() else output


def download(server: RemoteServer, job_id: str, rung: str, path: Path, told: Callable[[int, int], None]) -> int:
    """Write the rung's MP4 to the path and return its bytes; `told` hears of bytes and of all. Raises ClientError."""
    try:
        with _beside(path) as file:
            size = _fetched(server, f"/media/{job_id}/{rung}.mp4", file, told)
            file.flush()
            os.replace(file.name, path)  # noqa: PTH105 - whole, or not at all
    except OSError as error:
        raise ClientError(texts.CANNOT_WRITE % (path, error.strerror)) from error
    return size


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[BinaryIO]:
    """Give a new file in the path's folder that is gone afterwards unless it has been renamed."""
    mask = os.umask(0)
    os.umask(mask)
    with NamedTemporaryFile(dir=path.parent, prefix=".rungs-", delete=False) as file:
        try:
            os.fchmod(file.fileno(), 0o666 & ~mask)  # as any other file of the user, not a secret one
            yield file  # type: ignore[misc] # the wrapper is a binary file in all but type
        finally:
            Path(file.name).unlink(missing_ok=True)


def _fetched(server: RemoteServer, path: str, file: BinaryIO, told: Callable[[int, int], None]) -> int:
    """Write the body at the path to the file; a line that breaks goes on behind what came."""
    done, size, etag, breaks = 0, None, "", 0
    while size is None or done < size:
        before = done
        asked = {"Range": f"bytes={done}-", "If-Range": etag} if done else {}
        try:
            with server.opened("GET", path, headers=asked) as response:
                if response.status != (Status.PARTIAL_CONTENT if done else Status.OK):
                    raise _refused(server, response)
                etag, size = response.headers.get("ETag", ""), done + _length(server, response)
                while data := response.read(READ_BYTES, decode_content=False):
                    done += _written(file, data)
                    told(done, size)
        except UnreachableError:
            breaks = 0 if done > before else breaks + 1
            if not done or not etag or breaks > MOST_BREAKS:
                raise
            time.sleep(backoff(breaks, random.random()))  # noqa: S311 - no secret
    return size


def _written(file: BinaryIO, data: bytes) -> int:
    """Write and return how much. A disk that fails is none of the line's faults, so its error is another one."""
    try:
        return file.write(data)
    except OSError as error:
        raise ClientError(texts.CANNOT_WRITE % (file.name, error.strerror)) from error


def _length(server: RemoteServer, response: BaseHTTPResponse) -> int:
    said = response.headers.get("Content-Length", "")
    if not (said.isascii() and said.isdigit()):
        raise server.no_rungs()
    return int(said)


def _refused(server: RemoteServer, response: BaseHTTPResponse) -> ClientError:
    """Return why the file is not sent. What is no whole file and no refusal is nothing that Rungs sends."""
    if response.status < Status.BAD_REQUEST:
        return server.no_rungs()
    answer = Reply(response.status, {}, response.read(LONGEST_ANSWER))
    return refusal(answer.status, answer.document, response.headers.get("Retry-After"))
