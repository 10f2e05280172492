"""The fields of a job's record in one table: how each is kept, and what a new run of the job forgets. Pure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from storage.model.job import Job

# Known when the job is accepted, and never changed.
_INTAKE = frozenset({"id", "owner", "title", "filename", "size", "created_at", "webhook_url", "loudness"})


ADDED = "added"  # what came beside the file


class Kind(Enum):
    """How a field is kept."""

    INTAKE = auto()  # with all others of this kind, as one JSON text
    TEXT = auto()  # alone, as it is
    JSON = auto()  # alone, as JSON; left out where it has the default of Job


@dataclass(frozen=True, slots=True)
class JobField:
    """One field of Job; `default` is what it has in a record that does not name it."""

    name: str
    kind: Kind
    default: object

    @property
    def forgotten(self) -> bool:
        """Tell whether a new run begins with the default: it keeps what came with the file, and the priority."""
        return self.kind is Kind.JSON and self.name != ADDED


def _kind_of(field: dataclasses.Field[object]) -> Kind:
    if field.name in _INTAKE:
        return Kind.INTAKE
    return Kind.TEXT if isinstance(field.default, StrEnum) else Kind.JSON


FIELDS = tuple(JobField(field.name, _kind_of(field), field.default) for field in dataclasses.fields(Job))
FORGOTTEN = tuple(field.name for field in FIELDS if field.forgotten)


def named(kind: Kind) -> tuple[str, ...]:
    """Return the names of the fields of one kind."""
    return tuple(field.name for field in FIELDS if field.kind is kind)
