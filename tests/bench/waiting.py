"""An installation whose jobs wait: its encoder takes no work, and everything else does."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar

from tests.bench.installation import Installation
from tests.support.forms import CONTENT_TYPE, upload

# An encoder that is short of scratch space takes no work and says so, as one whose disk is full: what waits goes on
# waiting, and the broker has the few tasks that encoders may be given. Nothing else refuses or slows an upload.
SETTINGS = {
    "SCRATCH_RESERVE": str(2**50),
    "ADMISSION_MAX_WAIT_SECONDS": str(10**9),
    "OWNER_MAX_JOBS": str(10**6),
    "ADDRESS_SHARE": "100",
    "FREE_SPACE_RESERVE": "0",
    "MEMORY_RESERVE": "0",
}
CLIENTS = 4
PLANNED_SECONDS = 5.0  # for each job, on a busy machine
LOOK_SECONDS = 1.0  # between two looks whether all are planned, which cost what is then missing for planning
ANSWER_SECONDS = 60.0
UNPLANNED = ("queued", "planning")  # in the order of a job's life: none is missed between two questions

Found = TypeVar("Found")


@dataclass(slots=True)
class WaitingJobs:
    """The jobs that wait in an installation, all of one `clip` under names of their own."""

    installation: Installation
    clip: bytes
    ids: list[str] = field(default_factory=list)

    def fill(self, wanted: int) -> None:
        """Upload from a few clients until so many jobs wait, and until all of them are planned."""
        with ThreadPoolExecutor(CLIENTS) as pool:
            self.ids += pool.map(self._post, range(len(self.ids), wanted))
        deadline = time.monotonic() + PLANNED_SECONDS * wanted
        while not self._planned():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{wanted} jobs are not planned in time")
            time.sleep(LOOK_SECONDS)
        queue = self.installation.get("/api/queue")
        if queue["waiting"] + queue["active"] != wanted:
            raise RuntimeError(f"{queue['waiting']} wait and {queue['active']} are active, not {wanted} together")

    def answer(self, path: str) -> float:
        """Return how many seconds the answer takes."""
        return timed(lambda: self._ask("GET", path))[0]

    def post(self) -> tuple[float, float]:
        """Upload one more; return the seconds until the answer, and from there until it is planned; then delete it."""
        answered, job_id = timed(lambda: self._post(len(self.ids)))
        planned = self.installation.wait_for(job_id, lambda job: bool(job["state"] == "encoding"))
        self.installation.delete(job_id)
        return answered, planned

    def _planned(self) -> bool:
        return not any(self.installation.get(f"/api/jobs?state={state}&limit=1")["jobs"] for state in UNPLANNED)

    def _post(self, number: int) -> str:
        body = upload(self.clip, f"holiday-{number:06}.mp4")
        job: dict[str, Any] = json.loads(self._ask("POST", "/api/jobs", body, HTTPStatus.ACCEPTED))
        return str(job["id"])

    def _ask(self, method: str, path: str, body: bytes | None = None, wanted: int = HTTPStatus.OK) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.installation.port, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, path, body, {} if body is None else {"Content-Type": CONTENT_TYPE})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != wanted:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:200]!r}")
        return content


def timed(call: Callable[[], Found]) -> tuple[float, Found]:
    """Return the seconds that the call took, and what it returned."""
    began = time.monotonic()
    found = call()
    return time.monotonic() - began, found
