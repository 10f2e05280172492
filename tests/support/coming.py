"""An upload that comes piece by piece, and all the early work that there is after each of them."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from pathlib import Path

from storage.model.job import Job
from storage.model.task import Task
from storage.model.upload import Upload
from storage.services import Services
from storage.services.dispatch import dispatch
from storage.services.upload_index import store_index
from storage.services.upload_jobs import begin
from storage.services.uploads import complete, note_open
from storage.settings import Settings
from tests.support.driving import drive_on, step
from tests.support.uploads import PART, upload_record
from web.client.index_ahead import index_of

SLOTS = 2
MOST = 1 << 26


@dataclass(slots=True)
class Coming:
    """A film whose upload is under way, with the index that goes ahead of it."""

    services: Services
    settings: Settings
    data: bytes
    index: tuple[int, bytes] | None = None
    loudness: int | None = None
    upload: Upload = field(init=False)
    sent: int = 0

    def __post_init__(self) -> None:
        self.services.jobs.announce("worker", SLOTS, seconds=600.0)
        self.upload = replace(upload_record(length=len(self.data)), part_bytes=PART, loudness=self.loudness)
        begin(self.services, self.upload)
        if self.index is not None:
            start, data = self.index
            read = io.BytesIO(data).read
            store_index(self.services.objects, self.upload.id, read, begin=start, size=len(data))

    def send(self, share: float) -> None:
        """Let so much of the film have come, and do all the early work that there is then."""
        end = max(self.sent, round(len(self.data) * share))
        with self.services.objects.incoming.go_on(
            self.upload.id, part_bytes=PART, may_go_on=lambda: None, may_keep=lambda: True
        ) as writer:
            writer.write(self.data[self.sent : end])
        self.sent = end
        note_open(self.services, self.upload, end, now=1.0)
        dispatch(self.services)
        while step(self.services, self.settings):
            pass

    @property
    def done_early(self) -> set[str]:
        """The early tasks that have a result."""
        return {name for name in self.services.jobs.results(self.upload.id) if Task.of_field("", name).stage.is_early}

    def end(self) -> Job:
        """Send the rest and take the job to its end."""
        self.send(1.0)
        complete(self.services, self.upload)
        return drive_on(self.services, self.settings, self.services.jobs.get(self.upload.id))


def split(path: Path) -> tuple[bytes, tuple[int, bytes]]:
    """Return a file's bytes, and where its index lies behind the media, with its bytes."""
    data = path.read_bytes()
    with path.open("rb") as file:
        place = index_of(file, len(data), MOST)
    assert place is not None
    return data, (place.begin, data[place.begin : place.end])
