"""Rounds: what one process of an installation does every few seconds, as long as it holds the role for it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import structlog

from storage.errors import BusyError
from storage.job_store.contract import UpkeepStore

_log = structlog.get_logger()


class Rounds:
    """The rounds of a role, `seconds` apart.

    Whoever holds the role and dies keeps it for `role_seconds`; then another process makes the rounds. An outage
    (BusyError) skips a round; so does any other error: whoever makes rounds makes them for all jobs, and a process may
    hold several roles.
    """

    def __init__(self, jobs: UpkeepStore, role: str, *, seconds: float, role_seconds: float) -> None:
        self._jobs = jobs
        self._role = role
        self._seconds = seconds
        self._role_seconds = role_seconds
        self._name = uuid.uuid4().hex
        self._stopped = threading.Event()

    def run(self, make_round: Callable[[], None], *, beat: Callable[[], None] = lambda: None) -> None:
        """Make rounds until stopped; `beat` is called each time, whether or not this process holds the role."""
        while not self._stopped.wait(self._seconds):
            try:
                beat()
                if self._jobs.hold(self._role, self._name, seconds=self._role_seconds):
                    make_round()
            except BusyError as error:
                _log.warning(f"{self._role} skips a round", error=str(error))
            except Exception:  # noqa: BLE001 - see above
                _log.exception(f"a round of the {self._role} failed")

    def stop(self) -> None:
        """End after the present round."""
        self._stopped.set()
