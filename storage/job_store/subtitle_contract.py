"""The eighth part of the job store's contract: the subtitles that were added to a job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from storage.model.timed_text import SubtitleTrack

Added = tuple[SubtitleTrack, ...]


class SubtitleStore(Protocol):
    """What came beside the file of a job, in whichever state it is; a new run keeps it."""

    def change_added(self, job_id: str, change: Callable[[Added], Added]) -> Added:
        """Replace the tracks that were added to a job, with a `subtitles` event unless its record is slim.

        `change` is called with those that are there, again where others came meanwhile; what it raises is raised.
        Returns what is there then. Raises JobNotFoundError, and BusyError where others come all the time.
        """
