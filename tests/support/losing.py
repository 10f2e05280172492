"""Losing Redis and all it held while the object store stays, and what follows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from storage.services import Services
from storage.settings import Settings
from tests.support.driving import step
from tests.support.job_store import OwnJobStore
from tests.support.memory_publisher import MemoryPublisher
from workers.janitor.janitor import Janitor
from workers.rebuild.rebuild import rebuild


def without_redis(services: Services) -> Services:
    """Return the same objects beside a job store and a broker that know nothing."""
    return replace(services, jobs=OwnJobStore(), publisher=MemoryPublisher())


def rebuilt(services: Services) -> tuple[bool, list[str]]:
    """Rebuild the job records; return whether all could be, and what was said."""
    lines: list[str] = []
    return rebuild(services, lines.append, now=time.time()), lines


def step_until(services: Services, settings: Settings, condition: Callable[[], object]) -> None:
    """Work on one delivery after another until the condition is true."""
    while not condition():
        assert step(services, settings), "nothing left to do"


def go_on(services: Services, settings: Settings, folder: Path) -> None:
    """Work until every job has ended, with a janitor that publishes what is missing."""
    janitor = Janitor(services, folder / "alive")
    while services.jobs.unfinished():
        janitor.make_round()
        while step(services, settings):
            pass
