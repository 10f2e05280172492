"""The sixth part of the job store's contract: uploads that are not jobs yet, as all web processes must know them.

What is stored of an upload is in the object store, and so is what is known of it. Here is what passes: which request
receives it now, and what all open uploads hold. It is lost with Redis, and comes back as they go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from storage.model.upload import OpenUpload

# A holder that says nothing for so long has died, or its line has: nobody waits for it.
HOLDER_SECONDS = 10.0
# A holder tells how far the upload is several times a second, and while it becomes a job. One of which nothing was told
# for so long is received by nobody, whatever Redis says of it.
QUIET_SECONDS = 30.0
# For so long it is kept who took an upload last, when it is a job or ended by then, too: longer than any connection
# lives of which nothing is heard. An older holder that wakes up within that time stores nothing.
KEPT_SECONDS = 3600.0
# Between two events that tell watchers how far an upload is: a bar that moves, for the price of one small event.
TOLD_SECONDS = 1.0


class UploadStore(Protocol):
    """Who receives which upload, and which are open."""

    def take_upload(self, upload_id: str, holder: str) -> str | None:
        """Make this request the upload's only holder; return the one it was taken from if that may be at work still."""

    def hold_upload(self, upload: OpenUpload, holder: str) -> bool:
        """Note how far the upload is; return False, and note nothing, if another request has taken it.

        Every TOLD_SECONDS the watchers of its job get a `progress` event, which the job's own events do not keep.
        """

    def leave_upload(self, holder: str) -> None:
        """Say that this holder stores nothing more."""

    def has_left(self, holder: str) -> bool:
        """Tell whether a holder has said so, or nothing for HOLDER_SECONDS."""

    def note_upload(self, upload: OpenUpload) -> None:
        """Note an upload that nobody receives now."""

    def forget_upload(self, upload_id: str) -> None:
        """Forget an upload that became a job, or ended."""

    def open_uploads(self) -> tuple[OpenUpload, ...]:
        """Return all that were noted and not forgotten; one whose note was spoiled is left out."""

    def uploads_of(self, upload_ids: Sequence[str]) -> dict[str, OpenUpload]:
        """Return those of these uploads that are among them, by id."""
