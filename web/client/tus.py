"""The client's side of tus 1.0.0: what `rungs upload` asks of /api/uploads, and what the answers mean.

tuspy, the client of the protocol's authors, was looked at first. It is kept alive (1.1.0), but not good enough here: it
brings requests, aiohttp and tinydb along, reads the whole rest of a file into memory before it sends it, so that nobody
sees progress, and tries everything again after one fixed pause. Retry-After, the turn that a full queue keeps
(`Rungs-Turn`), and what 409, 423 and 460 ask for do not reach its caller. A test uploads with it all the same.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from storage.model.job import JOB_ID
from web.client.failures import refusal
from web.client.remembered import NOTHING_SAID, Wishes
from web.client.server import RemoteServer, Reply
from web.client.statuses import Status

UPLOADS = "/api/uploads"
VERSION = {"Tus-Resumable": "1.0.0"}
OFFSET_TYPE = "application/offset+octet-stream"
_BYTES = {**VERSION, "Content-Type": OFFSET_TYPE}
TURN = "rungs-turn"
_PLACE = re.compile(rf"(?:.*/)?({JOB_ID})")
_NUMBER = re.compile(r"[0-9]{1,16}")


@dataclass(frozen=True, slots=True)
class Announced:
    """What the server is told of a file: its length in bytes, its name, and what the user says of it."""

    length: int
    filename: str
    said: Wishes = NOTHING_SAID

    @property
    def headers(self) -> dict[str, str]:
        """What creates an upload of it."""
        said = {"filename": self.filename, **asdict(self.said)}
        pairs = (f"{key} {_base64(value)}" for key, value in said.items() if value)
        return {"Upload-Length": str(self.length), "Upload-Metadata": ",".join(pairs)}


@dataclass(frozen=True, slots=True)
class UploadState:
    """How far an upload is; `job_id` once it is a job."""

    offset: int
    job_id: str | None


@dataclass(slots=True)
class Uploads:
    """The uploads of a server. All methods raise UnreachableError, RefusedError, and what the server's do.

    `turn` is the token that the last refusal gave; whoever sends it back keeps their turn.
    """

    server: RemoteServer
    turn: str = ""

    def create(self, announced: Announced) -> str:
        """Create an upload and return its id."""
        headers = {**VERSION, **announced.headers, **({"Rungs-Turn": self.turn} if self.turn else {})}
        answer = self.server.ask("POST", UPLOADS, headers=headers)
        self.turn = _token(answer.headers.get(TURN, self.turn))
        # Only the id is taken from the address: a server that names another host is not followed there.
        place = _PLACE.fullmatch(self._taken(answer, Status.CREATED).headers.get("location", ""))
        if place is None:
            raise self.server.no_rungs()
        return place[1]

    def standing(self, upload_id: str) -> UploadState:
        """Return how far the upload is. Whatever still receives it for an old connection stops."""
        answer = self.server.ask("HEAD", f"{UPLOADS}/{upload_id}", headers=VERSION)
        return self._standing(self._taken(answer, Status.OK))

    def send(self, upload_id: str, blocks: Iterator[bytes], offset: int, length: int) -> UploadState:
        """Send so many bytes from the offset on; return how far the upload is then."""
        headers = {**_BYTES, "Content-Length": str(length), "Upload-Offset": str(offset)}
        answer = self.server.send(f"{UPLOADS}/{upload_id}", blocks, headers)
        return self._standing(self._taken(answer, Status.NO_CONTENT))

    def hand_over(self, upload_id: str, index: Iterator[bytes], begin: int, length: int) -> None:
        """Send bytes of the file from `begin` on ahead of the others: its index."""
        headers = {**_BYTES, "Content-Length": str(length), "Upload-Offset": str(begin)}
        self._taken(self.server.send(f"{UPLOADS}/{upload_id}/index", index, headers, method="PUT"), Status.NO_CONTENT)

    def end(self, upload_id: str) -> None:
        """End the upload."""
        self.server.ask("DELETE", f"{UPLOADS}/{upload_id}", headers=VERSION)

    def _taken(self, answer: Reply, wanted: Status) -> Reply:
        if answer.status >= Status.BAD_REQUEST:
            raise refusal(answer.status, answer.document, answer.headers.get("retry-after"))
        if answer.status != wanted:
            raise self.server.no_rungs()
        return answer

    def _standing(self, answer: Reply) -> UploadState:
        offset, job_id = answer.headers.get("upload-offset", ""), answer.headers.get("rungs-job")
        if not _NUMBER.fullmatch(offset) or (job_id is not None and not re.fullmatch(JOB_ID, job_id)):
            raise self.server.no_rungs()
        return UploadState(int(offset), job_id)


def _base64(text: str) -> str:
    # A name of a file may hold bytes that are no UTF-8; they are no reason to refuse it.
    return base64.b64encode(text.encode(errors="surrogateescape").decode(errors="replace").encode()).decode()


def _token(said: str) -> str:
    """Return the token if it can be sent back as a header."""
    return said if said.isascii() and said.isprintable() else ""
