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

from storage.broker.celery_app import make_celery
from storage.broker.contract import TASK_NAMES
from storage.job_store.queue_contract import QueueStore
from storage.logs import configure_logging
from storage.model.names import WorkerName
from storage.model.task import Stage, Task
from storage.services import Services
from storage.services.connect import connect
from storage.settings import Settings
from workers.attempts.attempt import StageFunction, attempt_task
from workers.process.drain import DrainingWorker
from workers.process.intake import Intake, IntakeStep
from workers.process.machine import machine_state
from workers.process.message_keeper import MessageKeeper, tags_at_work
from workers.process.pause_policy import Reserve
from workers.process.pool_children import Children, ChildRequest, Pool, PoolWatch
from workers.process.rabbitmq_fetcher import fetch_by_slot
from workers.process.reconnect import reconnect_soon
from workers.sandbox.launching import fences
from workers.sandbox.layers import missing
from workers.stages import STAGES

PATIENCE_SECONDS = 600.0  # an outage shorter than this costs waiting, not attempts; a longer one is left to the janitor

BEAT_PATIENCE_SECONDS = 0.5  # a beat that fails is followed by another one, and the janitor sees what goes unsaid
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
        task = app.task(name=TASK_NAMES[stage], stage=stage, Request=ChildRequest)
        task(_handler(stage, function, services, settings))
    # Parts of its own: those of the children are made after the fork. Impatient, as the event loop waits.
    own = connect(settings, patience=BEAT_PATIENCE_SECONDS)
    app.intake = _intake(settings, slots)
    app.on_beat = _sign_of_life(own.jobs, alive_file, slots, app.intake)
    app.children = Children(own, settings)
    app.conf.worker_pool = Pool
    app.Worker = app.subclass_with_self(DrainingWorker, name="Worker")
    app.steps["consumer"].update((MessageKeeper, PoolWatch, IntakeStep))
    reconnect_soon(app)
    if settings.on_rabbitmq:
        fetch_by_slot(app)

    def set_up_logs(**_: Any) -> None:
        configure_logging(settings, part)
        for name in CHATTY_LOGGERS:
            logging.getLogger(name).setLevel(logging.WARNING)

    # Celery would replace the handlers of the root logger otherwise.
    setup_logging.connect(set_up_logs, weak=False)
    return app


def _intake(settings: Settings, slots: int) -> Intake:
    """Return the intake of a worker of so many encoder slots; packages reserve their own space."""
    reserve = Reserve(scratch=slots * settings.scratch_reserve, memory=settings.memory_reserve)
    return Intake(functools.partial(machine_state, settings.scratch_dir), reserve)


def _sign_of_life(jobs: QueueStore, alive_file: Path, slots: int, intake: Intake) -> Callable[[], None]:
    """Return what the worker's main process does with every beat."""
    name = str(WorkerName(socket.gethostname(), os.getpid()))
    lacks = missing(fences().layers)

    def show() -> None:
        intake.look()
        if slots or intake.pause or lacks:
            told = intake.slots_told(slots, len(tags_at_work()))
            jobs.announce(name, told, seconds=ANNOUNCED_SECONDS, pause=intake.pause, lacks=lacks)
        alive_file.touch()

    return show


def _handler(
    stage: Stage, function: StageFunction, services: Callable[[], Services], settings: Settings
) -> Callable[[str, int], Any]:
    def handle(job_id: str, index: int) -> None:
        task = Task(job_id, stage, index)
        services().publisher.taken(task)
        attempt_task(task, function, services(), settings)

    return handle
