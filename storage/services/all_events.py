"""Everything that is still known to have happened, read page by page."""

from __future__ import annotations

from storage.job_store.contract import EventStore
from storage.model.event import Event


def all_events(store: EventStore, job_id: str | None, *, after: str = "0") -> tuple[Event, ...]:
    """Return every event of a job (of all jobs for None) behind an id that the store still has; its log is capped.

    Raises InvalidRequestError for what is no event id.
    """
    found: list[Event] = []
    while page := store.events(job_id, after):
        found += page
        after = page[-1].id
    return tuple(found)
