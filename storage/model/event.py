"""Events: what happens to a job, in the order in which it happens. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from storage.errors import InvalidRequestError
from storage.model.job import is_job_id
from storage.model.record_checks import expect, spoiled

EVENT_ID = r"[0-9]{1,16}-[0-9]{1,16}"  # the form of an id: milliseconds, and a number within them
_TYPE = re.compile(r"[a-z]{1,32}")
NO_EVENT = "0-0"  # comes before every event: the last one of a store that has never had a job


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job. `id` sorts by time (a Redis stream id, `<ms>-<n>`).

    Type and data: `created` and `state` {state}; `progress` {frames_done, frames}; `task` {field}, one is finished;
    `poster` {}, it can be fetched; `subtitles` {}, they can; `playable` {}, its playlists can; `deleted` {}.
    """

    id: str
    job_id: str
    type: str
    data: dict[str, Any]


def event_of_fields(event_id: str, fields: dict[str, str]) -> Event:
    """Return the event that a stream entry holds. Raises RecordError for an entry that holds none."""
    with spoiled(fields.get("job", "")):
        job_id, kind, data = fields["job"], fields["type"], json.loads(fields["data"])
        expect(is_job_id(job_id) and _TYPE.fullmatch(kind) and isinstance(data, dict), "event")
    return Event(event_id, job_id, kind, data)


def is_event_id(text: str) -> bool:
    """Tell whether the text has the form of an event's id, in full."""
    return re.fullmatch(EVENT_ID, text) is not None


def checked_event_id(text: str) -> str:
    """Return the id in full (`0` becomes `0-0`); raise InvalidRequestError for what is no event id."""
    full = text if "-" in text else f"{text}-0"
    if not is_event_id(full):
        raise InvalidRequestError(reason="event_id")
    return full


def event_order(event_id: str) -> tuple[int, int]:
    """Return what event ids sort by."""
    milliseconds, sequence = event_id.split("-")
    return int(milliseconds), int(sequence)
