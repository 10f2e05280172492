"""The Celery application of the workers: the one place where stages, parts and background threads are wired."""

from __future__ import annotations

import functools
import logging
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
from workers.stages import audio_stage, package_stage, plan_stage, poster_stage, segment_stage

PATIENCE_SECONDS = 600.0  # an outage shorter than this costs waiting, not attempts; a longer one is left to the janitor

CHATTY_LOGGERS = ("celery.worker.strategy", "celery.app.trace")  # they say of each task what our own lines say better

STAGES: dict[Stage, StageFunction] = {
    Stage.PLAN: plan_stage,
    Stage.SEGMENT: segment_stage,
    Stage.AUDIO: audio_stage,
    Stage.POSTER: poster_stage,
    Stage.PACKAGE: package_stage,
}


def make_worker(settings: Settings, part: str, alive_file: Path) -> Celery:
    """Return the application with every stage registered under its task name; nothing connects before the first task.

    `part` names this process in the logs; `alive_file` is touched for its health check.
    """
    app = make_celery(settings, patience=PATIENCE_SECONDS)
    # Made on first use, in the pool's child: connections must not be shared across a fork.
    services = functools.cache(functools.partial(connect, settings, patience=PATIENCE_SECONDS))
    for stage, function in STAGES.items():
        app.task(name=TASK_NAMES[stage])(_handler(stage, function, services, settings))
    app.alive_file = alive_file
    app.steps["consumer"].add(LeaseKeeper)

    def set_up_logs(**_: Any) -> None:
        configure_logging(settings, part)
        for name in CHATTY_LOGGERS:
            logging.getLogger(name).setLevel(logging.WARNING)

    # Celery would replace the handlers of the root logger otherwise.
    setup_logging.connect(set_up_logs, weak=False)
    return app


def _handler(
    stage: Stage, function: StageFunction, services: Callable[[], Services], settings: Settings
) -> Callable[[str, int], Any]:
    def handle(job_id: str, index: int) -> None:
        attempt_task(Task(job_id, stage, index), function, services(), settings)

    return handle
