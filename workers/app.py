"""The Celery application of the workers: the one place where stages, parts and background threads are wired."""

from __future__ import annotations

import functools
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import setup_logging

from storage.celery_app import make_celery
from storage.connect import connect
from storage.jobs import Stage, Task
from storage.logging import configure_logging
from storage.publishing import TASK_NAMES
from storage.services import Services
from storage.settings import Settings
from workers.attempt import Stage as StageFunction
from workers.attempt import attempt_task
from workers.keeper import LeaseKeeper
from workers.stages import STAGES

PATIENCE_SECONDS = 600.0  # an outage shorter than this costs waiting, not attempts; a longer one is left to the janitor

BEAT_PATIENCE_SECONDS = 0.5  # a beat that fails is followed by another one
ANNOUNCED_SECONDS = 10.0  # five beats: a dead worker's slots count no longer than its tasks need to be elsewhere
CHATTY_LOGGERS = ("celery.worker.strategy", "celery.app.trace")  # they say of each task what our own lines say better


def make_worker(settings: Settings, part: str, *, alive_file: Path, slots: int) -> Celery:
    """Return the application with every stage registered under its task name; nothing connects before the first task.

    `part` names this process in the logs; `alive_file` is touched for its health check; `slots` are
    the encoder slots it announces, 0 for a worker that does not encode.
    """
    app = make_celery(settings, patience=PATIENCE_SECONDS)
    # Made on first use, in the pool's child: connections must not be shared across a fork.
    services = functools.cache(functools.partial(connect, settings, patience=PATIENCE_SECONDS))
    for stage, function in STAGES.items():
        app.task(name=TASK_NAMES[stage])(_handler(stage, function, services, settings))
    app.on_beat = _sign_of_life(settings, alive_file, slots)
    app.steps["consumer"].add(LeaseKeeper)

    def set_up_logs(**_: Any) -> None:
        configure_logging(settings, part)
        for name in CHATTY_LOGGERS:
            logging.getLogger(name).setLevel(logging.WARNING)

    # Celery would replace the handlers of the root logger otherwise.
    setup_logging.connect(set_up_logs, weak=False)
    return app


def _sign_of_life(settings: Settings, alive_file: Path, slots: int) -> Callable[[], None]:
    """Return what the worker's main process does with every beat."""
    # Parts of its own: those of the children are made after the fork. Impatient, as the event loop waits.
    jobs = connect(settings, patience=BEAT_PATIENCE_SECONDS).jobs
    name = f"{socket.gethostname()}:{os.getpid()}"

    def show() -> None:
        if slots:
            jobs.announce(name, slots, seconds=ANNOUNCED_SECONDS)
        alive_file.touch()

    return show


def _handler(
    stage: Stage, function: StageFunction, services: Callable[[], Services], settings: Settings
) -> Callable[[str, int], Any]:
    def handle(job_id: str, index: int) -> None:
        attempt_task(Task(job_id, stage, index), function, services(), settings)

    return handle
