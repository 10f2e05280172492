"""Open uploads that no request of this process brings: other web processes receive them, or nobody just now. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Self

from storage.model.upload import OpenUpload


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Uploads of which something came a moment ago, and those that `rest`."""

    moving: tuple[OpenUpload, ...] = ()
    resting: tuple[OpenUpload, ...] = ()

    @classmethod
    def of(cls, uploads: Iterable[OpenUpload], now: float) -> Self:
        """Return the uploads as they are at `now`, Unix seconds."""
        moving: list[OpenUpload] = []
        resting: list[OpenUpload] = []
        for upload in uploads:
            (moving if upload.moves(now) else resting).append(upload)
        return cls(tuple(moving), tuple(resting))

    def without(self, here: Collection[str]) -> Self:
        """Return those that are not received here."""
        kept = (tuple(one for one in some if one.id not in here) for some in (self.moving, self.resting))
        return type(self)(*kept)

    def of_client(self, client: str) -> int:
        """Return how many are this client's."""
        return sum(upload.client == client for upload in (*self.moving, *self.resting))

    @property
    def count(self) -> int:
        """How many there are: each is a job to be."""
        return len(self.moving) + len(self.resting)


NOWHERE = Elsewhere()
