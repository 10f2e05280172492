"""The place of one upload that is under way."""

from __future__ import annotations

from storage.objects.contract import PART_BYTES


class Ticket:
    """An admitted upload of a `client`, counting down what it still wants to write: its next part if it did not say."""

    def __init__(self, announced: int | None, now: float, client: str = "", upload_id: str = "") -> None:
        self.client = client
        self.upload_id = upload_id  # of one that takes several requests
        self.promised = PART_BYTES if announced is None else announced
        self._endless = announced is None
        self._began = now
        self._received = 0
        self._asked_at = 0

    @property
    def next_part(self) -> int:
        """Bytes that it writes before the store's room is asked for again."""
        return min(self.promised, PART_BYTES)

    @property
    def size(self) -> int:
        """Bytes of the whole upload as far as it is known."""
        return self._received if self._endless else self.promised + self._received

    def received(self, count: int) -> None:
        """Take off what has arrived: from now on the store's free space shows it."""
        if not self._endless:
            self.promised = max(0, self.promised - count)
        self._received += count

    def part_is_full(self) -> bool:
        """Tell, once for each part, that as many bytes as a part has arrived since it was last told."""
        if self._received - self._asked_at < PART_BYTES:
            return False
        self._asked_at = self._received
        return True

    def seconds_left(self, now: float) -> float | None:
        """Return how long the rest takes at the speed until now; None where that is unknown."""
        if self._endless or not self.promised or not self._received:
            return None
        return self.promised * (now - self._began) / self._received
