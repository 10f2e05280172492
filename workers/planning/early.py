"""Planning a file that is still being uploaded: a guess, which counts if the plan of the whole file is the same.

Only MP4 and MOV whose index is there in one piece can be guessed. It lists all packets, and that listing by the index
alone is what the whole file's listing is, but for keyframes that an index leaves out. Of what has not come zeros are
read: 2 GiB of them in a second.
"""

from __future__ import annotations

import threading
from dataclasses import replace

from storage.errors import LeaseLostError, ToolError, ToolTimeoutError
from storage.media_errors import MediaError
from workers.planning.headers.byte_ranges import ranges_of
from workers.planning.headers.mp4 import is_whole_movie
from workers.planning.known_bytes import KnownBytes
from workers.planning.make_plan import PlanLimits
from workers.planning.plan_file import ConcealError, NotYetError, PlannedFile, planned
from workers.sandbox.arriving_view import GuessingView
from workers.sandbox.relay import Relay
from workers.sandbox.run import Watch


class _Within(threading.Event):
    """An event that is set where the `outer` one is, which it does not set: a file is given up, and not its attempt."""

    def __init__(self, outer: threading.Event) -> None:
        super().__init__()
        self._outer = outer

    def is_set(self) -> bool:
        """See threading.Event.is_set."""
        return super().is_set() or self._outer.is_set()


def early_plan(view: GuessingView, limits: PlanLimits, watch: Watch) -> PlannedFile | None:
    """Return what the plan of the whole file is likely to be; None where too little is there, or it is not guessed.

    Of what is wrong with the file nothing is told: its own plan will say it. The limits are part of the guess: the
    whole file is to be planned by the same. Raises LeaseLostError when cancelled, and the store's errors.
    """
    outer, watch = watch.cancelled, replace(watch, cancelled=_Within(watch.cancelled))
    index = view.index
    known = KnownBytes(view.arrived) if index is None else KnownBytes(view.arrived, index.begin, index.end)
    with Relay(view, "upload") as relay:
        try:
            found = _guessed(relay.url, limits, watch, known)
        except (MediaError, ToolError, ToolTimeoutError):
            relay.check(failed=True)
            return None
        relay.check(failed=False)
    if outer.is_set():  # tools that were quicker than the look for it
        raise LeaseLostError
    return found


def _guessed(url: str, limits: PlanLimits, watch: Watch, known: KnownBytes) -> PlannedFile | None:
    with ranges_of(url) as file:
        if not is_whole_movie(file, known.has):
            return None
    try:
        return planned(url, limits, watch, known=known)
    except (NotYetError, ConcealError):
        return None
